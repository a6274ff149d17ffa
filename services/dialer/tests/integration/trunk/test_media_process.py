"""The media process of the dense engine: the effects of its death and of the dialer's death."""

import asyncio
import os
import signal
from datetime import UTC, datetime, timedelta

import pytest

from cato_dialer.dial.domain.call.line_events import LinePlaybackFinished, LinePlaybackStarted, ReleaseCause
from services.dialer.tests.integration.trunk.conftest import Bench
from services.dialer.tests.support.stations import make_station
from services.dialer.tests.support.trunk.trunk_kit import Caller, follow, follow_until

pytestmark = [pytest.mark.timeout(60), pytest.mark.engines("dense")]

CALLS = 3


async def test_a_killed_media_process_costs_its_calls_and_is_replaced(bench: Bench):
    exchange = await bench.exchange("match: '1.', behaviour: answer")
    caller = await bench.caller(exchange, channels=CALLS)
    trunk = caller.trunk
    (pid,) = trunk.worker_pids
    lines = [caller.call(f"1{n}") for n in range(CALLS)]
    playing = 0

    async def kill_when_all_play(event: object) -> None:
        nonlocal playing
        playing += isinstance(event, LinePlaybackStarted)
        if isinstance(event, LinePlaybackStarted) and playing == CALLS:
            os.kill(pid, signal.SIGKILL)

    heard = await asyncio.gather(*(follow(line, kill_when_all_play) for line in lines))
    assert {one.end.cause for one in heard} == {ReleaseCause.FAULT}
    # The people hear nothing any more: their calls are ended, not left open.
    records = await exchange.wait_calls(CALLS, 5)
    assert {record.ended_by for record in records} == {"caller"}
    async with asyncio.timeout(10):
        await trunk.line_free()
    assert trunk.worker_pids != (pid,)
    again = await follow_until(caller.call("10"), LinePlaybackFinished)
    assert (again.end.cause, again.end.heard_ms) == (ReleaseCause.LOCAL_HANGUP, 1_000)


async def test_an_order_without_a_media_process_is_not_sent(bench: Bench):
    exchange = await bench.exchange("number: '1', behaviour: answer")
    caller = await bench.caller(exchange)
    (pid,) = caller.trunk.worker_pids
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(10):
        while caller.trunk.worker_pids == (pid,):
            await asyncio.sleep(0.01)
    heard = await follow(caller.call("1"))
    assert (heard.kinds, heard.end.cause) == (["Released"], ReleaseCause.NOT_SENT)
    assert exchange.calls == []


async def test_case_t1_an_order_that_waits_for_its_time_is_not_sent_when_the_process_dies(bench: Bench):
    exchange = await bench.exchange("number: '1', behaviour: answer")
    caller = await bench.caller(exchange)
    line = caller.call("1", not_before=datetime.now(UTC) + timedelta(seconds=60))
    os.kill(caller.trunk.worker_pids[0], signal.SIGKILL)
    heard = await follow(line)
    assert (heard.kinds, heard.end.cause) == (["Released"], ReleaseCause.NOT_SENT)
    assert exchange.calls == []


async def test_a_media_process_that_hangs_is_replaced(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cato_dialer.dial.adapters.dense.media_process._SILENT_S", 1.5)
    trunk = await bench.trunk()
    (pid,) = trunk.worker_pids
    os.kill(pid, signal.SIGSTOP)
    async with asyncio.timeout(10):
        while pid in trunk.worker_pids or not trunk.worker_pids:
            await asyncio.sleep(0.02)
        await trunk.line_free()


async def test_the_death_of_one_media_process_leaves_the_calls_of_the_other(bench: Bench):
    exchange = await bench.exchange("match: '1.', behaviour: answer")
    trunk = await bench.trunk(channels=4, media_processes=2)
    caller = Caller(trunk, make_station(uri=exchange.uri), bench.prompt)
    victim, survivor = trunk.worker_pids
    lines = [caller.call(f"1{n}") for n in range(4)]
    playing = 0

    async def kill_when_all_play(event: object) -> None:
        nonlocal playing
        playing += isinstance(event, LinePlaybackStarted)
        if isinstance(event, LinePlaybackStarted) and playing == len(lines):
            os.kill(victim, signal.SIGKILL)
        if isinstance(event, LinePlaybackFinished):
            await asyncio.gather(*(line.hang_up() for line in lines))

    heard = await asyncio.gather(*(follow(line, kill_when_all_play) for line in lines))
    causes = sorted(one.end.cause.value for one in heard)
    assert causes == sorted(2 * [ReleaseCause.FAULT.value] + 2 * [ReleaseCause.LOCAL_HANGUP.value])
    assert survivor in trunk.worker_pids
