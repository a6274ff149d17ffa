"""Calls on PJSIP, as the exchange saw and heard them."""

import asyncio
from typing import Any

import pytest

from cato_dialer.dial.adapters.dense.sip.transactions.timing import Timing
from cato_dialer.dial.adapters.dense.trunk import DenseTrunk
from cato_dialer.dial.adapters.sip.resolver import Resolver
from cato_dialer.dial.domain.call.line_events import (
    DigitSource,
    LineAnswered,
    LineDigit,
    LinePlaybackFinished,
    LineRinging,
    LineTrying,
    ReleaseCause,
)
from cato_dialer.dial.ports.trunk import Line
from cato_runtime.configuration.config import DialingConfig
from cato_runtime.configuration.station_config import Codec, DigitWay, StationAuth
from services.dialer.tests.integration.trunk.conftest import Bench
from services.dialer.tests.support.stations import make_station
from services.dialer.tests.support.trunk.fake_lookups import FakeLookups
from services.dialer.tests.support.trunk.raw_station import RawCall, raw_station
from services.dialer.tests.support.trunk.trunk_kit import Caller, follow, follow_until

SILENCE = b"\xd5" * 160


def without_silence(audio: bytes) -> bytes:
    frames = (audio[at : at + 160] for at in range(0, len(audio), 160))
    return b"".join(frame for frame in frames if frame != SILENCE)


pytestmark = pytest.mark.timeout(90)


async def test_every_code_of_a_prompt_arrives_in_order(bench: Bench):
    exchange = await bench.exchange("number: '1', behaviour: answer, ring_s: 0.1")
    caller = await bench.caller(exchange)
    heard = await follow_until(caller.call("1"), LinePlaybackFinished)
    (record,) = await exchange.wait_calls(1, 5)
    assert record.contains_prompt(bench.audio)
    assert record.alaw.index(bench.audio) % 160 == 0
    assert heard.end.heard_ms == 1_000
    assert (record.ended_by, record.bye_answered) == ("caller", True)
    assert record.rtp.packets_per_second == pytest.approx(50, rel=0.02)


async def test_early_media_does_not_cost_a_byte_of_the_prompt(bench: Bench):
    exchange = await bench.exchange("number: '1', behaviour: early_media, answer_after_s: 0.5")
    caller = await bench.caller(exchange)
    heard = await follow_until(caller.call("1"), LinePlaybackFinished)
    (record,) = await exchange.wait_calls(1, 5)
    assert heard.kinds[:4] == ["Trying", "Progress", "Answered", "PlaybackStarted"]
    assert record.contains_prompt(bench.audio)


async def test_a_hold_interrupts_the_prompt_and_cuts_nothing(bench: Bench):
    exchange = await bench.exchange(
        "number: '1', behaviour: answer, reinvite_after_s: 0.3, resume_after_s: 0.4"
    )
    caller = await bench.caller(exchange)
    heard = await follow_until(caller.call("1"), LinePlaybackFinished)
    (record,) = await exchange.wait_calls(1, 5)
    assert record.held == 1
    # The new stream may send a frame of silence before the prompt is connected to it.
    assert without_silence(record.alaw) == bench.audio
    started, finished = heard.events[-3].at, heard.events[-2].at
    assert finished - started > 1_300


async def test_a_prompt_is_played_without_an_audio_tap(bench: Bench):
    exchange = await bench.exchange("number: '1', behaviour: answer, no_rtp: true")
    caller = await bench.caller(exchange)
    heard = await follow_until(caller.call("1"), LinePlaybackFinished)
    assert heard.end.heard_ms == 1_000


async def test_mu_law_is_spoken_where_the_station_asks_for_it(bench: Bench):
    exchange = await bench.exchange("number: '1', behaviour: answer")
    caller = await bench.caller(exchange, codecs=(Codec.PCMU,))
    heard = await follow_until(caller.call("1"), LinePlaybackFinished)
    (record,) = await exchange.wait_calls(1, 5)
    assert record.codec == "PCMU"
    assert heard.end.heard_ms == 1_000


async def test_the_callers_number_is_in_from_and_in_the_asserted_identity(bench: Bench):
    exchange = await bench.exchange("number: '1', behaviour: busy")
    caller = await bench.caller(exchange, caller_id="776400")
    await follow(caller.call("1"))
    (record,) = exchange.calls
    assert (record.from_number, record.asserted_identity) == ("776400", "776400")


async def test_digits_come_by_rtp_and_by_both_kinds_of_info(bench: Bench):
    exchange = await bench.exchange(
        "number: '1', behaviour: answer, digits: [{digits: '12*', by: rfc4733, after_s: 0.1},"
        "{digits: '3#', by: dtmf-relay, after_s: 0.8}, {digits: '45', by: dtmf, after_s: 1.3}]"
    )
    caller = await bench.caller(exchange)
    digits: list[tuple[str, DigitSource]] = []
    line = caller.call("1")
    async with asyncio.timeout(10):
        async for event in line.events():
            if isinstance(event, LineDigit):
                digits.append((event.digit, event.source))
                if len(digits) == 7:
                    await line.hang_up()
    assert "".join(digit for digit, _ in digits) == "12*3#45"
    assert [source for _, source in digits] == [DigitSource.RTP_EVENT] * 3 + [DigitSource.SIP_INFO] * 4
    (record,) = await exchange.wait_calls(1, 5)
    assert record.info_answers == [200] * 4


async def digits_of(line: Line, count: int) -> list[tuple[str, DigitSource]]:
    digits: list[tuple[str, DigitSource]] = []
    async with asyncio.timeout(10):
        async for event in line.events():
            if isinstance(event, LineDigit):
                digits.append((event.digit, event.source))
                if len(digits) == count:
                    await line.hang_up()
    return digits


@pytest.mark.engines("pjsua2")
async def test_tones_are_reported_before_the_release(bench: Bench):
    exchange = await bench.exchange(
        "number: '1', behaviour: answer, digits: [{digits: '1590*#', by: inband, after_s: 0.3}],"
        "hang_up_after_s: 1.6"
    )
    caller = await bench.caller(exchange, dtmf=(DigitWay.IN_BAND,))
    digits = await digits_of(caller.call("1"), 7)
    assert digits == [(digit, DigitSource.IN_BAND) for digit in "1590*#"]


@pytest.mark.engines("pjsua2")
async def test_the_next_call_hears_nothing_of_the_last_one(bench: Bench):
    exchange = await bench.exchange(
        "number: '1', behaviour: answer, digits: [{digits: '11', by: inband, after_s: 0.2}],"
        "hang_up_after_s: 0.55",
        "number: '2', behaviour: answer, digits: [{digits: '2', by: inband, after_s: 0.4}]",
        "number: '3', behaviour: answer, hang_up_after_s: 0.5",
    )
    caller = await bench.caller(exchange, dtmf=(DigitWay.IN_BAND,))
    for _ in range(3):
        one, two = await asyncio.gather(digits_of(caller.call("1"), 3), digits_of(caller.call("2"), 1))
        assert ([digit for digit, _ in one], [digit for digit, _ in two]) == (["1", "1"], ["2"])
        assert await digits_of(caller.call("3"), 1) == []


@pytest.mark.engines("pjsua2")
async def test_a_call_that_ends_amid_a_key_leaves_nothing_of_it_to_the_next(bench: Bench):
    """The library's writer buffers the last samples until more arrive."""
    ends = [0.52 + 0.005 * n for n in range(12)]
    exchange = await bench.exchange(
        *(
            f"number: '1{n}', behaviour: answer, digits: [{{digits: '5', by: inband, after_s: 0.5}}],"
            f"hang_up_after_s: {end:.3f}"
            for n, end in enumerate(ends)
        ),
        "number: '3', behaviour: answer, hang_up_after_s: 0.3",
    )
    caller = await bench.caller(exchange, dtmf=(DigitWay.IN_BAND,))
    for n in range(len(ends)):
        await digits_of(caller.call(f"1{n}"), 2)
        assert await digits_of(caller.call("3"), 1) == []


@pytest.mark.engines("pjsua2")
async def test_keys_that_come_in_another_way_are_ignored(bench: Bench):
    exchange = await bench.exchange(
        "number: '1', behaviour: answer, digits: [{digits: '1', by: rfc4733, after_s: 0.1},"
        "{digits: '2', by: dtmf, after_s: 0.5}, {digits: '3', by: inband, after_s: 0.7}]"
    )
    for way, key in zip(DigitWay, "123", strict=True):
        trunk = await bench.trunk(1)
        station = make_station(uri=exchange.uri, dtmf=(way,))
        line = Caller(trunk, station, bench.prompt).call("1")
        heard = await follow_until(line, LinePlaybackFinished)
        assert [event.digit for event in heard.all(LineDigit)] == [key]
    # A far end that is not offered events sends none.
    assert exchange.calls[1].digits_sent[0]["by"] == "dtmf"


@pytest.mark.parametrize("status", [401, 407])
async def test_a_challenge_is_answered_with_the_stations_credentials(bench: Bench, status: int):
    challenge = f"challenge: {{status: {status}, username: cato, password: secret}}"
    exchange = await bench.exchange(f"number: '1', behaviour: answer, {challenge}")
    caller = await bench.caller(exchange, auth=StationAuth(username="cato", password="secret"))
    heard = await follow_until(caller.call("1"), LineAnswered)
    assert heard.end.cause is ReleaseCause.LOCAL_HANGUP


async def test_wrong_credentials_are_a_refusal(bench: Bench):
    exchange = await bench.exchange(
        "number: '1', behaviour: answer, challenge: {username: cato, password: secret}"
    )
    caller = await bench.caller(exchange, auth=StationAuth(username="cato", password="wrong"))
    end = (await follow(caller.call("1"))).end
    assert (end.cause, end.sip_code) == (ReleaseCause.REJECTED, 401)


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("behaviour: not_found", 404),
        ("behaviour: reject, code: 503", 503),
        ("behaviour: reject, code: 408", 408),
        ("behaviour: redirect, contacts: ['sip:2@127.0.0.1:9']", 302),
    ],
)
async def test_a_final_response_is_taken_as_it_is(bench: Bench, rule: str, code: int):
    exchange = await bench.exchange(f"number: '1', {rule}")
    end = (await follow((await bench.caller(exchange)).call("1"))).end
    assert (end.cause, end.sip_code) == (ReleaseCause.REJECTED, code)
    assert len(exchange.calls) == 1


async def test_a_cancelled_call_ends_at_the_exchange_too(bench: Bench):
    exchange = await bench.exchange("number: '1', behaviour: no_answer")
    await follow_until((await bench.caller(exchange)).call("1"), LineRinging)
    (record,) = await exchange.wait_calls(1, 5)
    assert (record.final_code, record.ended_by) == (487, "caller")


async def test_an_answer_that_crosses_our_cancel_is_ended_at_once(bench: Bench):
    exchange = await bench.exchange("number: '1', behaviour: cancel_crossing")
    heard = await follow_until((await bench.caller(exchange)).call("1"), LineRinging)
    (record,) = await exchange.wait_calls(1, 5)
    assert heard.end.cause is ReleaseCause.LOCAL_HANGUP
    assert (record.final_code, record.ended_by, record.bye_answered) == (200, "caller", True)


async def test_a_call_hung_up_before_any_answer_is_cancelled_with_the_first_one(bench: Bench):
    exchange = await bench.exchange(
        "number: '1', behaviour: answer, ring_s: 5, no_trying: true, delay_s: 0.5"
    )
    line = (await bench.caller(exchange)).call("1")
    await exchange.wait_until(lambda: bool(exchange.calls), 5)
    await line.hang_up()
    assert (await follow(line, timeout=3)).end.cause is ReleaseCause.LOCAL_HANGUP
    (record,) = await exchange.wait_calls(1, 5)
    assert record.final_code == 487


async def test_a_refused_connection_is_no_response(bench: Bench):
    trunk = await bench.trunk()
    station = make_station(uri="sip:127.0.0.1:9;transport=tcp")
    end = (await follow(Caller(trunk, station, bench.prompt).call("1"))).end
    assert (end.cause, end.sip_code) == (ReleaseCause.NO_RESPONSE, None)


async def test_an_unknown_host_name_is_released_as_no_response(bench: Bench):
    station = make_station(uri="sip:station.invalid")
    end = (await follow(Caller(await bench.trunk(), station, bench.prompt).call("1"))).end
    assert end.cause is ReleaseCause.NO_RESPONSE


async def test_a_silent_station_differs_from_its_own_408_and_leaves_no_line_in_use(bench: Bench):
    """Timers B and F of RFC 3261: 32 s."""
    exchange = await bench.exchange(
        "number: '1', behaviour: no_reply", "number: '2', behaviour: answer, never_bye: true"
    )
    caller = await bench.caller(exchange, channels=3)
    unanswered = asyncio.create_task(follow(caller.call("1"), timeout=60))
    for _ in range(4):
        heard = await follow_until(caller.call("2"), LineAnswered, timeout=5)
        assert heard.end.cause is ReleaseCause.LOCAL_HANGUP
    end = (await unanswered).end
    assert (end.cause, end.sip_code) == (ReleaseCause.NO_RESPONSE, None)


async def test_a_name_is_called_at_its_address(bench: Bench):
    exchange = await bench.exchange("number: '1', behaviour: busy")
    caller = await bench.caller(exchange, uri=f"sip:localhost:{exchange.port}")
    heard = await follow(caller.call("1"))
    assert heard.all(LineTrying)
    assert heard.end.sip_code == 486


async def trunk_of_two(bench: Bench, first: int, second: int, **options: Any) -> DenseTrunk:
    """Return a trunk for which `sip:pbx.example` has these two ports."""
    lookups = FakeLookups(
        [("a.example", first), ("b.example", second)],
        {"a.example": ["127.0.0.1"], "b.example": ["127.0.0.1"]},
    )
    resolver = Resolver("127.0.0.1", lookups=lookups)
    trunk = DenseTrunk(DialingConfig(bind_address="127.0.0.1"), 1, resolver=resolver, **options)
    await trunk.open()
    bench.stack.push_async_callback(trunk.close)
    return trunk


@pytest.mark.engines("dense")
@pytest.mark.parametrize(("refusal", "second", "code"), [(503, 486, 486), (486, 404, 486), (503, 503, 503)])
async def test_t19_a_call_that_is_refused_with_503_goes_to_the_next_address(
    bench: Bench, refusal: int, second: int, code: int
):
    first = await bench.exchange(f"number: '1', behaviour: reject, code: {refusal}")
    other = await bench.exchange(f"number: '1', behaviour: reject, code: {second}")
    trunk = await trunk_of_two(bench, first.port, other.port)
    heard = await follow(Caller(trunk, make_station(uri="sip:pbx.example"), bench.prompt).call("1"))
    assert (heard.kinds, heard.end.sip_code) == (["Trying", "Released"], code)
    assert len(other.calls) == (refusal == 503)
    assert trunk.usage.lines == 0


@pytest.mark.engines("dense")
async def test_t19_a_call_without_any_response_goes_to_the_next_address(bench: Bench):
    async def ignore(call: RawCall) -> None:
        """Answer OPTIONS, but not the INVITE."""

    other = await bench.exchange("number: '1', behaviour: busy")
    async with raw_station(ignore) as silent:
        trunk = await trunk_of_two(bench, silent.address[1], other.port, timing=Timing(t1_s=0.02))
        heard = await follow(Caller(trunk, make_station(uri="sip:pbx.example"), bench.prompt).call("1"))
    assert (heard.kinds, heard.end.sip_code) == (["Trying", "Released"], 486)
    assert len(silent.invites) == len(other.calls) == 1
