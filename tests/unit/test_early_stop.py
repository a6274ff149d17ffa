"""SIGTERM before a service is ready: it ends at once, and cleanly."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

PROGRAMS = ("gateway", "media", "dialer", "reporting", "console")
IMPORTING = """
import os, signal, sys
from importlib.abc import MetaPathFinder

class Watch(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "structlog":  # every service imports it, and none right at its start
            os.kill(os.getpid(), signal.SIGTERM)

sys.meta_path.insert(0, Watch())
sys.argv = [sys.argv[1]]
from cato_{program}.entrypoints.main import main
main()
"""


async def process(tmp_path: Path, script: str, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, "cato"),
        env={**os.environ, "CATO_DATA_DIR": str(tmp_path), "CATO_HEALTH_PORT": "0", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize("program", PROGRAMS)
async def test_signal_during_the_imports_ends_a_service_with_code_0(tmp_path, program):
    started = await process(tmp_path, IMPORTING.replace("{program}", program))
    async with asyncio.timeout(60):
        output = await started.communicate()
    assert (started.returncode, *output) == (0, b"", b"")


async def test_signal_while_a_service_waits_for_the_broker_ends_it_with_code_0(tmp_path):
    script = "from cato_media.entrypoints.main import main; import sys; sys.argv = ['cato']; main()"
    started = await process(tmp_path, script, CATO_NATS_URL="nats://127.0.0.1:9")
    assert started.stderr is not None
    async with asyncio.timeout(60):
        while b"broker connection failed" not in (line := await started.stderr.readline()):
            assert line, "it has ended"
        started.send_signal(signal.SIGTERM)
        rest = await started.stderr.read()
        assert await started.wait() == 0
    assert b"stopped before it was ready" in rest
    assert b"Traceback" not in rest
