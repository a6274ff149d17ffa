"""One call over real sockets to a station whose messages are all written by the test."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from cato_dialer.dial.adapters.dense.sip.call import Callee, UacCall
from cato_dialer.dial.adapters.dense.sip.endpoint import SipEndpoint
from cato_dialer.dial.adapters.dense.sip.messages.message import MessageError, Received, parse
from cato_dialer.dial.adapters.dense.sip.messages.sdp import LocalMedia
from cato_dialer.dial.adapters.dense.sip.session_timer import SessionTimer
from cato_dialer.dial.adapters.dense.sip.transactions.timing import Timing
from cato_dialer.dial.adapters.dense.sip.transactions.transport import Remote
from cato_dialer.dial.domain.station import Credentials

_STANDARD_TIMING = Timing()
SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)


class Told:
    """Records the callbacks of the call, and wakes tasks that wait for one."""

    def __init__(self) -> None:
        self.words: list[tuple[Any, ...]] = []
        self.left_behind = b""
        self.left_after = b""
        self._changed = asyncio.Event()

    def __getattr__(self, name: str) -> Callable[..., None]:
        def note(*details: Any) -> None:
            if name == "farewell":
                self.left_behind = details[0]
                self.left_after = details[2] if len(details) > 2 else b""
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
    answers: "asyncio.Queue[bytes]" = field(default_factory=asyncio.Queue)
    """All responses as they came, those to malformed requests among them."""
    source: tuple[str, int] = ("", 0)
    transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.source = addr
        if data.startswith(b"SIP/2.0 "):
            self.answers.put_nowait(data)
        with contextlib.suppress(MessageError):  # it repeats the headers of a malformed request
            self.received.put_nowait(parse(data))

    @property
    def port(self) -> int:
        return int(self.transport.get_extra_info("sockname")[1])

    async def next(self, method: str) -> Received:
        async with asyncio.timeout(5):
            while True:
                message = await self.received.get()
                if message.code is None and message.method == method:
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
            *extra,
            f"Content-Length: {len(body)}",
        ]
        if not any(line.startswith("Contact") for line in extra):
            lines.insert(1, f"Contact: <sip:far@127.0.0.1:{self.port}>")
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
    """One call of an endpoint to a station."""

    endpoint: SipEndpoint
    station: Station
    told: Told
    call: UacCall

    @classmethod
    def of(cls, endpoint: SipEndpoint, station: Station, credentials: Credentials | None = None) -> "Rig":
        told = Told()
        callee = Callee(
            target=f"sip:1@127.0.0.1:{station.port}",
            identity="sip:1000@127.0.0.1",
            remote=Remote("udp", "127.0.0.1", station.port),
            host="127.0.0.1",
            port=station.port,
            credentials=credentials,
            timer=SessionTimer("optional", 1_800),
        )
        media = LocalMedia("127.0.0.1", 20_000, ("PCMA",), events=True, session_id=1)
        return cls(endpoint, station, told, UacCall(endpoint, callee, media, told))

    def another_call(self, credentials: Credentials | None = None) -> "Rig":
        return self.of(self.endpoint, self.station, credentials)

    async def up(self) -> Received:
        self.call.start()
        invite = await self.station.next("INVITE")
        self.station.respond(invite, "200 OK", "Content-Type: application/sdp", body=SDP)
        await self.station.next("ACK")
        await self.told.until("answered")
        return invite


@asynccontextmanager
async def open_rig(timing: Timing = _STANDARD_TIMING) -> AsyncIterator[Rig]:
    loop = asyncio.get_running_loop()
    transport, station = await loop.create_datagram_endpoint(Station, local_addr=("127.0.0.1", 0))
    endpoint = SipEndpoint("127.0.0.1", None, timing)
    yield Rig.of(endpoint, station)
    await endpoint.close()
    transport.close()
