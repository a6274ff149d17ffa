"""Answered calls, message by message, from a caller on a raw socket."""

import asyncio
import json
from itertools import pairwise
from pathlib import Path

import pytest

from cato_exchange import (
    Answer,
    CallRecord,
    Digits,
    EarlyMedia,
    Rule,
)
from cato_exchange.media.sdp import read
from exchange.tests.raw_caller import Scene

ANSWERS = Rule(number="1", does=Answer())


async def test_record_of_an_answered_call_has_times_parties_and_audio(scene: Scene):
    exchange, caller = await scene.call(Rule(number="1", label="listener", does=Answer(ring_s=0.05)))
    answer = await caller.talk_to("1", "P-Asserted-Identity: <sip:776401@127.0.0.1>\r\n")
    prompt = bytes(range(160)) * 3

    for n in (0, 1, 2):
        caller.send_rtp(answer, prompt[n * 160 :][:160], n)
    caller.bye()
    await caller.response(200)
    [record] = await exchange.wait_calls(1, timeout=10)

    assert record.alaw == prompt
    assert record.contains_prompt(prompt)
    assert not record.contains_prompt(prompt + b"x")
    assert (record.number, record.from_number, record.to_number) == ("1", "776400", "1")
    assert (record.caller_name, record.asserted_identity) == ("Town Hall", "776401")
    assert (record.final_code, record.ended_by, record.bye_answered) == (200, "caller", True)
    assert (record.rtp.packets, record.rtp.lost, record.codec, record.label) == (3, 0, "PCMA", "listener")
    times = [record.invite_ms, record.ringing_ms, record.answer_ms, record.ack_ms, record.end_ms]
    assert times == sorted(time for time in times if time is not None)
    assert record.answer_ms is not None
    assert record.answer_ms - record.invite_ms >= 49


async def test_record_is_written_as_json_and_audio_files(scene: Scene, tmp_path: Path):
    exchange = await scene.exchange(ANSWERS, record_dir=tmp_path)
    caller = await scene.caller(exchange)
    answer = await caller.talk_to("1")
    caller.send_rtp(answer, b"hello", 1)
    caller.bye()
    [record] = await exchange.wait_calls(1, timeout=10)
    await exchange.stop()

    content = json.loads((tmp_path / f"{record.name}.json").read_text())
    assert content["call_id"] == caller.call_id
    assert content["rtp"]["payload_types"] == {"8": 1}
    assert (tmp_path / content["audio_file"]).read_bytes() == b"hello" == record.alaw
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["peak_calls"], summary["calls_ended"], summary["calls_now"]) == (1, 1, 0)
    assert not list(tmp_path.glob(".*"))
    assert CallRecord.read(tmp_path / f"{record.name}.json") == record


async def test_early_media_is_sent_before_the_answer(scene: Scene):
    exchange, caller = await scene.call(Rule(number="1", does=EarlyMedia(answer_after_s=0.2)))
    caller.invite("1")
    await caller.response(100)
    progress = await caller.response(183)
    async with asyncio.timeout(10):
        packet = await caller.rtp_received.get()
    answer = await caller.response(200)

    assert len(packet) == 172
    assert packet[1] & 0x7F == 8
    assert answer.body == progress.body
    assert exchange.calls[0].early_media_ms is not None


async def test_exchange_hangs_up_after_the_planned_time(scene: Scene):
    exchange, caller = await scene.call(Rule(number="1", does=Answer(hang_up_after_s=0.05)))
    await caller.talk_to("1")
    bye = await caller.incoming("BYE")
    assert exchange.calls_now == 0
    caller.answer(bye)
    [record] = await exchange.wait_calls(1, timeout=10)

    assert (record.ended_by, record.bye_answered) == ("exchange", True)


async def test_immediate_bye_waits_for_the_ack(scene: Scene):
    _, caller = await scene.call(Rule(number="1", does=Answer(immediate_bye=True)))
    caller.invite("1")
    await caller.response(100)
    await caller.response(180)
    answer = await caller.response(200)
    assert (await caller.response(200)).headers["CSeq"] == answer.headers["CSeq"]

    caller.ack(answer)
    caller.answer(await caller.incoming("BYE"))


async def test_never_bye_leaves_the_callers_bye_unanswered(scene: Scene):
    exchange, caller = await scene.call(Rule(number="1", does=Answer(never_bye=True)))
    await caller.talk_to("1")
    caller.bye()
    [record] = await exchange.wait_calls(1, timeout=10)

    assert (record.ended_by, record.bye_answered) == ("caller", False)
    assert caller.quiet


async def test_rfc4733_digits_are_telephone_events(scene: Scene):
    exchange, caller = await scene.call(
        Rule(number="1", does=Answer(digits=(Digits(after_s=0, digits="1#"),)))
    )
    await caller.talk_to("1")

    packets: list[bytes] = []
    async with asyncio.timeout(10):
        while sum(bool(packet[13] & 0x80) for packet in packets) < 6:
            packets.append(await caller.rtp_received.get())

    assert {packet[1] & 0x7F for packet in packets} == {101}
    assert [packet[12] for packet in packets] == [1] * 7 + [11] * 7
    assert [packet[1] >> 7 for packet in packets] == [1, 0, 0, 0, 0, 0, 0] * 2
    assert len({packet[4:8] for packet in packets}) == 2
    durations = [int.from_bytes(packet[14:16]) for packet in packets[:7]]
    assert durations == [160, 320, 480, 640, 800, 800, 800]
    assert [digit["digit"] for digit in exchange.calls[0].digits_sent] == ["1", "#"]


@pytest.mark.parametrize(
    ("by", "kind", "body"),
    [
        ("info", "application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n"),
        ("dtmf-relay", "application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n"),
        ("dtmf", "application/dtmf", b"5"),
    ],
)
async def test_info_digits_have_the_planned_content_type(by: str, kind: str, body: bytes, scene: Scene):
    digits = Digits.model_validate({"after_s": 0, "digits": "5", "by": by})
    _, caller = await scene.call(Rule(number="1", does=Answer(digits=(digits,))))
    await caller.talk_to("1")

    info = await caller.incoming("INFO")
    caller.answer(info)

    assert (info.headers["Content-Type"], info.body) == (kind, body)


async def test_talk_sends_consecutive_audio_packets(scene: Scene):
    _, caller = await scene.call(Rule(number="1", does=Answer(talk=True)))
    await caller.talk_to("1")

    async with asyncio.timeout(10):
        packets = [await caller.rtp_received.get() for _ in range(5)]

    numbers = [int.from_bytes(packet[2:4]) for packet in packets]
    assert [number - numbers[0] for number in numbers] == [0, 1, 2, 3, 4]


async def test_exchange_holds_and_resumes_the_call(scene: Scene):
    does = Answer(reinvite_after_s=0.05, resume_after_s=0.05, hold="inactive")
    exchange, caller = await scene.call(Rule(number="1", does=does))
    await caller.talk_to("1")

    for direction in ("inactive", "sendrecv"):
        offer = await caller.incoming("INVITE")
        assert read(offer.body).direction == direction
        caller.answer(offer, body=caller.offer(direction))
        assert (await caller.incoming("ACK")).cseq.sequence == offer.cseq.sequence

    assert exchange.calls[0].held == 1


async def test_caller_holds_the_call(scene: Scene):
    exchange, caller = await scene.call(ANSWERS)
    await caller.talk_to("1")

    caller.send(caller.request("INVITE", body=caller.offer("sendonly")))
    answer = await caller.response(200)
    caller.ack(answer)

    assert read(answer.body).direction == "recvonly"
    assert exchange.calls[0].session_refreshes == 1


async def test_exchange_refreshes_the_session_of_a_caller_without_timers(scene: Scene):
    exchange, caller = await scene.call(Rule(number="1", does=Answer(session_expires=1)))
    answer = await caller.talk_to("1")
    assert answer.headers["Session-Expires"] == "1;refresher=uas"

    offer = await caller.incoming("INVITE")
    caller.answer(offer, body=caller.offer())
    await caller.incoming("ACK")

    assert exchange.calls[0].session_refreshes == 1


async def test_session_that_the_caller_does_not_refresh_ends_in_bye(scene: Scene):
    _, caller = await scene.call(Rule(number="1", does=Answer(session_expires=1)))
    answer = await caller.talk_to("1", "Supported: timer\r\n")
    assert answer.headers["Session-Expires"] == "1;refresher=uac"

    caller.send(caller.request("UPDATE"))
    await caller.response(200)
    caller.answer(await caller.incoming("BYE"))


async def test_invite_without_sdp_gets_an_offer_in_the_200(scene: Scene):
    exchange, caller = await scene.call(ANSWERS)
    caller.invite("1", body="")
    await caller.response(100)
    await caller.response(180)
    answer = await caller.response(200)
    caller.ack(answer, body=caller.offer())
    caller.send_rtp(answer, b"hello", 1)
    caller.bye()
    [record] = await exchange.wait_calls(1, timeout=10)

    assert (record.alaw, record.codec) == (b"hello", "PCMA")


async def test_summary_counts_concurrent_calls_and_intervals(scene: Scene):
    exchange = await scene.exchange(ANSWERS)
    callers = [await scene.caller(exchange) for _ in range(3)]
    for caller in callers:
        await caller.talk_to("1")
    for caller in callers:
        caller.bye()
    await exchange.wait_calls(3, timeout=10)

    times = exchange.summary.invite_times_ms
    assert exchange.peak_calls == 3
    assert exchange.calls_now == 0
    assert exchange.summary.min_invite_interval_ms == pytest.approx(
        min(after - before for before, after in pairwise(times)), abs=0.001
    )
