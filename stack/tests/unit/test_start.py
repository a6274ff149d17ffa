"""What a start needs, and what prevents it."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cato_contracts.errors import ConfigurationError
from cato_stack.forked_process import PRELOADED
from cato_stack.stack import check_address


def taken(host: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, 0), family=family)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_s2_an_address_in_use_is_refused(host: str) -> None:
    with taken(host) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"{port}: Address already in use; another program"):
            check_address(host, port)
    check_address(host, port)


def test_s2_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"192\.0\.2\.1:8080"):
        check_address("192.0.2.1", 8080)


@pytest.mark.timeout(60)
def test_s2_up_on_a_port_in_use_ends_with_78_and_says_why(tmp_path: Path) -> None:
    with taken("127.0.0.1") as listener:
        port = str(listener.getsockname()[1])
        command = [sys.executable, "-m", "cato_stack", "up", "--data", str(tmp_path / "data"), "--port", port]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert ended.returncode == 78
    assert ended.stdout == ""
    assert f"cato: cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert not (tmp_path / "data").exists()


HEAVY = {
    "fastapi",
    "starlette",
    "chdb",
    "numpy",
    "pandas",
    "pjsua2",
    "typer",
    "pydub",
    "uvicorn",
    "clickhouse_connect",
}


@pytest.mark.parametrize(
    ("modules", "allowed"),
    [
        (PRELOADED, {"starlette", "uvicorn"}),  # for health, and faststream
        (("cato_stack.stack",), set()),
        (("cato_stack.cli",), {"typer"}),
        (("cato_media.bootstrap",), {"starlette", "uvicorn", "pydub"}),
    ],
)
def test_s7_modules_that_only_some_need_are_not_imported(modules: tuple[str, ...], allowed: set[str]) -> None:
    script = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert HEAVY & set(loaded.stdout.split()) <= allowed
    if modules == ("cato_stack.cli",):  # it starts the fork server before it imports more
        assert not {"pydantic", "structlog", "nats", "httpx"} & set(loaded.stdout.split())
