"""The far end of a call is gone when it has answered our BYE, or its process's last requests were sent."""

import asyncio
import os
import signal

import pytest

from cato_dialer.dial.domain.call.line_events import LineEvent, LinePlaybackStarted, ReleaseCause
from services.dialer.tests.integration.trunk.conftest import Bench
from services.dialer.tests.integration.trunk.raw.test_raw_messages import answer, caller_of
from services.dialer.tests.support.trunk.raw_station import RawCall, Received, raw_station
from services.dialer.tests.support.trunk.trunk_kit import follow, follow_until

pytestmark = pytest.mark.timeout(60)


def byes(call: RawCall) -> list[Received]:
    return [message for message in call.received if message.method == "BYE"]


async def second_bye(call: RawCall) -> Received:
    """Return the BYE when it is repeated."""
    return await call.until(lambda message: message.method == "BYE" and message is not byes(call)[0])


async def test_far_end_is_gone_when_it_answers_a_bye_that_was_lost_at_first(bench: Bench):
    async with raw_station(answer, answers_bye=False) as station:
        line = (await caller_of(bench, station)).call("1")
        heard = await follow_until(line, LinePlaybackStarted)
        assert heard.end.cause is ReleaseCause.LOCAL_HANGUP
        gone = asyncio.create_task(line.gone())
        repeated = await second_bye(station.calls[0])
        assert not gone.done()
        station.calls[0].respond(b"200 OK", to=repeated)
        async with asyncio.timeout(30):
            await gone


async def test_far_end_that_hangs_up_is_gone_with_the_line(bench: Bench):
    async def talk(call: RawCall) -> None:
        await answer(call)
        await call.request("BYE")

    async with raw_station(talk) as station:
        line = (await caller_of(bench, station)).call("1")
        heard = await follow(line)
        assert heard.end.cause is ReleaseCause.REMOTE_HANGUP
        async with asyncio.timeout(30):
            await line.gone()


@pytest.mark.engines("pjsua2")
async def test_far_end_of_a_killed_worker_is_gone_when_it_answers_our_last_request(bench: Bench):
    async with raw_station(answer, answers_bye=False) as station:
        caller = await caller_of(bench, station)
        line = caller.call("1")

        async def kill(event: LineEvent) -> None:
            if isinstance(event, LinePlaybackStarted):
                (worker,) = caller.trunk.worker_pids
                os.kill(worker, signal.SIGKILL)

        heard = await follow(line, kill)
        assert heard.end.cause is ReleaseCause.FAULT
        gone = asyncio.create_task(line.gone())
        repeated = await second_bye(station.calls[0])
        assert not gone.done()
        station.calls[0].respond(b"200 OK", to=repeated)
        async with asyncio.timeout(30):
            await gone
