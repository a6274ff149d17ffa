"""SIP over TCP and TLS (RFC 3261 18.2, 18.3): one flow per accepted connection."""

import asyncio
import contextlib
import logging
import ssl
import time
from dataclasses import dataclass

from cato_exchange.sip.transport import Flow
from cato_exchange.sip.udp import Receiver

log = logging.getLogger(__name__)

_END_OF_HEAD = b"\r\n\r\n"
_LONGEST_HEAD = 65_536


class StreamTransport:
    """A listening port. `muted` drops messages in both directions and keeps the connections."""

    def __init__(self, receive: Receiver, tls: ssl.SSLContext | None = None) -> None:
        self.muted = False
        self.address = ("", 0)
        self.protocol = "TCP" if tls is None else "TLS"
        self._receive = receive
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self, host: str, port: int) -> None:
        """Start listening. Raises: OSError."""
        self._server = await asyncio.start_server(self._serve, host, port, ssl=self._tls, limit=_LONGEST_HEAD)
        host, port = self._server.sockets[0].getsockname()[:2]
        self.address = host, port

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer, local = writer.get_extra_info("peername")[:2], writer.get_extra_info("sockname")[:2]
        flow = StreamFlow(self, writer, peer, local)
        self._writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(_END_OF_HEAD)).lstrip(b"\r\n")
                if not head:
                    continue  # a keep-alive (RFC 5626 3.5.1)
                body = await reader.readexactly(_body_length(head))
                if not self.muted:
                    self._receive(head + body, flow, round(time.time_ns() / 1e6, 3))
        except (asyncio.IncompleteReadError, OSError):
            pass  # the peer closed the connection
        except (ValueError, asyncio.LimitOverrunError) as error:
            log.warning("stream is not SIP", extra={"peer": peer, "reason": str(error)})
        finally:
            self._writers.discard(writer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


@dataclass(frozen=True)
class StreamFlow:
    transport: StreamTransport
    writer: asyncio.StreamWriter
    peer: tuple[str, int]
    local: tuple[str, int]

    @property
    def reliable(self) -> bool:
        return True

    @property
    def protocol(self) -> str:
        return self.transport.protocol

    def towards(self, host: str, port: int) -> Flow:  # noqa: ARG002
        return self

    def send(self, data: bytes) -> None:
        if not self.transport.muted and not self.writer.is_closing():
            self.writer.write(data)


def _body_length(head: bytes) -> int:
    """Return Content-Length. Raises: ValueError if it is missing: the message has no other end mark."""
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() in {b"content-length", b"l"}:
            return int(value)
    raise ValueError("no Content-Length")
