"""The next start of a killed dialer waits until the processes that it left have hung up its calls."""

import asyncio
import subprocess
import sys
from pathlib import Path

from cato_dialer.dial.adapters.call_lock import is_held
from cato_dialer.dial.adapters.instance_name import former_calls_ended

_HOLDER = """
import sys
from cato_dialer.dial.adapters.call_lock import hold
hold(sys.argv[1])
print(flush=True)
sys.stdin.read()
"""


def start(file: Path) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


async def test_start_waits_for_the_last_process_with_calls(tmp_path: Path) -> None:
    file = tmp_path / "kept" / "calls"
    await former_calls_ended(file)
    first, second = start(file), start(file)
    waiting = asyncio.create_task(former_calls_ended(file, within_s=60))
    first.communicate()
    assert is_held(file)
    assert not waiting.done()
    second.communicate()
    async with asyncio.timeout(30):
        await waiting


async def test_start_does_not_wait_for_ever_for_a_frozen_process(tmp_path: Path) -> None:
    file = tmp_path / "calls"
    frozen = start(file)
    await former_calls_ended(file, within_s=0.1)
    assert is_held(file)
    frozen.communicate()
