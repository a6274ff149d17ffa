"""Whole calls, message by message, from a caller on a raw socket."""

import asyncio
import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sipmessage import Response

from cato_exchange import (
    Answer,
    Busy,
    CallRecord,
    CancelCrossing,
    Challenge,
    Digits,
    EarlyMedia,
    NoAnswer,
    NoReply,
    Redirect,
    Reject,
    Rule,
)
from cato_exchange.media.sdp import read
from cato_exchange.sip.digest import response_for

if TYPE_CHECKING:
    from exchange.tests.conftest import RawCaller, Scene

ANSWERS = Rule(number="1", does=Answer())


def code_of(message: object) -> int:
    assert isinstance(message, Response)
    return message.code


async def refused(caller: "RawCaller", number: str, headers: str = "") -> Response:
    """The final answer, acknowledged."""
    caller.invite(number, headers)
    while True:
        message = await caller.receive()
        if code_of(message) >= 200:
            assert isinstance(message, Response)
            caller.ack(message)
            return message


async def test_an_answered_call_records_what_was_heard(scene: "Scene"):
    exchange, caller = await scene.call(Rule(number="1", label="listener", does=Answer(ring_s=0.05)))
    answer = await caller.talk_to("1", "P-Asserted-Identity: <sip:776401@127.0.0.1>\r\n")
    prompt = bytes(range(160)) * 3

    for n in (0, 1, 2):
        caller.send_rtp(answer, prompt[n * 160 :][:160], n)
    caller.bye()
    await caller.response(200)
    [record] = await exchange.wait_calls(1, timeout=2)

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


async def test_records_are_files_of_json_and_audio(scene: "Scene", tmp_path: Path):
    exchange = await scene.exchange(ANSWERS, record_dir=tmp_path)
    caller = await scene.caller(exchange)
    answer = await caller.talk_to("1")
    caller.send_rtp(answer, b"hello", 1)
    caller.bye()
    [record] = await exchange.wait_calls(1, timeout=2)
    await exchange.stop()

    content = json.loads((tmp_path / f"{record.name}.json").read_text())
    assert content["call_id"] == caller.call_id
    assert content["rtp"]["payload_types"] == {"8": 1}
    assert (tmp_path / content["audio_file"]).read_bytes() == b"hello" == record.alaw
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["peak_calls"], summary["calls_ended"], summary["calls_now"]) == (1, 1, 0)
    assert not list(tmp_path.glob(".*"))
    assert CallRecord.read(tmp_path / f"{record.name}.json") == record


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (Rule(number="1", does=Busy()), 486),
        (Rule(number="1", does=Busy(ring_s=0.05)), 486),
        (Rule(number="1", does=Reject(code=503, retry_after_s=7)), 503),
        (Rule(number="1", does=Redirect(contacts=("sip:2@host",))), 302),
        (Rule(number="2", does=Answer()), 404),
    ],
)
async def test_refusals(rule: Rule, code: int, scene: "Scene"):
    exchange, caller = await scene.call(rule)

    response = await refused(caller, "1")
    [record] = await exchange.wait_calls(1, timeout=2)

    assert response.code == record.final_code == code
    assert (record.ringing_ms is not None) == (rule.does.ring_s > 0)
    assert (record.ended_by, record.answer_ms) == ("exchange", None)
    expected = {503: ("Retry-After", "7"), 302: ("Contact", "<sip:2@host>")}.get(code)
    assert expected is None or response.headers.get(expected[0]) == expected[1]


async def test_it_rings_until_the_caller_gives_up(scene: "Scene"):
    exchange, caller = await scene.call(Rule(number="1", does=NoAnswer()))
    caller.invite("1")
    await caller.response(100)
    await caller.response(180)

    caller.cancel()
    assert (await caller.response(200)).cseq.method == "CANCEL"
    caller.ack(await caller.response(487))
    [record] = await exchange.wait_calls(1, timeout=2)

    assert (record.final_code, record.ended_by) == (487, "caller")


async def test_an_answer_can_cross_the_cancel(scene: "Scene"):
    exchange, caller = await scene.call(Rule(number="1", does=CancelCrossing()))
    caller.invite("1")
    await caller.response(100)
    await caller.response(180)

    caller.cancel()
    answer = await caller.response(200)
    assert answer.cseq.method == "INVITE"
    assert (await caller.response(200)).cseq.method == "CANCEL"
    caller.ack(answer)
    caller.bye()
    await caller.response(200)
    [record] = await exchange.wait_calls(1, timeout=2)

    assert (record.final_code, record.ended_by) == (200, "caller")
    assert record.cancel_ms is not None


async def test_the_second_attempt_is_answered(scene: "Scene"):
    exchange, caller = await scene.call(Rule(number="1", answer_on_attempt=2, does=Answer()))
    assert (await refused(caller, "1")).code == 486

    second = await scene.caller(exchange)
    await second.talk_to("1")

    assert [record.attempt for record in exchange.calls] == [1, 2]


async def test_silence_is_silence(scene: "Scene"):
    exchange, caller = await scene.call(
        Rule(number="1", does=NoReply()), Rule(number="2", no_trying=True, does=NoAnswer())
    )
    invite = caller.invite("1")
    caller.send(invite)
    other = await scene.caller(exchange)
    other.invite("2")
    await other.response(180)

    assert caller.quiet
    assert len(exchange.calls) == 2
    assert exchange.calls_now == 1


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize("status", [401, 407])
async def test_a_challenge_is_met_with_credentials(algorithm: str, status: int, scene: "Scene"):
    challenge = Challenge.model_validate(
        {"status": status, "algorithm": algorithm, "username": "cato", "password": "secret"}
    )
    exchange, caller = await scene.call(Rule(number="1", challenge=challenge, does=Answer()))
    demand = await refused(caller, "1")
    assert demand.code == status
    caller._to = ""

    await caller.talk_to("1", proof(demand, challenge, caller))

    assert len(exchange.calls) == 1
    assert exchange.calls[0].final_code == 200


def proof(demand: Response, challenge: Challenge, caller: "RawCaller", method: str = "INVITE") -> str:
    name = "WWW-Authenticate" if challenge.status == 401 else "Proxy-Authenticate"
    nonce = demand.headers[name].split('nonce="')[1].split('"')[0]
    uri = f"sip:1@127.0.0.1:{caller.exchange.port}"
    response = response_for(
        challenge, method=method, uri=uri, nonce=nonce, qop="auth", nc="00000001", cnonce="c"
    )
    header = "Authorization" if challenge.status == 401 else "Proxy-Authorization"
    return (
        f'{header}: Digest username="{challenge.username}", realm="{challenge.realm}", nonce="{nonce}", '
        f'uri="{uri}", response="{response}", algorithm={challenge.algorithm}, qop=auth, nc=00000001, '
        'cnonce="c"\r\n'
    )


async def test_a_wrong_password_ends_the_call(scene: "Scene"):
    challenge = Challenge(username="cato", password="secret")
    exchange, caller = await scene.call(Rule(number="1", challenge=challenge, does=Answer()))
    demand = await refused(caller, "1")
    caller._to = ""

    wrong = challenge.model_copy(update={"password": "guess"})
    assert (await refused(caller, "1", proof(demand, wrong, caller))).code == 401
    [record] = await exchange.wait_calls(1, timeout=2)

    assert (record.final_code, record.ended_by) == (401, "exchange")


async def test_early_media_is_heard_before_the_answer(scene: "Scene"):
    exchange, caller = await scene.call(Rule(number="1", does=EarlyMedia(answer_after_s=0.2)))
    caller.invite("1")
    await caller.response(100)
    progress = await caller.response(183)
    async with asyncio.timeout(2):
        packet = await caller.rtp_received.get()
    answer = await caller.response(200)

    assert len(packet) == 172
    assert packet[1] & 0x7F == 8
    assert answer.body == progress.body
    assert exchange.calls[0].early_media_ms is not None


async def test_early_media_can_end_in_a_refusal(scene: "Scene"):
    _, caller = await scene.call(Rule(number="1", does=EarlyMedia(reject_after_s=0.05, code=404)))

    assert (await refused(caller, "1")).code == 404


async def test_the_exchange_hangs_up(scene: "Scene"):
    exchange, caller = await scene.call(Rule(number="1", does=Answer(hang_up_after_s=0.05)))
    await caller.talk_to("1")
    bye = await caller.incoming("BYE")
    assert exchange.calls_now == 0
    caller.answer(bye)
    [record] = await exchange.wait_calls(1, timeout=2)

    assert (record.ended_by, record.bye_answered) == ("exchange", True)


async def test_bye_follows_the_answer_at_once_but_not_before_its_ack(scene: "Scene"):
    _, caller = await scene.call(Rule(number="1", does=Answer(immediate_bye=True)))
    caller.invite("1")
    await caller.response(100)
    await caller.response(180)
    answer = await caller.response(200)
    assert (await caller.response(200)).headers["CSeq"] == answer.headers["CSeq"]

    caller.ack(answer)
    caller.answer(await caller.incoming("BYE"))


async def test_a_bye_can_stay_without_an_answer(scene: "Scene"):
    exchange, caller = await scene.call(Rule(number="1", does=Answer(never_bye=True)))
    await caller.talk_to("1")
    caller.bye()
    [record] = await exchange.wait_calls(1, timeout=2)

    assert (record.ended_by, record.bye_answered) == ("caller", False)
    assert caller.quiet


async def test_digits_are_keyed_as_telephone_events(scene: "Scene"):
    exchange, caller = await scene.call(
        Rule(number="1", does=Answer(digits=(Digits(after_s=0, digits="1#"),)))
    )
    await caller.talk_to("1")

    packets: list[bytes] = []
    async with asyncio.timeout(3):
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
async def test_digits_are_keyed_by_info(by: str, kind: str, body: bytes, scene: "Scene"):
    digits = Digits.model_validate({"after_s": 0, "digits": "5", "by": by})
    _, caller = await scene.call(Rule(number="1", does=Answer(digits=(digits,))))
    await caller.talk_to("1")

    info = await caller.incoming("INFO")
    caller.answer(info)

    assert (info.headers["Content-Type"], info.body) == (kind, body)


async def test_the_called_person_talks(scene: "Scene"):
    _, caller = await scene.call(Rule(number="1", does=Answer(talk=True)))
    await caller.talk_to("1")

    async with asyncio.timeout(2):
        packets = [await caller.rtp_received.get() for _ in range(5)]

    numbers = [int.from_bytes(packet[2:4]) for packet in packets]
    assert [number - numbers[0] for number in numbers] == [0, 1, 2, 3, 4]


async def test_a_call_is_held_and_resumed(scene: "Scene"):
    does = Answer(reinvite_after_s=0.05, resume_after_s=0.05, hold="inactive")
    exchange, caller = await scene.call(Rule(number="1", does=does))
    await caller.talk_to("1")

    for direction in ("inactive", "sendrecv"):
        offer = await caller.incoming("INVITE")
        assert read(offer.body).direction == direction
        caller.answer(offer, body=caller.offer(direction))
        assert (await caller.incoming("ACK")).cseq.sequence == offer.cseq.sequence

    assert exchange.calls[0].held == 1


async def test_the_caller_can_put_the_call_on_hold(scene: "Scene"):
    exchange, caller = await scene.call(ANSWERS)
    await caller.talk_to("1")

    caller.send(caller.request("INVITE", body=caller.offer("sendonly")))
    answer = await caller.response(200)
    caller.ack(answer)

    assert read(answer.body).direction == "recvonly"
    assert exchange.calls[0].session_refreshes == 1


async def test_a_session_is_refreshed_by_the_exchange(scene: "Scene"):
    exchange, caller = await scene.call(Rule(number="1", does=Answer(session_expires=1)))
    answer = await caller.talk_to("1")
    assert answer.headers["Session-Expires"] == "1;refresher=uas"

    offer = await caller.incoming("INVITE")
    caller.answer(offer, body=caller.offer())
    await caller.incoming("ACK")

    assert exchange.calls[0].session_refreshes == 1


async def test_a_session_that_the_caller_does_not_refresh_ends(scene: "Scene"):
    _, caller = await scene.call(Rule(number="1", does=Answer(session_expires=1)))
    answer = await caller.talk_to("1", "Supported: timer\r\n")
    assert answer.headers["Session-Expires"] == "1;refresher=uac"

    caller.send(caller.request("UPDATE"))
    await caller.response(200)
    caller.answer(await caller.incoming("BYE"))


async def test_an_offer_can_come_with_the_answer(scene: "Scene"):
    exchange, caller = await scene.call(ANSWERS)
    caller.invite("1", body="")
    await caller.response(100)
    await caller.response(180)
    answer = await caller.response(200)
    caller.ack(answer, body=caller.offer())
    caller.send_rtp(answer, b"hello", 1)
    caller.bye()
    [record] = await exchange.wait_calls(1, timeout=2)

    assert (record.alaw, record.codec) == (b"hello", "PCMA")


async def test_without_common_audio_the_call_is_not_acceptable(scene: "Scene"):
    exchange, caller = await scene.call(ANSWERS)
    caller.invite("1", body=caller.offer().replace("RTP/AVP 0 8 101", "RTP/AVP 18"))
    await caller.response(100)
    await caller.response(180)
    caller.ack(await caller.response(488))

    assert (await exchange.wait_calls(1, timeout=2))[0].final_code == 488


async def test_above_the_limit_calls_are_refused(scene: "Scene"):
    exchange, caller = await scene.call(ANSWERS, max_calls=1)
    await caller.talk_to("1")
    second = await scene.caller(exchange)

    assert (await refused(second, "1")).code == 503
    caller.bye()
    await exchange.wait_calls(2, timeout=2)
    third = await scene.caller(exchange)
    await third.talk_to("1")


async def test_calls_at_once_and_intervals_are_counted(scene: "Scene"):
    exchange = await scene.exchange(ANSWERS)
    callers = [await scene.caller(exchange) for _ in range(3)]
    for caller in callers:
        await caller.talk_to("1")
    for caller in callers:
        caller.bye()
    await exchange.wait_calls(3, timeout=2)

    times = exchange.summary.invite_times_ms
    assert exchange.peak_calls == 3
    assert exchange.calls_now == 0
    assert exchange.summary.min_invite_interval_ms == pytest.approx(
        min(after - before for before, after in pairwise(times)), abs=0.001
    )


async def test_requests_outside_a_call(scene: "Scene"):
    _, caller = await scene.call()

    for method, headers, code in [
        ("OPTIONS", "", 200),
        ("BYE", "", 481),
        ("INFO", "", 481),
        ("SUBSCRIBE", "", 405),
        ("CANCEL", "", 481),
        ("INVITE", "Require: 100rel\r\n", 420),
    ]:
        caller._number = "1"
        caller.send(caller.request(method, headers=headers))
        response = await caller.response(code)
        assert (response.headers.get("Allow") is not None) == (method in {"OPTIONS", "SUBSCRIBE"})


async def test_a_station_is_registered_and_unregistered(scene: "Scene"):
    exchange, caller = await scene.call()
    caller._number = "776400"
    for seconds in (60, 0):
        caller.send(caller.request("REGISTER", headers=f"Expires: {seconds}\r\n"))
        response = await caller.response(200)
        assert len(exchange.registrar.bindings("776400")) == (seconds > 0)
        assert response.headers.get("Contact") == (
            f"<sip:776400@127.0.0.1:{caller.port}>;expires=60" if seconds else None
        )


async def test_registration_can_need_a_password(scene: "Scene"):
    challenge = Challenge(username="cato", password="secret")
    exchange, caller = await scene.call(registration=challenge)
    caller._number = "1"
    caller.send(caller.request("REGISTER"))
    demand = await caller.response(401)
    assert not exchange.registrar.bindings("1")

    caller.send(caller.request("REGISTER", headers=proof(demand, challenge, caller, "REGISTER")))
    await caller.response(200)

    assert len(exchange.registrar.bindings("1")) == 1


async def test_stopping_completes_the_records(scene: "Scene"):
    exchange, caller = await scene.call(ANSWERS)
    await caller.talk_to("1")

    await exchange.stop()

    [record] = exchange.ended_calls
    assert record.ended_by == "shutdown"


async def test_a_silent_exchange_says_nothing(scene: "Scene"):
    exchange, caller = await scene.call(ANSWERS)
    exchange.silent = True
    caller._number = "1"
    options = caller.request("OPTIONS")
    caller.send(options)
    other = await scene.caller(exchange)
    with pytest.raises(TimeoutError):
        await other.receive(timeout=0.1)

    exchange.silent = False
    caller.send(options)
    await caller.response(200)
    assert caller.quiet


async def test_waiting_for_calls_that_do_not_come_has_an_end(scene: "Scene"):
    exchange = await scene.exchange()

    with pytest.raises(TimeoutError):
        await exchange.wait_calls(1, timeout=0.05)
