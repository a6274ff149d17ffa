"""A process is killed while nobody reads its output."""

import asyncio
import sys

import pytest

from cato_runtime.process.child_process import kill

LIMIT = 1024
ENDLESS = "while True: print('x' * 1000)"


@pytest.mark.timeout(30)
async def test_a_process_whose_output_is_paused_is_killed():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ENDLESS, stdout=asyncio.subprocess.PIPE, limit=LIMIT
    )
    assert process.stdout is not None
    await process.stdout.readexactly(1)
    while not process.stdout._paused:
        await asyncio.sleep(0)
    assert await kill(process) == -9


@pytest.mark.timeout(30)
async def test_a_process_that_has_ended_is_not_killed():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "print('x')", stdout=asyncio.subprocess.PIPE
    )
    await process.wait()
    assert await kill(process) == 0
