"""The UDP port of one call: takes every packet with the kernel's time of arrival, and sends.

Nothing is interpreted here. Per packet three appends to flat buffers; the reading of headers waits
until the call has ended (`report`).
"""

import asyncio
import errno
import logging
import socket
from array import array

from cato_exchange.arrival_times import ANCILLARY_BYTES, arrival_ns, stamp_arrivals

log = logging.getLogger(__name__)

_BUFFER = bytearray(2048)
_VIEW = memoryview(_BUFFER)
_RECEIVE_BYTES = 1 << 20
_TRIES = 200


class RtpPort:
    def __init__(self, host: str) -> None:
        self._socket = _bind_even(host)
        self.packets = bytearray()
        "All received datagrams, concatenated."
        self.sizes = array("H")
        self.arrivals = array("q")
        "Unix nanoseconds."
        self._stamped = stamp_arrivals(self._socket)
        if not self._stamped:
            asyncio.get_running_loop().add_reader(self._socket.fileno(), self.drain)

    @property
    def number(self) -> int:
        return int(self._socket.getsockname()[1])

    def drain(self) -> None:
        """Read all waiting packets. With kernel time stamps they can wait in the socket without harm."""
        receive = self._socket.recvmsg_into
        buffers = [_VIEW]
        packets, sizes, arrivals = self.packets, self.sizes, self.arrivals
        while True:
            try:
                size, ancillary, _flags, _source = receive(buffers, ANCILLARY_BYTES)
            except BlockingIOError:
                return
            packets += _VIEW[:size]
            sizes.append(size)
            arrivals.append(arrival_ns(ancillary))

    def send(self, packet: bytes, destination: tuple[str, int]) -> None:
        try:
            self._socket.sendto(packet, destination)
        except BlockingIOError:
            log.debug("RTP packet dropped: the send buffer is full")
        except OSError as error:
            log.warning("RTP packet could not be sent", extra={"peer": destination, "error": str(error)})

    def close(self) -> None:
        if self._socket.fileno() < 0:
            return
        if not self._stamped:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()


def _bind_even(host: str) -> socket.socket:
    """Bind a free even port; peers send RTCP to the odd port above it (RFC 3550 11).

    Raises: OSError if there is none.
    """
    for _ in range(_TRIES):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
            sock.bind((host, 0))
        except OSError:
            sock.close()
            raise
        if sock.getsockname()[1] % 2 == 0:
            return sock
        sock.close()
    raise OSError(errno.EADDRINUSE, "no free even port")
