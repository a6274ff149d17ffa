"""Send streams through the sockets of their calls: used without CAP_NET_RAW, and for IPv6."""

import struct
from collections.abc import Mapping
from socket import socket

from cato_dialer.dial.adapters.dense.media.rtp.prompts import STEP_BYTES, STEP_MS
from cato_dialer.dial.adapters.dense.media.rtp.stream import Due, Stream

_HEADER = struct.Struct(">BBHII")
_MARKER = 0x80


class SocketPhase:
    """A `Sender` with one system call for each packet."""

    def __init__(self, packet_ms: int, sockets: Mapping[int, socket]) -> None:
        self._steps = packet_ms // STEP_MS
        self._bytes = self._steps * STEP_BYTES
        self._stamps = packet_ms * 8
        self._sockets = sockets
        self._streams: dict[int, Stream] = {}
        self._marked: set[int] = set()
        self.failed = 0

    @property
    def count(self) -> int:
        return len(self._streams)

    def add(self, stream: Stream) -> None:
        stream.phase = self
        self._streams[stream.call] = stream
        self._marked.add(stream.call)

    def redirect(self, stream: Stream) -> None:
        """Do nothing: the address is read with each packet."""

    def remove(self, stream: Stream) -> None:
        del self._streams[stream.call]
        self._marked.discard(stream.call)
        stream.phase = None

    def position(self, stream: Stream) -> int:
        return stream.position

    def stamp(self, stream: Stream) -> int:
        return stream.stamp

    def tick(self, descriptor: int) -> Due | None:  # noqa: ARG002 - only the raw socket needs it
        due = Due()
        for stream in list(self._streams.values()):
            self._send(stream)
            if not stream.started:
                stream.started = True
                due.started.append(stream)
            if stream.next_mark is not None and stream.position >= stream.next_mark:
                stream.next_mark = None
                stream.marked_ms = stream.heard_ms()
                due.heard.append(stream)
            if stream.position >= stream.prompt.steps:
                self.remove(stream)
                due.finished.append(stream)
        return due if due.started or due.heard or due.finished else None

    def _send(self, stream: Stream) -> None:
        stream.sequence = (stream.sequence + 1) & 0xFFFF
        stream.stamp = (stream.stamp + self._stamps) & 0xFFFF_FFFF
        kind = stream.payload_type
        if stream.call in self._marked:
            self._marked.discard(stream.call)
            kind |= _MARKER
        start = stream.position * STEP_BYTES
        audio = stream.prompt.audio[start : start + self._bytes]
        packet = _HEADER.pack(_MARKER, kind, stream.sequence, stream.stamp, stream.ssrc) + audio.tobytes()
        try:
            self._sockets[stream.port].sendto(packet, (stream.address, stream.to_port))
        except OSError:
            self.failed += 1  # treated as a lost packet; the next one may succeed
        stream.advance_to(stream.position + self._steps)
