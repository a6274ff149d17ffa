"""Messages as stations in the field send them, right or wrong. Each test is a case from there."""

import asyncio
import struct

import pytest

from cato_dialer.dial.domain.call.line_events import (
    DigitSource,
    LineDigit,
    LinePlaybackFinished,
    LinePlaybackStarted,
    LineProgress,
    LineRinging,
    ReleaseCause,
)
from services.dialer.tests.integration.trunk.conftest import Bench
from services.dialer.tests.support.stations import make_station
from services.dialer.tests.support.trunk.raw_station import RawCall, RawStation, raw_station
from services.dialer.tests.support.trunk.trunk_kit import Caller, Heard, follow, follow_until

pytestmark = pytest.mark.timeout(60)

PHRASES = {"windows-1251": "Абонент занят".encode("windows-1251"), "latin-1": b"Occup\xe9 \xff"}
SHOWN = {"windows-1251": "\ufffd" * 7 + " " + "\ufffd" * 5, "latin-1": "Occup\ufffd \ufffd"}


async def caller_of(bench: Bench, station: RawStation) -> Caller:
    return Caller(await bench.trunk(), make_station(uri=station.uri), bench.prompt)


async def answer(call: RawCall) -> None:
    call.respond(b"200 OK", sdp=call.audio())
    await call.until(lambda message: message.method == "ACK")


@pytest.mark.parametrize("charset", PHRASES)
async def test_case_t8_a_refusal_with_a_phrase_in_another_charset_is_that_refusal(bench: Bench, charset: str):
    async def busy(call: RawCall) -> None:
        call.respond(b"486 " + PHRASES[charset])

    async with raw_station(busy) as station:
        caller = await caller_of(bench, station)
        end = (await follow(caller.call("1"))).end
    assert (end.cause, end.sip_code, end.phrase) == (ReleaseCause.REJECTED, 486, SHOWN[charset])
    assert len(station.invites) == 1


async def test_the_reason_of_a_refusal_is_kept(bench: Bench):
    async def busy(call: RawCall) -> None:
        call.respond(
            b"486 Busy Here",
            extra=('Reason: Q.850;cause=17;text="User busy"', 'Warning: 399 pbx "trunk 7"'),
        )

    async with raw_station(busy) as station:
        end = (await follow((await caller_of(bench, station)).call("1"))).end
    assert end.reason_header == 'Q.850;cause=17;text="User busy", Warning: 399 pbx "trunk 7"'


async def test_the_reason_of_a_hang_up_is_kept(bench: Bench):
    async def hang_up(call: RawCall) -> None:
        await answer(call)
        await call.request("BYE", extra=('Reason: Q.850;cause=16;text="Normal call clearing"',))

    async with raw_station(hang_up) as station:
        end = (await follow((await caller_of(bench, station)).call("1"))).end
    assert (end.cause, end.reason_header) == (
        ReleaseCause.REMOTE_HANGUP,
        'Q.850;cause=16;text="Normal call clearing"',
    )


@pytest.mark.parametrize("charset", PHRASES)
async def test_case_t9_a_ringing_call_with_a_phrase_in_another_charset_rings_on(bench: Bench, charset: str):
    async def ring(call: RawCall) -> None:
        call.respond(b"180 " + PHRASES[charset])
        await asyncio.sleep(0.3)
        await answer(call)

    async with raw_station(ring) as station:
        caller = await caller_of(bench, station)
        heard = await follow_until(caller.call("1"), LinePlaybackStarted)
    (ringing,) = heard.all(LineRinging)
    assert (ringing.sip_code, ringing.phrase) == (180, SHOWN[charset])
    assert heard.kinds[-3:] == ["Answered", "PlaybackStarted", "Released"]


USELESS = {
    "no common codec": "m=audio 40000 RTP/AVP 0 18",
    "no media": "m=audio 0 RTP/AVP 8",
    "no line of media": "",
    "unreadable": "m=audio forty RTP",
}


@pytest.mark.parametrize("media", USELESS)
async def test_case_t5_unusable_early_media_leaves_the_call_ringing(bench: Bench, media: str):
    async def progress(call: RawCall) -> None:
        call.respond(b"183 Session Progress", sdp=call.audio(USELESS[media]))

    async with raw_station(progress) as station:
        caller = await caller_of(bench, station)
        line = caller.call("1")

        async def give_up_after_a_while(event: object) -> None:
            if isinstance(event, LineProgress):
                await asyncio.sleep(1)
                assert [message.method for message in station.calls[0].received] == ["INVITE"]
                await line.hang_up()

        heard = await follow(line, give_up_after_a_while)
    assert heard.end.cause is ReleaseCause.LOCAL_HANGUP


@pytest.mark.parametrize("media", USELESS)
async def test_case_t4_a_good_answer_counts_after_unusable_early_media(bench: Bench, media: str):
    async def progress_and_answer(call: RawCall) -> None:
        call.respond(b"183 Session Progress", sdp=call.audio(USELESS[media]))
        await asyncio.sleep(0.3)
        await answer(call)

    async with raw_station(progress_and_answer) as station:
        caller = await caller_of(bench, station)
        heard = await follow_until(caller.call("1"), LinePlaybackStarted)
    assert heard.kinds[-3:] == ["Answered", "PlaybackStarted", "Released"]
    assert heard.end.cause is ReleaseCause.LOCAL_HANGUP


ANSWERS = {
    "no description": ("", ReleaseCause.NO_MEDIA),
    "audio at port 0": ("m=audio 0 RTP/AVP 8", ReleaseCause.NO_MEDIA),
    "no audio": ("m=video 40000 RTP/AVP 34", ReleaseCause.NO_MEDIA),
    "a codec that was not offered": ("m=audio 40000 RTP/AVP 18", ReleaseCause.NO_COMMON_CODEC),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_case_t15_an_answer_that_has_no_usable_audio_is_no_answer(bench: Bench, name: str):
    media, cause = ANSWERS[name]

    async def answer_badly(call: RawCall) -> None:
        call.respond(b"200 OK", sdp=call.audio(media) if media else "")
        for method in ("ACK", "BYE"):
            await call.until(lambda message, method=method: message.method == method)

    async with raw_station(answer_badly) as station:
        caller = await caller_of(bench, station)
        heard = await follow(caller.call("1"))
        for method in ("ACK", "BYE"):
            await station.calls[0].until(lambda message, method=method: message.method == method)
    assert "Answered" not in heard.kinds
    assert (heard.end.cause, heard.end.sip_code) == (cause, 200)


@pytest.mark.engines("pjsua2")
async def test_an_answer_that_cannot_be_acknowledged_ends_its_call_alone(bench: Bench):
    async def answer_with_a_number(call: RawCall) -> None:
        call.respond(b"200 OK", sdp=call.audio(), contact="<tel:+1>")

    async with raw_station(answer_with_a_number) as station:
        caller = await caller_of(bench, station)
        workers = caller.trunk.worker_pids
        heard = await follow(caller.call("1"), timeout=10)
        assert caller.trunk.worker_pids == workers
    assert (heard.kinds[-1], heard.end.cause) == ("Released", ReleaseCause.NO_RESPONSE)
    assert "Answered" not in heard.kinds


PAUSES = {
    "120": 120,
    " 120 ": 120,
    "18000;duration=3600": 18_000,
    "120 (I'm in a meeting)": 120,
}


@pytest.mark.parametrize("value", PAUSES)
async def test_case_t17_a_response_has_the_pause_that_it_asks_for(bench: Bench, value: str):
    await refused_with_a_pause(bench, value, PAUSES[value])


@pytest.mark.engines("dense")
@pytest.mark.parametrize("value", ["soon", "-1", ""])
async def test_case_t17_a_pause_of_nonsense_is_none(bench: Bench, value: str):
    """PJSIP discards the whole response."""
    await refused_with_a_pause(bench, value, None)


async def refused_with_a_pause(bench: Bench, value: str, pause_s: int | None) -> None:
    async def unavailable(call: RawCall) -> None:
        call.respond(b"503 Service Unavailable", extra=(f"Retry-After: {value}",))

    async with raw_station(unavailable) as station:
        caller = await caller_of(bench, station)
        end = (await follow(caller.call("1"))).end
    assert (end.cause, end.sip_code, end.retry_after_s) == (ReleaseCause.REJECTED, 503, pause_s)


@pytest.mark.parametrize("ptime", [7, 100, 200, 1_000])
async def test_case_t20_audio_is_sent_whatever_packets_are_asked_for(bench: Bench, ptime: int):
    async def answer_with(call: RawCall) -> None:
        call.respond(b"200 OK", sdp=call.audio(f"m=audio 40000 RTP/AVP 8\r\na=ptime:{ptime}"))
        await call.until(lambda message: message.method == "ACK")

    async with raw_station(answer_with) as station:
        caller = await caller_of(bench, station)
        heard = await follow_until(caller.call("1"), LinePlaybackFinished, timeout=8)
    assert heard.all(LinePlaybackFinished)


async def test_case_t16_keys_that_come_as_101_are_taken(bench: Bench):
    loop = asyncio.get_running_loop()
    rtp, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
    port = rtp.get_extra_info("sockname")[1]

    async def press_five(call: RawCall) -> None:
        events = "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15"
        call.respond(b"200 OK", sdp=call.audio(f"m=audio {port} RTP/AVP 8 101\r\n{events}"))
        await call.until(lambda message: message.method == "ACK")
        to = int(call.invite.body.partition("m=audio ")[2].split(" ")[0])
        for number in range(6):
            ended, marker = number >= 3, 0x80 if number == 0 else 0
            event = struct.pack("!BBH", 5, 0x8A if ended else 0x0A, min(number + 1, 4) * 160)
            head = struct.pack("!BBHII", 0x80, marker | 101, 100 + number, 16_000, 0xCA70)
            rtp.sendto(head + event, ("127.0.0.1", to))
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        await call.request("BYE")

    async with raw_station(press_five) as station:
        caller = await caller_of(bench, station)
        heard = await follow(caller.call("1"))
    rtp.close()
    assert [event.digit for event in heard.all(LineDigit)] == ["5"]


RELAY, PLAIN = "application/dtmf-relay", "application/dtmf"
KEYS = {
    "relay, line end missing": (RELAY, "Signal=1", "1"),
    "relay, number 11": (RELAY, "Signal=11\r\nDuration=160\r\n", "#"),
    "relay, number 10": (RELAY, "Signal=10\r\nDuration=160\r\n", "*"),
    "relay, number 10 alone": (RELAY, "Signal=10", "*"),
    "relay, number 16": (RELAY, "Signal=16\r\n", ""),
    "relay, blank": (RELAY, "Signal= 1\r\nDuration= 160\r\n", "1"),
    "relay, line feeds": (RELAY, "Signal=1\nDuration=160\n", "1"),
    "relay, small letters": (RELAY, "signal=d\r\nduration=160\r\n", "D"),
    "relay, duration first": (RELAY, "Duration=160\r\nSignal=5\r\n", "5"),
    "relay, nothing": (RELAY, "Signal=\r\nDuration=160\r\n", ""),
    "relay, more than a key": (RELAY, "Signal=123\r\n", ""),
    "relay, number 12": (RELAY, "Signal=12\r\n", "A"),
    "relay, empty": (RELAY, "", ""),
    "plain": (PLAIN, "7", "7"),
    "plain, number 11": (PLAIN, "11", "#"),
    "plain, named": (PLAIN, "Signal=10\r\n", "*"),
    "plain, word": (PLAIN, "hello", ""),
}


@pytest.mark.parametrize("name", KEYS)
async def test_case_t6_t7_an_info_is_the_key_it_says(bench: Bench, name: str):
    content_type, body, key = KEYS[name]
    codes: list[int] = []

    async def send_key(call: RawCall) -> None:
        await answer(call)
        codes.append(await call.info(content_type, body))
        await call.request("BYE")

    async with raw_station(send_key) as station:
        caller = await caller_of(bench, station)
        heard: Heard = await follow(caller.call("1"))
    assert [(event.digit, event.source) for event in heard.all(LineDigit)] == [
        (digit, DigitSource.SIP_INFO) for digit in key
    ]
    assert codes == [200]
    assert heard.end.cause is ReleaseCause.REMOTE_HANGUP
