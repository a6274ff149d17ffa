"""One call over real sockets to a scripted station: only messages of the call are accepted."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from cato_dialer.dial.adapters.dense.sip.call import Callee, UacCall
from cato_dialer.dial.adapters.dense.sip.endpoint import SipEndpoint
from cato_dialer.dial.adapters.dense.sip.message import Received, parse
from cato_dialer.dial.adapters.dense.sip.sdp import LocalMedia
from cato_dialer.dial.adapters.dense.sip.session_timer import SessionTimer
from cato_dialer.dial.adapters.dense.sip.transport import Remote

MUTATIONS = 20_000
SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)


class Told:
    """Records the callbacks of the call, and wakes tasks that wait for one."""

    def __init__(self) -> None:
        self.words: list[tuple[Any, ...]] = []
        self.left_behind = b""
        self._changed = asyncio.Event()

    def __getattr__(self, name: str) -> Callable[..., None]:
        def note(*details: Any) -> None:
            if name == "farewell":
                self.left_behind = details[0]
                return
            self.words.append((name, *details))
            self._changed.set()

        return note

    @property
    def names(self) -> list[str]:
        return [word[0] for word in self.words]

    async def until(self, name: str) -> None:
        async with asyncio.timeout(5):
            while name not in self.names:
                self._changed.clear()
                await self._changed.wait()


@dataclass
class Station(asyncio.DatagramProtocol):
    """A station whose messages are all written by the test."""

    received: "asyncio.Queue[Received]" = field(default_factory=asyncio.Queue)
    source: tuple[str, int] = ("", 0)
    transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.source = addr
        self.received.put_nowait(parse(data))

    @property
    def port(self) -> int:
        return int(self.transport.get_extra_info("sockname")[1])

    async def next(self, method: str) -> Received:
        async with asyncio.timeout(5):
            while True:
                message = await self.received.get()
                if message.code is None and message.method == method and message.inner.method == method:
                    return message

    async def answer_to(self, method: str) -> Received:
        async with asyncio.timeout(5):
            while True:
                message = await self.received.get()
                if message.code is not None and message.method == method:
                    return message

    def send(self, data: bytes) -> None:
        self.transport.sendto(data, self.source)

    def respond(
        self, request: Received, status: str, *extra: str, tag: str = "far", body: bytes = b""
    ) -> bytes:
        to = request.header("To") or ""
        lines = [
            f"SIP/2.0 {status}",
            f"Via: {request.header('Via')}",
            f"From: {request.header('From')}",
            f"To: {to}" if ";tag=" in to or status.startswith("100") else f"To: {to};tag={tag}",
            f"Call-ID: {request.call_id}",
            f"CSeq: {request.sequence} {request.method}",
            f"Contact: <sip:far@127.0.0.1:{self.port}>",
            *extra,
            f"Content-Length: {len(body)}",
        ]
        data = "\r\n".join([*lines, "", ""]).encode() + body
        self.send(data)
        return data

    def request(
        self,
        invite: Received,
        method: str,
        *extra: str,
        sequence: int = 1,
        body: bytes = b"",
        tag: str = "far",
    ) -> bytes:
        lines = [
            f"{method} sip:1000@127.0.0.1 SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{method}{sequence}",
            f"From: {invite.header('To')};tag={tag}",
            f"To: {invite.header('From')}",
            f"Call-ID: {invite.call_id}",
            f"CSeq: {sequence} {method}",
            *extra,
            f"Content-Length: {len(body)}",
        ]
        data = "\r\n".join([*lines, "", ""]).encode() + body
        self.send(data)
        return data


@dataclass
class Rig:
    endpoint: SipEndpoint
    station: Station
    told: Told
    call: UacCall

    async def up(self) -> Received:
        self.call.start()
        invite = await self.station.next("INVITE")
        self.station.respond(invite, "200 OK", "Content-Type: application/sdp", body=SDP)
        await self.station.next("ACK")
        await self.told.until("answered")
        return invite


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    loop = asyncio.get_running_loop()
    transport, station = await loop.create_datagram_endpoint(Station, local_addr=("127.0.0.1", 0))
    endpoint = SipEndpoint("127.0.0.1", None)
    told = Told()
    target = f"sip:1@127.0.0.1:{station.port}"
    remote = Remote("udp", "127.0.0.1", station.port)
    callee = Callee(target, "sip:1000@127.0.0.1", remote, None, SessionTimer("optional", 1_800))
    media = LocalMedia("127.0.0.1", 20_000, ("PCMA",), events=True, session_id=1)
    yield Rig(endpoint, station, told, UacCall(endpoint, callee, media, told))
    await endpoint.close()
    transport.close()


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
    assert str(ack.inner.uri) == f"sip:far@127.0.0.1:{rig.station.port}"


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


@pytest.mark.timeout(120)
async def test_mutated_messages_do_not_touch_the_call(rig: Rig):
    invite = await rig.up()
    valid = [
        rig.station.respond(invite, "200 OK", "Content-Type: application/sdp", body=SDP),
        rig.station.respond(invite, "180 Ringing"),
        *(
            rig.station.request(invite, method, "Event: x", sequence=9, body=SDP)
            for method in ("INFO", "OPTIONS", "NOTIFY")
        ),
    ]
    chance = random.Random(1)
    receive = rig.endpoint._received
    for _ in range(MUTATIONS):
        message = bytearray(chance.choice(valid))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(message))
            match chance.randrange(4):
                case 0:
                    message[at] = chance.randrange(256)
                case 1:
                    del message[at : at + chance.randint(1, 40)]
                case 2:
                    message[at:at] = chance.randbytes(chance.randint(1, 12))
                case 3:
                    message[at:at] = message[at : at + chance.randint(1, 200)]
            message = message or bytearray(b"x")
        receive(bytes(message), Remote("udp", "127.0.0.1", chance.choice((9, rig.station.port))))
    assert rig.told.names == ["answered"]
    rig.station.request(invite, "BYE", sequence=4_000_000_000)
    await rig.told.until("remote_hangup")
