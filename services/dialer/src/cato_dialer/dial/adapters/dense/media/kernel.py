"""Kernel interfaces for many packets at once: sendmmsg, raw sockets, packet filters, timerfd ticks."""

import ctypes
import os
import socket
import struct
from collections.abc import Collection, Sequence

import numpy as np

_SO_ATTACH_FILTER = 26
_SO_SNDBUFFORCE = 32
_SEND_BUFFER = 32 << 20
_IP_MTU_DISCOVER, _IP_PMTUDISC_DO = 10, 2
_KEPT_OF_AUDIO = 0x7F
_REPORTS_BUFFER = 4_096

IOVEC = np.dtype([("base", "u8"), ("length", "u8")])
MMSGHDR = np.dtype(
    {
        "names": ["name", "name_length", "iov", "iov_length", "control", "control_length", "flags", "sent"],
        "formats": ["u8", "u4", "u8", "u8", "u8", "u8", "i4", "u4"],
        "offsets": [0, 8, 16, 24, 32, 40, 48, 56],
        "itemsize": 64,
    }
)
SOCKADDR = np.dtype([("family", "<u2"), ("port", ">u2"), ("address", ">u4"), ("zero", "u8")])

_libc = ctypes.CDLL(None, use_errno=True)
_libc.sendmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)


def send_many(descriptor: int, headers: int, count: int) -> tuple[int, int]:
    """Send `count` messages from an array of mmsghdr at an address; return how many were sent and failed.

    A message that the kernel rejects is skipped, so that it does not delay the other calls.
    """
    sent = failed = 0
    while sent + failed < count:
        result = _libc.sendmmsg(
            descriptor,
            headers + MMSGHDR.itemsize * (sent + failed),
            count - sent - failed,
            socket.MSG_DONTWAIT,
        )
        if result < 0:
            failed += 1
        else:
            sent += result
    return sent, failed


def raw_socket() -> socket.socket | None:
    """Return a raw socket, for packets that include their IP header; None without CAP_NET_RAW."""
    try:
        made = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    except PermissionError:
        return None
    made.setblocking(False)
    _grow(made, _SO_SNDBUFFORCE, socket.SO_SNDBUF)
    return made


def rtp_socket(address: str, port: int) -> socket.socket:
    """Raises: OSError: if the port is taken."""
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        if made.family == socket.AF_INET:
            made.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _IP_PMTUDISC_DO)
        made.bind((address, port))
    except OSError:
        made.close()
        raise
    return made


def drop_audio(rtp: socket.socket, audio_types: Collection[int]) -> None:
    """Let the kernel drop audio packets, except every 128th and those with the marker bit.

    The remaining packets show the source address of the far end; all telephone events pass. (Classic BPF;
    offset 0 is the UDP header.)
    """
    program = [(0x30, 0, 0, 9), (0x54, 0, 0, 0xFF)]  # A = marker and payload type
    types = sorted(audio_types)
    program += [(0x15, len(types) - index, 0, kind) for index, kind in enumerate(types)]
    program += [(0x06, 0, 0, 0xFFFF_FFFF)]
    program += [(0x28, 0, 0, 10), (0x54, 0, 0, _KEPT_OF_AUDIO), (0x15, 0, 1, 0)]  # A = sequence number
    program += [(0x06, 0, 0, 0xFFFF_FFFF), (0x06, 0, 0, 0)]
    _attach(rtp, program)


def keep_reports(rtcp: socket.socket, report_types: Collection[int]) -> None:
    """Let the kernel drop all packets that are no reports, and most of them: only the last ones are read."""
    types = sorted(report_types)
    program = [(0x30, 0, 0, 9)]  # A = packet type
    program += [(0x15, len(types) - index, 0, kind) for index, kind in enumerate(types)]
    program += [(0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFF_FFFF)]
    _attach(rtcp, program)
    rtcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _REPORTS_BUFFER)


def _attach(one: socket.socket, program: Sequence[tuple[int, int, int, int]]) -> None:
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code)
    one.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HxxxxxxQ", len(program), ctypes.addressof(buffer))
    )


class _TimeSpec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _ITimerSpec(ctypes.Structure):
    _fields_ = (("interval", _TimeSpec), ("value", _TimeSpec))


class Clock:
    """A descriptor that is readable at each tick. It uses timerfd: epoll's time-outs are too coarse."""

    def __init__(self, interval_ms: int) -> None:
        self.descriptor = int(_libc.timerfd_create(1, os.O_NONBLOCK | os.O_CLOEXEC))
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self.interval_ms = 0
        self.set_interval(interval_ms)

    def set_interval(self, interval_ms: int) -> None:
        """Set the interval between ticks."""
        if interval_ms == self.interval_ms:
            return
        self.interval_ms = interval_ms
        spec = _TimeSpec(0, interval_ms * 1_000_000)
        if _libc.timerfd_settime(self.descriptor, 0, ctypes.byref(_ITimerSpec(spec, spec)), None) < 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def elapsed_ms(self) -> int:
        """Return the time that the ticks since the last call stand for."""
        try:
            return int.from_bytes(os.read(self.descriptor, 8), "little") * self.interval_ms
        except BlockingIOError:
            return 0


def _grow(one: socket.socket, force: int, ordinary: int) -> None:
    try:
        one.setsockopt(socket.SOL_SOCKET, force, _SEND_BUFFER)
    except PermissionError:
        one.setsockopt(socket.SOL_SOCKET, ordinary, _SEND_BUFFER)
