"""Processes that are forked from one server."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from cato_stack.forked_process import ForkedProcess, ForkServerProcess, ProcessSpec
from cato_stack.supervisor import Supervised

PROGRAMS = "stack.tests.support.forked"
SLEEPER = ProcessSpec("sleeper", f"{PROGRAMS}:sleeper", "cato-sleeper", {})

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
async def server() -> AsyncIterator[ForkServerProcess]:
    async with aclosing(ForkServerProcess(preloaded=())) as server:
        yield server


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # what its new parent has not asked for yet


async def test_s7_a_forked_process_has_its_own_environment_log_and_exit_code(server, tmp_path: Path) -> None:
    environment = {"CATO_TEST": "ä b", "CATO_CODE": "78"}
    spec = ProcessSpec("x", f"{PROGRAMS}:main", "cato-x", environment)
    process = await server.fork(spec, tmp_path / "log")
    assert await process.wait() == process.returncode == 78
    assert (tmp_path / "log").read_text() == "['cato-x'] ä b True\n"
    process.send_signal(signal.SIGTERM)  # without effect


async def test_s7_a_program_that_fails_has_exit_code_1(server, tmp_path: Path) -> None:
    process = await server.fork(ProcessSpec("x", f"{PROGRAMS}:main", "cato-x", {}), tmp_path / "log")
    assert await process.wait() == 1
    assert "KeyError: 'CATO_CODE'" in (tmp_path / "log").read_text()


async def test_s7_a_process_that_ended_before_its_start_was_reported_has_its_exit_code() -> None:
    ended = await asyncio.create_subprocess_exec("true")
    await ended.wait()
    process = ForkedProcess(ended.pid)
    process.kill()  # without effect
    process.report_end(78)
    assert await process.wait() == 78


async def test_s7_forked_processes_are_named_and_end_by_signals(server) -> None:
    processes = [await server.fork(SLEEPER, None) for _ in range(3)]
    for process, number in zip(processes, (signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1), strict=True):
        process.send_signal(number)
        assert await process.wait() == -number
        assert not is_alive(process.pid)


async def test_s7_processes_end_with_their_server_and_are_started_by_another_one(server, tmp_path) -> None:
    services = [
        Supervised(ProcessSpec(name, SLEEPER.entry, "cato-sleeper", {}), server, tmp_path) for name in "abc"
    ]
    for service in services:
        await service.start()
    first = pids(tmp_path)
    os.kill(server.pid, signal.SIGKILL)
    while pids(tmp_path) & first:
        await asyncio.sleep(0.05)
    assert not any(map(is_alive, first))
    for service in services:
        await service.stop(timeout=10)
    assert pids(tmp_path) == set()


def pids(directory: Path) -> set[int]:
    return {int(text) for file in directory.glob("*.pid") if (text := file.read_text())}


async def test_s7_the_server_ends_with_its_owner() -> None:
    server = ForkServerProcess(preloaded=())
    process = await server.fork(SLEEPER, None)
    await server.aclose()
    assert await process.wait() == -signal.SIGKILL
    assert not is_alive(server.pid)
