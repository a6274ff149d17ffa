"""A minimal SIP far end: answers every INVITE with 100, 180 and 200 at once.

Only for peers that write headers as in the examples of RFC 3261 (no folding, no compact forms), over UDP on
loopback. It replaces the simulated exchange because its processor time is taken from the measured machine.
"""

import asyncio
import socket
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from telephony.processes.sink import Sink

_BUFFER_BYTES = 1 << 22


@dataclass(slots=True)
class _Call:
    sink: Sink
    port: int
    "The caller's RTP port."
    answer: bytes
    ended: bool = False


@dataclass(slots=True)
class Counts:
    invites: int = 0
    acknowledged: int = 0
    ended: int = 0
    repeated: int = 0
    "Repeated requests: the caller did not receive our answer in time."
    refused: int = 0
    "503: no sink was free."
    other: int = 0


@dataclass(slots=True)
class Answerer(asyncio.DatagramProtocol):
    """`on_end` gets the sink of a call that its caller has ended."""

    host: str
    free: deque[Sink]
    on_end: Callable[[Sink], None]
    counts: Counts = field(default_factory=Counts)
    numbers: Counter[bytes] = field(default_factory=Counter)
    "How often each number was called."
    _calls: dict[bytes, _Call] = field(default_factory=dict)
    _transport: asyncio.DatagramTransport | None = None
    _contact: bytes = b""

    @property
    def talking(self) -> list[tuple[Sink, int]]:
        """The sinks of all calls, with the port of their caller."""
        return [(call.sink, call.port) for call in self._calls.values() if not call.ended]

    @property
    def busy(self) -> list[Sink]:
        return [call.sink for call in self._calls.values() if not call.ended]

    async def listen(self) -> int:
        """Return the port."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self.host, 0))
        listening = transport.get_extra_info("socket")
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        port: int = listening.getsockname()[1]
        self._contact = f"<sip:{self.host}:{port}>".encode()
        return port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        if self._transport is None or len(data) < 16:
            return
        head = data.split(b"\r\n\r\n", 1)[0].split(b"\r\n")
        method = head[0].split(b" ", 1)[0]
        echoed = [line for line in head[1:] if line.startswith((b"Via:", b"From:", b"Call-ID:", b"CSeq:"))]
        to = next(line for line in head if line.startswith(b"To:"))
        call_id = next(line for line in echoed if line.startswith(b"Call-ID:"))
        for answer in self._answers(method, call_id, b"\r\n".join(echoed), to, data):
            self._transport.sendto(answer, peer)

    def _answers(self, method: bytes, call_id: bytes, echoed: bytes, to: bytes, data: bytes) -> list[bytes]:
        call = self._calls.get(call_id)
        match method:
            case b"INVITE" if call is not None:
                self.counts.repeated += 1
                return [call.answer]
            case b"INVITE":
                self.numbers[data.partition(b":")[2].partition(b"@")[0]] += 1
                return self._invite(call_id, echoed, to, data)
            case b"ACK":
                self.counts.acknowledged += 1
                return []
            case b"BYE" if call is not None:
                self._end(call)
                return [_response(b"200 OK", echoed, to)]
            case b"OPTIONS":
                return [_response(b"200 OK", echoed, to + b";tag=1")]
        self.counts.other += 1
        return [_response(b"481 Call/Transaction Does Not Exist", echoed, to)]

    def _invite(self, call_id: bytes, echoed: bytes, to: bytes, data: bytes) -> list[bytes]:
        self.counts.invites += 1
        if not self.free:
            self.counts.refused += 1
            return [_response(b"503 Service Unavailable", echoed, to + b";tag=0")]
        sink = self.free.popleft()
        sink.forget()
        to += f";tag={self.counts.invites}".encode()
        contact = b"Contact: " + self._contact + b"\r\n"
        sdp = (
            f"v=0\r\no=- 1 1 IN IP4 {self.host}\r\ns=-\r\nc=IN IP4 {self.host}\r\nt=0 0\r\n"
            f"m=audio {sink.port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
            "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
        ).encode()
        final = _response(b"200 OK", echoed, to, contact + b"Content-Type: application/sdp\r\n", sdp)
        port = int(data.partition(b"m=audio ")[2].split(b" ", 1)[0])
        self._calls[call_id] = _Call(sink, port, final)
        return [
            _response(b"100 Trying", echoed, to),
            _response(b"180 Ringing", echoed, to, contact),
            final,
        ]

    def _end(self, call: _Call) -> None:
        if call.ended:
            self.counts.repeated += 1
            return
        call.ended = True
        self.counts.ended += 1
        self.on_end(call.sink)
        self.free.append(call.sink)


def _response(status: bytes, echoed: bytes, to: bytes, more: bytes = b"", body: bytes = b"") -> bytes:
    length = str(len(body)).encode()
    return b"SIP/2.0 %b\r\n%b\r\n%b\r\n%bContent-Length: %b\r\n\r\n%b" % (
        status,
        echoed,
        to,
        more,
        length,
        body,
    )
