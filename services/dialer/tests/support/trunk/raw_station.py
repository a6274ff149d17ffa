"""A station that answers byte for byte as a script says: for messages that no SIP library would make."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Address = tuple[str, int]


@dataclass(frozen=True)
class Received:
    """A message from the caller."""

    text: str
    reply: Callable[[bytes], object] | None = None
    """Sends to where it came from."""

    @property
    def start_line(self) -> str:
        return self.text.split("\r\n", 1)[0]

    @property
    def method(self) -> str:
        return self.start_line.split(" ", 1)[0]

    @property
    def code(self) -> int:
        return int(self.start_line.split(" ")[1])

    @property
    def body(self) -> str:
        return self.text.partition("\r\n\r\n")[2]

    def header(self, name: str) -> str:
        found = re.search(rf"^{name}:\s*(.*?)\r$", self.text, re.MULTILINE | re.IGNORECASE)
        return found[1] if found else ""

    def headers(self, name: str) -> list[str]:
        return re.findall(rf"^{name}:\s*(.*?)\r$", self.text, re.MULTILINE | re.IGNORECASE)


@dataclass
class RawCall:
    """One dialog. `received` has the caller's messages in order, repetitions included."""

    invite: Received
    send: Callable[[bytes], None]
    here: str
    received: list[Received] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    sequence: int = 0
    token: str = field(default_factory=lambda: secrets.token_hex(6))
    """Makes the branches of our requests unique among all calls."""

    def take(self, message: Received) -> None:
        self.received.append(message)
        self._changed.set()

    async def until(self, matches: Callable[[Received], bool], timeout: float = 5.0) -> Received:
        """Return the first message that matches, of those that have come or will come."""
        async with asyncio.timeout(timeout):
            while True:
                self._changed.clear()
                for message in self.received:
                    if matches(message):
                        return message
                await self._changed.wait()

    def respond(
        self,
        status: bytes,
        *,
        to: Received | None = None,
        sdp: str = "",
        contact: str = "",
        extra: tuple[str, ...] = (),
    ) -> None:
        """Answer the INVITE, or another request; `status` is the code and the phrase as they are sent."""
        request = to or self.invite
        dialog_tag = "" if status.startswith(b"100") or ";tag=" in request.header("To") else ";tag=raw"
        lines = [
            *(f"Via: {via}" for via in request.headers("Via")),
            f"From: {request.header('From')}",
            f"To: {request.header('To')}{dialog_tag}",
            f"Call-ID: {request.header('Call-ID')}",
            f"CSeq: {request.header('CSeq')}",
            f"Contact: {contact or f'<sip:{self.here}>'}",
            *extra,
            *(["Content-Type: application/sdp"] if sdp else []),
            f"Content-Length: {len(sdp)}",
        ]
        send = request.reply or self.send
        send(b"SIP/2.0 " + status + b"\r\n" + "\r\n".join([*lines, "", sdp]).encode())

    async def info(self, content_type: str, body: str) -> int:
        """Send an INFO in the dialog and return the code of the caller's answer."""
        return (await self.request("INFO", content_type, body)).code

    async def request(
        self, method: str, content_type: str = "", body: str = "", *, extra: tuple[str, ...] = ()
    ) -> Received:
        sequence = self.start_request(method, content_type, body, extra=extra)
        return await self.until(
            lambda message: message.method == "SIP/2.0" and message.header("CSeq") == sequence
        )

    def start_request(
        self, method: str, content_type: str = "", body: str = "", *, extra: tuple[str, ...] = ()
    ) -> str:
        """Send a request in the dialog and return its CSeq."""
        self.sequence += 1
        sequence = f"{self.sequence} {method}"
        target = re.search(r"<(sip:[^>]+)>", self.invite.header("Contact"))
        assert target is not None
        lines = [
            f"{method} {target[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.here};branch=z9hG4bK{self.token}{self.sequence}",
            f"From: {self.invite.header('To')};tag=raw",
            f"To: {self.invite.header('From')}",
            f"Call-ID: {self.invite.header('Call-ID')}",
            f"CSeq: {sequence}",
            f"Contact: <sip:{self.here}>",
            "Max-Forwards: 70",
            *extra,
            *([f"Content-Type: {content_type}"] if content_type else []),
            f"Content-Length: {len(body)}",
        ]
        self.send("\r\n".join([*lines, "", body]).encode())
        return sequence

    async def outside(self, method: str, *extra: str) -> Received:
        """Send a request that belongs to no dialog to the caller, and return its answer."""
        call_id = f"outside{secrets.token_hex(4)}"
        target = re.search(r"<(sip:[^>]+)>", self.invite.header("Contact"))
        assert target is not None
        lines = [
            f"{method} {target[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.here};branch=z9hG4bK{call_id}",
            f"From: <sip:stranger@{self.here}>;tag=stranger",
            f"To: <{target[1]}>",
            f"Call-ID: {call_id}",
            f"CSeq: 1 {method}",
            f"Contact: <sip:stranger@{self.here}>",
            "Max-Forwards: 70",
            *extra,
            "Content-Length: 0",
        ]
        self.send("\r\n".join([*lines, "", ""]).encode())
        return await self.until(lambda message: message.header("Call-ID") == call_id)

    def audio(self, media: str = "m=audio 40000 RTP/AVP 8") -> str:
        """Return a session description with this line of media."""
        return f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n{media}\r\n"


Script = Callable[[RawCall], Awaitable[Any]]


@dataclass
class RawStation(asyncio.DatagramProtocol):
    """Runs the script once for each call or registration that comes in; `calls` has them in order."""

    script: Script
    calls: list[RawCall] = field(default_factory=list)
    address: Address = ("127.0.0.1", 0)
    answers_bye: bool = True
    _tasks: list["asyncio.Task[Any]"] = field(default_factory=list)

    @property
    def uri(self) -> str:
        host, port = self.address[:2]
        return f"sip:[{host}]:{port}" if ":" in host else f"sip:{host}:{port}"

    @property
    def invites(self) -> list[Received]:
        """Return the INVITEs that began a call, without repetitions."""
        return [call.invite for call in self.calls if call.invite.method == "INVITE"]

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self.address = transport.get_extra_info("sockname")

    def datagram_received(self, data: bytes, addr: Address) -> None:
        message = Received(data.decode(errors="replace"), lambda reply: self._transport.sendto(reply, addr))
        if not message.text.strip():
            return
        known = [call for call in self.calls if call.invite.header("Call-ID") == message.header("Call-ID")]
        if known:
            known[0].take(message)
            if message.method == "CANCEL" or (message.method == "BYE" and self.answers_bye):
                known[0].respond(b"200 OK", to=message)
            if message.method == "CANCEL":
                known[0].respond(b"487 Request Terminated")
        elif message.method == "SIP/2.0":
            for call in self.calls:
                call.take(message)
        elif message.method in {"INVITE", "REGISTER"}:
            call = RawCall(
                message,
                lambda reply: self._transport.sendto(reply, addr),
                f"127.0.0.1:{self.address[1]}",
            )
            call.take(message)
            self.calls.append(call)
            self._tasks.append(asyncio.ensure_future(self.script(call)))
        elif message.method == "OPTIONS":
            RawCall(message, lambda reply: self._transport.sendto(reply, addr), "127.0.0.1").respond(
                b"200 OK"
            )

    async def close(self) -> None:
        """Raises: the exception that a script has raised."""
        for task in self._tasks:
            if not task.done():
                task.cancel()
        self._transport.close()
        for outcome in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome


@asynccontextmanager
async def raw_station(
    script: Script, host: str = "127.0.0.1", *, answers_bye: bool = True
) -> AsyncIterator[RawStation]:
    """Without `answers_bye` the script answers the BYE of the caller, or nobody does."""
    station = RawStation(script, answers_bye=answers_bye)
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: station, local_addr=(host, 0))
    try:
        yield station
    finally:
        await station.close()
