"""SIP over UDP (RFC 3261 18)."""

import asyncio
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass

from cato_exchange.arrival_times import arrival_ns, stamp_arrivals
from cato_exchange.sip.transport import Flow

log = logging.getLogger(__name__)

_ANY = "0.0.0.0"
_ANCILLARY = 64
_MAX_DATAGRAM = 65_535
_BATCH = 64
_BUFFER_BYTES = 4 << 20

Receiver = Callable[[bytes, Flow, float], None]


class UdpTransport:
    """One socket. Passes each datagram to `receive` with its flow and its arrival time (Unix ms)."""

    def __init__(self, host: str, port: int, receive: Receiver) -> None:
        """Bind the socket. Raises: OSError."""
        self.muted = False
        "Drop messages in both directions."
        self._receive = receive
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            self._socket.bind((host, port))
            stamp_arrivals(self._socket)
        except OSError:
            self._socket.close()
            raise
        host, port = self._socket.getsockname()
        self.address = str(host), int(port)
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._drain)

    def send(self, data: bytes, destination: tuple[str, int]) -> None:
        if self.muted or self._socket.fileno() < 0:
            return  # muted, or closed while a timer was running
        try:
            self._socket.sendto(data, destination)
        except OSError as error:
            # The same as a lost datagram: the transaction retransmits.
            log.warning("SIP message could not be sent", extra={"peer": destination, "error": str(error)})

    def local_towards(self, peer: tuple[str, int]) -> tuple[str, int]:
        """Return the local address towards the peer; for a wildcard socket the route decides."""
        host, port = self.address
        if host != _ANY:
            return host, port
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(peer)
            return str(probe.getsockname()[0]), port

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()

    def _drain(self) -> None:
        for _ in range(_BATCH):
            try:
                data, ancillary, _flags, source = self._socket.recvmsg(_MAX_DATAGRAM, _ANCILLARY)
            except BlockingIOError:
                return
            if self.muted:
                continue
            peer = str(source[0]), int(source[1])
            flow = UdpFlow(self, peer, self.local_towards(peer))
            self._receive(data, flow, round(arrival_ns(ancillary) / 1e6, 3))


@dataclass(frozen=True)
class UdpFlow:
    transport: UdpTransport
    peer: tuple[str, int]
    local: tuple[str, int]

    @property
    def reliable(self) -> bool:
        return False

    @property
    def protocol(self) -> str:
        return "UDP"

    def towards(self, host: str, port: int) -> Flow:
        return UdpFlow(self.transport, (host, port), self.local)

    def send(self, data: bytes) -> None:
        self.transport.send(data, self.peer)
