"""Arrival times of datagrams as the kernel notes them (SO_TIMESTAMPNS)."""

import socket
import struct
import sys
import time

# <asm-generic/socket.h>; the `socket` module has no name for it.
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("qq")
ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)
"Buffer for the ancillary data of `recvmsg`."


def stamp_arrivals(sock: socket.socket) -> bool:
    """Enable kernel arrival times on the socket; return False where they are not supported."""
    if sys.platform != "linux":
        return False
    sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    return True


def arrival_ns(ancillary: list[tuple[int, int, bytes]]) -> int:
    """Return the kernel's arrival time (Unix, nanoseconds), or the current time if it is missing."""
    if ancillary and len(ancillary[0][2]) == _TIMESPEC.size:
        seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2])
        return int(seconds * 1_000_000_000 + nanoseconds)
    return time.time_ns()
