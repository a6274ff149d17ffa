"""Session timers (RFC 4028). The library takes no interval for less than 90 s, so nothing here lasts one."""

import asyncio
from pathlib import Path

import pytest

from cato_dialer.dial.domain.call.line_events import LineAnswered, LinePlaybackFinished, ReleaseCause
from cato_dialer.dial.ports.trunk import Line
from cato_runtime.configuration.station_config import SessionTimers
from services.dialer.tests.integration.trunk.conftest import Bench
from services.dialer.tests.integration.trunk.test_trunk_workers import invite_of
from services.dialer.tests.support.stations import make_station
from services.dialer.tests.support.trunk.trunk_kit import Caller, every_code, follow, follow_until, write_wav

pytestmark = pytest.mark.timeout(60)


def headers(invite: str, name: str) -> list[str]:
    lines = [line.partition(":") for line in invite.partition("\r\n\r\n")[0].split("\r\n")]
    return [value.strip() for found, _, value in lines if found.lower() == name.lower()]


@pytest.mark.parametrize("timers", SessionTimers)
async def test_an_invite_has_the_headers_of_the_configured_session_timers(
    bench: Bench, timers: SessionTimers
):
    trunk = await bench.trunk()

    async def order(uri: str) -> Line:
        station = make_station(uri=uri, session_timers=timers, session_expires_s=600)
        return Caller(trunk, station, bench.prompt).call("1")

    invite = await invite_of(order)
    supported = ", ".join(headers(invite, "Supported"))
    assert ("timer" in supported) is (timers is not SessionTimers.OFF)
    assert ("timer" in ", ".join(headers(invite, "Require"))) is (timers is SessionTimers.REQUIRED)
    expected = [] if timers is SessionTimers.OFF else ["600"]
    assert headers(invite, "Session-Expires") == expected
    assert headers(invite, "Min-SE") == (["90"] if expected else [])


async def test_a_station_may_ask_for_longer_sessions(bench: Bench):
    exchange = await bench.exchange("number: '1', behaviour: answer, min_se: 400, session_expires: 400")
    caller = await bench.caller(exchange, session_expires_s=200)
    heard = await follow_until(caller.call("1"), LinePlaybackFinished)
    assert (heard.end.cause, heard.end.heard_ms) == (ReleaseCause.LOCAL_HANGUP, 1_000)
    (record,) = await exchange.wait_calls(1, 5)
    assert record.contains_prompt(bench.audio)
    assert exchange.requests["INVITE"] == 2


async def test_refreshes_by_the_far_end_cost_not_a_byte_of_the_prompt(bench: Bench, tmp_path: Path):
    often = "behaviour: answer, session_expires: 90, refresher: exchange, refresh_after_s: 0.3"
    exchange = await bench.exchange(
        f"number: '1', {often}, refresh_by: INVITE", f"number: '2', {often}, refresh_by: UPDATE"
    )
    caller = await bench.caller(exchange)
    audio = every_code(75)
    caller.prompt = write_wav(tmp_path / "longer.wav", audio)
    heard = await asyncio.gather(*(follow_until(caller.call(n), LinePlaybackFinished) for n in "12"))
    assert [one.end.heard_ms for one in heard] == [1_500] * 2
    for record in await exchange.wait_calls(2, 5):
        assert record.session_refreshes >= 2
        assert record.contains_prompt(audio)
        assert record.ended_by == "caller"


async def test_a_station_without_timers_refuses_a_call_that_requires_them(bench: Bench):
    exchange = await bench.exchange("number: '1', behaviour: answer, no_timers: true")
    caller = await bench.caller(exchange, session_timers=SessionTimers.REQUIRED)
    end = (await follow(caller.call("1"))).end
    assert (end.cause, end.sip_code) == (ReleaseCause.REJECTED, 420)


async def test_a_station_without_timers_is_called_where_they_are_optional(bench: Bench):
    exchange = await bench.exchange("number: '1', behaviour: answer, no_timers: true")
    for timers in (SessionTimers.OPTIONAL, SessionTimers.OFF):
        caller = await bench.caller(exchange, session_timers=timers)
        heard = await follow_until(caller.call("1"), LineAnswered)
        assert heard.end.cause is ReleaseCause.LOCAL_HANGUP
