"""Refused, cancelled and challenged calls, message by message, from a caller on a raw socket."""

import time
from typing import Any

import pytest

from cato_exchange import (
    Answer,
    Busy,
    CancelCrossing,
    Challenge,
    EarlyMedia,
    NoAnswer,
    NoReply,
    Redirect,
    Reject,
    Rule,
)
from cato_exchange.calls.call import Call
from exchange.tests.raw_caller import Scene, proof, refused

ANSWERS = Rule(number="1", does=Answer())


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
async def test_refusal_has_code_headers_and_record(rule: Rule, code: int, scene: Scene):
    exchange, caller = await scene.call(rule)

    response = await refused(caller, "1")
    [record] = await exchange.wait_calls(1, timeout=10)

    assert response.code == record.final_code == code
    assert (record.ringing_ms is not None) == (rule.does.ring_s > 0)
    assert (record.ended_by, record.answer_ms) == ("exchange", None)
    expected = {503: ("Retry-After", "7"), 302: ("Contact", "<sip:2@host>")}.get(code)
    assert expected is None or response.headers.get(expected[0]) == expected[1]


async def test_no_answer_rings_until_the_caller_cancels(scene: Scene):
    exchange, caller = await scene.call(Rule(number="1", does=NoAnswer()))
    caller.invite("1")
    await caller.response(100)
    await caller.response(180)

    caller.cancel()
    assert (await caller.response(200)).cseq.method == "CANCEL"
    caller.ack(await caller.response(487))
    [record] = await exchange.wait_calls(1, timeout=10)

    assert (record.final_code, record.ended_by) == (487, "caller")


async def test_a_refused_call_ends_with_the_response_though_the_exchange_stands_still_then(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
):
    """Whoever gets the response may call again at once, while the exchange waits for a processor."""
    respond, sent_ms = Call._respond, []

    def respond_and_wait(call: Call, code: int, *details: Any, **more: Any) -> None:
        respond(call, code, *details, **more)
        sent_ms.append(call.now())
        time.sleep(0.02)

    monkeypatch.setattr(Call, "_respond", respond_and_wait)
    exchange, caller = await scene.call(Rule(number="1", does=Busy()))
    await refused(caller, "1")
    [record] = await exchange.wait_calls(1, timeout=10)
    assert record.end_ms is not None
    assert record.end_ms <= sent_ms[-1]


async def test_answer_crosses_the_cancel(scene: Scene):
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
    [record] = await exchange.wait_calls(1, timeout=10)

    assert (record.final_code, record.ended_by) == (200, "caller")
    assert record.cancel_ms is not None


async def test_answer_on_attempt_2_refuses_the_first_call(scene: Scene):
    exchange, caller = await scene.call(Rule(number="1", answer_on_attempt=2, does=Answer()))
    assert (await refused(caller, "1")).code == 486

    second = await scene.caller(exchange)
    await second.talk_to("1")

    assert [record.attempt for record in exchange.calls] == [1, 2]


async def test_no_reply_sends_nothing_even_to_a_repeated_invite(scene: Scene):
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
async def test_valid_credentials_answer_a_challenge(algorithm: str, status: int, scene: Scene):
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


async def test_wrong_password_ends_the_call(scene: Scene):
    challenge = Challenge(username="cato", password="secret")
    exchange, caller = await scene.call(Rule(number="1", challenge=challenge, does=Answer()))
    demand = await refused(caller, "1")
    caller._to = ""

    wrong = challenge.model_copy(update={"password": "guess"})
    assert (await refused(caller, "1", proof(demand, wrong, caller))).code == 401
    [record] = await exchange.wait_calls(1, timeout=10)

    assert (record.final_code, record.ended_by) == (401, "exchange")


async def test_early_media_ends_in_a_refusal(scene: Scene):
    _, caller = await scene.call(Rule(number="1", does=EarlyMedia(reject_after_s=0.05, code=404)))

    assert (await refused(caller, "1")).code == 404


async def test_invite_without_a_common_codec_gets_488(scene: Scene):
    exchange, caller = await scene.call(ANSWERS)
    caller.invite("1", body=caller.offer().replace("RTP/AVP 0 8 101", "RTP/AVP 18"))
    await caller.response(100)
    await caller.response(180)
    caller.ack(await caller.response(488))

    assert (await exchange.wait_calls(1, timeout=10))[0].final_code == 488


async def test_call_above_max_calls_gets_503(scene: Scene):
    exchange, caller = await scene.call(ANSWERS, max_calls=1)
    await caller.talk_to("1")
    second = await scene.caller(exchange)

    assert (await refused(second, "1")).code == 503
    caller.bye()
    await exchange.wait_calls(2, timeout=10)
    third = await scene.caller(exchange)
    await third.talk_to("1")
