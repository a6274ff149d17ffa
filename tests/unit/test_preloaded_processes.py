"""Programs of tests that are forked from a process with their modules."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.preloaded.process import AsyncPreloadedProcess, PreloadedProcess

SEEN = "tests.support.preloaded.examples:show_what_is_seen"
WAITING = "tests.support.preloaded.examples:wait_for_a_signal"


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_process_has_its_own_arguments_environment_directory_streams_and_exit_code(tmp_path):
    with (tmp_path / "errors").open("w") as errors:
        process = PreloadedProcess(
            SEEN, ["x", "--y"], env={"CATO_TEST": "ä b"}, cwd=tmp_path, stdout=subprocess.PIPE, stderr=errors
        )
    assert process.stdout.read() == f"['x', '--y'] ä b {tmp_path.name} \n"
    process.stdout.close()
    assert process.wait(30) == process.poll() == process.returncode == 78
    assert (tmp_path / "errors").read_text() == "an error\n"
    process.kill()  # without effect


def test_processes_are_waited_for_one_by_one_and_end_by_signals():
    first, second = (PreloadedProcess(WAITING, ["x"], stdout=subprocess.PIPE) for _ in range(2))
    for process in (first, second):
        assert process.stdout.readline() == "ready\n"
        assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        first.wait(0.01)
    second.kill()
    assert second.wait(30) == -signal.SIGKILL
    assert first.poll() is None
    first.terminate()
    assert first.wait(30) == -signal.SIGTERM
    for process in (first, second):
        assert process.stdout.read() == ""  # nobody else keeps it open
        process.stdout.close()


async def test_a_process_is_awaited_with_its_outputs(tmp_path):
    process = await AsyncPreloadedProcess.start(
        SEEN, ["x"], cwd=tmp_path, env={}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert await process.communicate() == (f"['x'] None {tmp_path.name} \n".encode(), b"an error\n")
    assert process.returncode == 78
    process = await AsyncPreloadedProcess.start(WAITING, ["x"], stdout=subprocess.PIPE)
    assert await process.stdout.readline() == b"ready\n"
    assert process.returncode is None
    process.terminate()
    assert await process.wait() == -signal.SIGTERM
    assert await process.communicate() == (b"", b"")


def test_processes_end_with_their_starter(tmp_path):
    """Which is killed before it can end them."""
    script = f"""
import subprocess, sys
from tests.support.preloaded.process import PreloadedProcess
process = PreloadedProcess({WAITING!r}, ["x"], stdout=subprocess.PIPE)
process.stdout.readline()
print(process.pid, flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as starter:
        pid = int(starter.stdout.readline())
        starter.kill()
    deadline = time.monotonic() + 30
    while is_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)
