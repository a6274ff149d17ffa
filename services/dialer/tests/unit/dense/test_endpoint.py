"""One call over real sockets to a scripted station: only messages of the call are accepted."""

import asyncio
import gc
import re
import weakref
from typing import Any

import pytest

from cato_dialer.dial.adapters.dense.sip.messages.message import parse
from cato_dialer.dial.adapters.dense.sip.transactions.timing import Timing
from cato_dialer.dial.domain.station import Credentials
from services.dialer.tests.support.trunk.endpoint_rig import SDP, Rig, open_rig


async def test_the_first_fork_that_answers_wins_and_the_other_is_ended(rig: Rig):
    rig.call.start()
    invite = await rig.station.next("INVITE")
    rig.station.respond(invite, "180 Ringing", tag="one")
    rig.station.respond(invite, "200 OK", "Content-Type: application/sdp", tag="one", body=SDP)
    rig.station.respond(invite, "200 OK", "Content-Type: application/sdp", tag="two", body=SDP)
    bye = await rig.station.next("BYE")
    assert bye.to_tag == "two"
    assert rig.told.names == ["ringing", "answered"]


async def test_the_request_left_behind_ends_the_call_even_after_others(rig: Rig):
    invite = await rig.up()
    farewell = parse(rig.told.left_behind)
    assert (farewell.method, farewell.call_id, farewell.to_tag) == ("BYE", invite.call_id, "far")
    assert farewell.from_tag == invite.from_tag
    rig.call.hang_up()
    bye = await rig.station.next("BYE")
    assert farewell.sequence > bye.sequence


async def test_a_ringing_call_leaves_a_cancel_of_its_invite_behind(rig: Rig):
    rig.call.start()
    invite = await rig.station.next("INVITE")
    rig.station.respond(invite, "180 Ringing")
    await rig.told.until("ringing")
    farewell = parse(rig.told.left_behind)
    assert (farewell.method, farewell.sequence, farewell.branch) == ("CANCEL", 1, invite.branch)
    after = parse(rig.told.left_after)
    assert (after.method, after.call_id, after.to_tag) == ("BYE", invite.call_id, "far")
    assert after.sequence > invite.sequence


async def test_a_call_without_a_response_leaves_a_cancel_of_its_invite_behind(rig: Rig):
    rig.call.start()
    invite = await rig.station.next("INVITE")
    farewell = parse(rig.told.left_behind)
    assert (farewell.method, farewell.sequence, farewell.branch) == ("CANCEL", 1, invite.branch)
    assert rig.told.left_after == b""


async def test_the_cancel_is_left_behind_before_the_invite_is_sent(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    left: list[bytes] = []
    send = rig.call.endpoint._send

    def note(data: bytes, *more: Any) -> None:
        left.append(rig.told.left_behind)
        send(data, *more)

    monkeypatch.setattr(rig.call.endpoint, "_send", note)
    rig.call.start()
    await rig.station.next("INVITE")
    assert parse(left[0]).method == "CANCEL"


async def test_a_repeated_answer_is_acknowledged_again(rig: Rig):
    invite = await rig.up()
    rig.station.respond(invite, "200 OK", "Content-Type: application/sdp", body=SDP)
    ack = await rig.station.next("ACK")
    assert (ack.sequence, ack.to_tag) == (invite.sequence, "far")
    assert rig.told.names == ["answered"]


async def test_requests_follow_the_recorded_route(rig: Rig):
    rig.call.start()
    invite = await rig.station.next("INVITE")
    routes = ("Record-Route: <sip:b@127.0.0.1;lr>, <sip:a@127.0.0.1;lr>", "Content-Type: application/sdp")
    rig.station.respond(invite, "200 OK", *routes, body=SDP)
    ack = await rig.station.next("ACK")
    assert ack.listed("Route") == ["<sip:a@127.0.0.1;lr>", "<sip:b@127.0.0.1;lr>"]
    assert ack.uri == f"sip:far@127.0.0.1:{rig.station.port}"


async def test_a_reliable_provisional_response_is_acknowledged_once(rig: Rig):
    rig.call.start()
    invite = await rig.station.next("INVITE")
    for _ in range(2):
        rig.station.respond(invite, "183 Session Progress", "Require: 100rel", "RSeq: 7")
    prack = await rig.station.next("PRACK")
    assert prack.header("RAck") == f"7 {invite.sequence} INVITE"
    rig.station.respond(prack, "200 OK")
    rig.station.respond(invite, "486 Busy Here")
    await rig.told.until("rejected")
    assert rig.told.words == [("progress",), ("rejected", 486, "Busy Here")]


async def test_an_answer_that_crosses_the_cancel_is_ended(rig: Rig):
    rig.call.start()
    invite = await rig.station.next("INVITE")
    rig.station.respond(invite, "180 Ringing")
    await rig.told.until("ringing")
    rig.call.hang_up()
    cancel = await rig.station.next("CANCEL")
    assert cancel.branch == invite.branch
    rig.station.respond(invite, "200 OK", "Content-Type: application/sdp", body=SDP)
    await rig.station.next("BYE")
    assert rig.told.names == ["ringing", "hung_up"]


async def test_a_call_hung_up_before_any_response_is_cancelled_with_the_first_one(rig: Rig):
    rig.call.start()
    invite = await rig.station.next("INVITE")
    rig.call.hang_up()
    assert rig.told.names == ["hung_up"]
    rig.station.respond(invite, "100 Trying")
    await rig.station.next("CANCEL")


async def test_an_invite_that_was_given_up_is_not_repeated_s3(rig: Rig):
    rig.call.start()
    await rig.station.next("INVITE")
    rig.call.hang_up()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(rig.station.received.get(), 0.8)  # the first repeat would come after 0.5 s


async def test_a_second_invite_is_cancelled_with_its_first_response(rig: Rig):
    call = rig.another_call(Credentials("cato", "secret", "*"))
    call.call.start()
    first = await rig.station.next("INVITE")
    rig.station.respond(first, "100 Trying")
    rig.station.respond(first, "401 Unauthorized", 'WWW-Authenticate: Digest realm="r", nonce="n"')
    second = await rig.station.next("INVITE")
    call.call.hang_up()
    assert call.told.names == ["trying", "hung_up"]
    rig.station.respond(second, "180 Ringing")
    cancel = await rig.station.next("CANCEL")
    assert (cancel.branch, cancel.sequence) == (second.branch, 2)
    assert rig.station.received.empty()


async def test_a_second_invite_that_rings_leaves_its_own_cancel_behind(rig: Rig):
    call = rig.another_call(Credentials("cato", "secret", "*"))
    call.call.start()
    first = await rig.station.next("INVITE")
    rig.station.respond(first, "100 Trying")
    rig.station.respond(first, "401 Unauthorized", 'WWW-Authenticate: Digest realm="r", nonce="n"')
    second = await rig.station.next("INVITE")
    rig.station.respond(second, "180 Ringing")
    await call.told.until("ringing")
    farewell = parse(call.told.left_behind)
    assert (farewell.method, farewell.sequence, farewell.branch) == ("CANCEL", 2, second.branch)


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("INFO", 200),
        ("OPTIONS", 200),
        ("REFER", 603),
        ("NOTIFY", 489),
        ("MESSAGE", 405),
        ("PRACK", 481),
        ("BREW", 405),
    ],
)
async def test_a_request_in_the_call_is_answered_by_the_rfcs_t2_t14(rig: Rig, method: str, code: int):
    invite = await rig.up()
    rig.station.request(invite, method, "Refer-To: <sip:stranger@127.0.0.1>", "Event: x")
    assert (await rig.station.answer_to(method)).code == code
    assert rig.told.names == ["answered"]


@pytest.mark.parametrize(
    ("method", "extra", "code"),
    [
        ("INVITE", (), 405),
        ("INVITE", ("Replaces: {call};to-tag=far;from-tag=ours",), 405),
        ("REFER", (), 405),
        ("OPTIONS", (), 200),
        ("BYE", (), 481),
        ("NOTIFY", (), 489),
        ("BREW", (), 501),
    ],
)
async def test_a_request_outside_of_the_call_changes_nothing_t3(
    rig: Rig, method: str, extra: tuple[str, ...], code: int
):
    invite = await rig.up()
    extra = tuple(line.format(call=invite.call_id) for line in extra)
    data = rig.station.request(invite, method, *extra)
    rig.station.received = asyncio.Queue()
    other = re.sub(rb"Call-ID: .*\r", b"Call-ID: another\r", data).replace(
        f"z9hG4bK{method}1".encode(), b"z9hG4bKother"
    )
    rig.station.send(re.sub(rb"To: (.*);tag=\w+\r", rb"To: \1\r", other))
    async with asyncio.timeout(5):
        while (answer := await rig.station.answer_to(method)).branch != "z9hG4bKother":
            pass
    assert answer.code == code
    assert "session_changed" not in rig.told.names


async def test_a_request_with_a_wrong_tag_does_not_end_the_call(rig: Rig):
    invite = await rig.up()
    rig.station.request(invite, "BYE", tag="stranger")
    assert (await rig.station.answer_to("BYE")).code == 481
    assert rig.told.names == ["answered"]


async def test_a_hold_and_its_end_are_told(rig: Rig):
    invite = await rig.up()
    held = SDP + b"a=sendonly\r\n"
    rig.station.request(invite, "INVITE", "Content-Type: application/sdp", sequence=5, body=held)
    answer = await rig.station.answer_to("INVITE")
    assert b"a=recvonly" in answer.body
    rig.station.request(invite, "ACK", sequence=5)
    rig.station.request(invite, "UPDATE", "Content-Type: application/sdp", sequence=6, body=SDP)
    assert b"a=sendrecv" in (await rig.station.answer_to("UPDATE")).body
    assert [word[1].sending for word in rig.told.words if word[0] == "session_changed"] == [False, True]


@pytest.mark.parametrize(("body", "code"), [(b"nonsense", 400), (SDP.replace(b"8 101", b"18"), 488)])
async def test_an_offer_that_cannot_be_taken_is_refused_and_the_call_goes_on(
    rig: Rig, body: bytes, code: int
):
    invite = await rig.up()
    rig.station.request(invite, "INVITE", "Content-Type: application/sdp", body=body)
    assert (await rig.station.answer_to("INVITE")).code == code
    assert rig.told.names == ["answered"]


@pytest.mark.parametrize("answer", ["200 OK", "486 Busy Here"])
async def test_an_ended_call_is_freed_without_the_garbage_collector(answer: str):
    async with open_rig(Timing(t1_s=0.01, t4_s=0.01)) as rig:
        other = rig.another_call()
        call = weakref.ref(other.call)
        gc.disable()
        try:
            if answer.startswith("200"):
                await other.up()
                other.call.hang_up()
                rig.station.respond(await rig.station.next("BYE"), "200 OK")
            else:
                other.call.start()
                rig.station.respond(await rig.station.next("INVITE"), answer)
                await other.told.until("rejected")
            del other
            async with asyncio.timeout(5):
                while rig.endpoint.open_transactions:
                    await asyncio.sleep(0.02)
            assert call() is None
        finally:
            gc.enable()
