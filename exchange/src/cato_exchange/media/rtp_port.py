"""The UDP port of one call: takes every packet with the kernel's time of arrival, and sends.

Nothing is interpreted here. Per packet three appends to flat buffers; the reading of headers waits
until the call has ended (`reception`).
"""

import asyncio
import errno
import logging
import socket
import struct
import sys
import time
from array import array

log = logging.getLogger(__name__)

# <asm-generic/socket.h>; the `socket` module has no name for it.
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("qq")
_ANCILLARY = socket.CMSG_SPACE(_TIMESPEC.size)
_BUFFER = bytearray(2048)
_VIEW = memoryview(_BUFFER)
_RECEIVE_BYTES = 1 << 20
_TRIES = 200


def stamp_arrivals(sock: socket.socket) -> bool:
    """Ask the kernel to note when packets arrive; False where it can't."""
    if sys.platform != "linux":
        return False
    sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    return True


def arrival_ns(ancillary: list[tuple[int, int, bytes]]) -> int:
    """Unix time of arrival; now, without the kernel's note."""
    if ancillary and len(ancillary[0][2]) == _TIMESPEC.size:
        seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2])
        return int(seconds * 1_000_000_000 + nanoseconds)
    return time.time_ns()


class RtpPort:
    def __init__(self, host: str) -> None:
        self._socket = _bind_even(host)
        self.packets = bytearray()
        "All datagrams, one after another."
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
        """Take what has arrived. With the kernel's clock on it, it may wait in the socket for long."""
        receive = self._socket.recvmsg_into
        buffers = [_VIEW]
        packets, sizes, arrivals = self.packets, self.sizes, self.arrivals
        while True:
            try:
                size, ancillary, _flags, _source = receive(buffers, _ANCILLARY)
            except BlockingIOError:
                return
            packets += _VIEW[:size]
            sizes.append(size)
            arrivals.append(arrival_ns(ancillary))

    def send(self, packet: bytes, destination: tuple[str, int]) -> None:
        try:
            self._socket.sendto(packet, destination)
        except BlockingIOError:
            log.debug("an RTP packet was dropped: the socket is full")
        except OSError as error:
            log.warning("RTP can't be sent", extra={"peer": destination, "error": str(error)})

    def close(self) -> None:
        if self._socket.fileno() < 0:
            return
        if not self._stamped:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()


def _bind_even(host: str) -> socket.socket:
    """A free even port: the odd one above is where peers send RTCP (RFC 3550 11), so never another call's.

    Raises: OSError when there is none.
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
