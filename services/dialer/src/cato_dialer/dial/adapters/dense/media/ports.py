"""The local port pairs of calls (RTP and RTCP), opened in advance."""

import itertools
import resource
import socket
from collections.abc import Iterator

from cato_dialer.dial.adapters.dense.media.kernel import drop_audio, keep_reports, rtp_socket

_AUDIO_TYPES = (0, 8)
_REPORT_TYPES = (200, 201)
_SPARE_FILES = 64
_TRIES_FOR_ANY = 50


class PortsError(OSError):
    """There are too few free ports or file descriptors."""


class Ports:
    """`rtp` and `rtcp` map the RTP port to a socket. RTP is even, RTCP is the port above (RFC 3550, 11)."""

    def __init__(self, calls: int, address: str, first: int, last: int) -> None:
        self.rtp: dict[int, socket.socket] = {}
        self.rtcp: dict[int, socket.socket] = {}
        allow_files(2 * calls + _SPARE_FILES)
        candidates = iter(range(first + first % 2, last, 2)) if first else _any(address, calls)
        while len(self.rtp) < calls:
            port = next(candidates, None)
            if port is None:
                break
            self._open(address, port)
        if not self.rtp and calls:
            raise PortsError("no RTP port is free in the configured range")

    def _open(self, address: str, port: int) -> None:
        try:
            rtp = rtp_socket(address, port)
        except OSError:
            return  # used by another program; try the next pair of the range
        try:
            rtcp = rtp_socket(address, port + 1)
        except OSError:
            rtp.close()
            return
        drop_audio(rtp, _AUDIO_TYPES)
        keep_reports(rtcp, _REPORT_TYPES)
        self.rtp[port], self.rtcp[port] = rtp, rtcp

    def close(self) -> None:
        for one in (*self.rtp.values(), *self.rtcp.values()):
            one.close()


def _any(address: str, calls: int) -> Iterator[int]:
    """Yield free even ports that the system picks."""
    for _ in itertools.repeat(None, calls * _TRIES_FOR_ANY):
        probe = rtp_socket(address, 0)
        port = int(probe.getsockname()[1])
        probe.close()
        if port % 2 == 0:
            yield port


def allow_files(wanted: int) -> None:
    """Raise the limit of open files to the number needed, or as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, allowed), hard))
