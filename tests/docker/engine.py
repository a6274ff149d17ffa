"""A Docker engine for the tests, the images of the system on it, and short forms of Docker's commands."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "build/docker-tools"
SERVICES = ("media", "dialer", "reporting", "api-gateway", "console")
STANDS_IN = "STAND-IN: the embedded engine behind HTTP takes the place of the ClickHouse server"


def run(command: list[str], *, timeout: float = 60, **options: Any) -> str:
    """Run a command and return what it printed; a failure has its output."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, **options)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout.strip()


def docker(*arguments: str, timeout: float = 60) -> str:
    return run(["docker", *arguments], timeout=timeout)


def inspected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(docker("inspect", name))[0]
    return found


def compose_command() -> list[str] | None:
    """Return the program of Compose 2, which `make test-docker` installs where Docker has no plugin."""
    own = TOOLS / "docker-compose"
    if own.exists():
        return [str(own)]
    has_plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return ["docker", "compose"] if has_plugin.returncode == 0 else None


def answers() -> bool:
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


@contextmanager
def engine(directory: Path) -> Iterator[None]:
    """Use the engine that runs; without one, start one, whose data stays in `build/docker`."""
    if answers():
        yield
        return
    data = Path(os.environ.get("CATO_TEST_DOCKER_ROOT", ROOT / "build/docker"))
    socket = f"unix://{directory}/docker.sock"
    command = ["dockerd", "--host", socket, "--data-root", str(data), "--exec-root", str(directory / "exec")]
    command += ["--pidfile", str(directory / "docker.pid")]
    log = directory / "dockerd.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    before = os.environ.get("DOCKER_HOST")
    os.environ["DOCKER_HOST"] = socket
    try:
        deadline = time.monotonic() + 60
        while not answers():
            assert process.poll() is None, log.read_text()[-4000:]
            assert time.monotonic() < deadline, log.read_text()[-4000:]
            time.sleep(0.2)
        yield
    finally:
        os.environ.pop("DOCKER_HOST")
        if before is not None:
            os.environ["DOCKER_HOST"] = before
        process.terminate()
        process.wait(timeout=60)
        # It leaves its network namespaces mounted, and their directory could not be removed.
        for namespace in (directory / "exec" / "netns").glob("*"):
            subprocess.run(["umount", str(namespace)], check=False)


def can_start_an_engine() -> bool:
    return shutil.which("dockerd") is not None and os.geteuid() == 0


def make_base_images() -> None:
    """Make those of the official images that are not there."""
    server = run(
        [sys.executable, "-c", "from cato_runtime.process.embedded_nats import *; print(server_program())"]
    )
    done = subprocess.run(
        ["sh", str(Path(__file__).with_name("base_images.sh")), server], timeout=1500, check=False
    )
    assert done.returncode == 0
