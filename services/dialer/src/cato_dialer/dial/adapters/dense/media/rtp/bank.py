"""The streams of one packet size, stored as array rows, so that one system call sends all due packets."""

import ipaddress
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from cato_dialer.dial.adapters.dense.media.kernel import IOVEC, MMSGHDR, SOCKADDR, send_many
from cato_dialer.dial.adapters.dense.media.rtp.prompts import STEP_BYTES, STEP_MS
from cato_dialer.dial.adapters.dense.media.rtp.stream import Due, Stream
from cato_dialer.dial.adapters.dense.media.rtp.sum_table import SumTable

_AF_INET = 2
_FIRST_ROWS = 16
_NEVER = 1 << 40
_MARKER = 0x80
_RTP_HEADER, _UDP_HEADER, _IP_HEADER = 12, 8, 20

_RTP = [("version", "u1"), ("type", "u1"), ("sequence", ">u2"), ("stamp", ">u4"), ("ssrc", ">u4")]
RAW_HEADER = np.dtype(
    [
        *(("ip_version", "u1"), ("tos", "u1"), ("ip_length", ">u2"), ("ip_id", ">u2"), ("fragment", ">u2")),
        *(("ttl", "u1"), ("protocol", "u1"), ("ip_sum", ">u2"), ("source", ">u4"), ("destination", ">u4")),
        *(("from_port", ">u2"), ("to_port", ">u2"), ("udp_length", ">u2"), ("udp_sum", ">u2")),
        *_RTP,
    ]
)


@lru_cache(maxsize=4_096)
def _number(address: str) -> int:
    return int(ipaddress.IPv4Address(address))


class Phase:
    """A `Sender`: the streams that send in the same millisecond of each packet time."""

    def __init__(self, packet_ms: int, sums: SumTable) -> None:
        self._steps = packet_ms // STEP_MS
        self._stamps = packet_ms * 8
        self._bytes = self._steps * STEP_BYTES
        self._sums = sums
        self.count = 0
        self._fresh: list[Stream] = []
        self._streams: list[Stream] = []
        self._ticks = 0
        self._next_event = _NEVER
        self.failed = 0
        self._allocate(_FIRST_ROWS)

    def add(self, stream: Stream) -> None:
        row = self.count
        if row == len(self._sequence):
            self._allocate(2 * row)
        self.count += 1
        self._settle()
        stream.row, stream.phase = row, self
        self._streams.append(stream)
        self._fresh.append(stream)
        self._sequence[row], self._stamp[row] = stream.sequence, stream.stamp
        self._position[row], self._end[row] = stream.position, stream.prompt.steps
        self._mark[row] = stream.next_mark if stream.next_mark is not None else _NEVER
        self._sum_base[row] = self._sums.base(stream.prompt)
        self._audio[row] = stream.prompt.address + stream.position * STEP_BYTES
        self._headers["ssrc"][row] = stream.ssrc
        self._headers["type"][row] = stream.payload_type | _MARKER
        self.redirect(stream)
        self._plan_event()

    def redirect(self, stream: Stream) -> None:
        row, header = stream.row, self._headers
        source, target = _number(stream.source), _number(stream.address)
        header["source"][row], header["destination"][row] = source, target
        header["from_port"][row], header["to_port"][row] = stream.port, stream.to_port
        self._sockaddr["address"][row] = target
        length = _UDP_HEADER + _RTP_HEADER + self._bytes
        words = [source >> 16, source & 0xFFFF, target >> 16, target & 0xFFFF, 17, length, length]
        words += [stream.port, stream.to_port, stream.ssrc >> 16, stream.ssrc & 0xFFFF]
        self._fixed_sum[row] = sum(words)

    def remove(self, stream: Stream) -> None:
        self._settle()
        row, last = stream.row, self.count - 1
        stream.sequence, stream.stamp = int(self._sequence[row]), int(self._stamp[row])
        stream.advance_to(int(self._position[row]))
        stream.phase = None
        if stream in self._fresh:
            self._fresh.remove(stream)
        if row != last:
            for rows in self._moving:
                rows[row] = rows[last]
            moved = self._streams[row] = self._streams[last]
            moved.row = row
        self._streams.pop()
        self.count = last
        self._plan_event()

    def position(self, stream: Stream) -> int:
        return min(int(self._position[stream.row]) + self._ticks * self._steps, stream.prompt.steps)

    def stamp(self, stream: Stream) -> int:
        return int(self._stamp[stream.row])

    def tick(self, descriptor: int) -> Due | None:
        count = self.count
        if not count:
            return None
        self._sequence[:count] += 1
        self._stamp[:count] += self._stamps
        self._sequence_field[:count] = self._sequence[:count]
        self._stamp_field[:count] = self._stamp[:count]
        self._checksums(count)
        _, failed = send_many(descriptor, self._messages_address, count)
        self.failed += failed
        self._audio[:count] += self._bytes
        self._ticks += 1
        if self._fresh or self._ticks >= self._next_event:
            return self._events()
        return None

    def _checksums(self, count: int) -> None:
        """Write the UDP checksums (RFC 768) of all packets."""
        position = self._position[:count] + self._ticks * self._steps + self._sum_base[:count]
        total = self._sums.sums[position + self._steps] - self._sums.sums[position]
        total += self._fixed_sum[:count] + self._sequence[:count]
        stamp = self._stamp[:count]
        total += (stamp >> 16) + (stamp & 0xFFFF) + 0x8000 + self._type_field[:count]
        for _ in range(3):
            total = (total & 0xFFFF) + (total >> 16)
        checksum = total ^ 0xFFFF
        checksum[checksum == 0] = 0xFFFF
        self._checksum_field[:count] = checksum

    def _events(self) -> Due:
        self._settle()
        due = Due()
        for stream in self._fresh:
            self._headers["type"][stream.row] = stream.payload_type
            if not stream.started:
                stream.started = True
                due.started.append(stream)
        self._fresh.clear()
        count = self.count
        reached = np.flatnonzero(self._position[:count] >= np.minimum(self._end[:count], self._mark[:count]))
        for stream in [self._streams[row] for row in reached]:
            position = int(self._position[stream.row])
            if position >= self._mark[stream.row]:
                self._mark[stream.row] = _NEVER
                stream.next_mark = None
                stream.advance_to(position)
                stream.marked_ms = stream.heard_ms()
                due.heard.append(stream)
            if position >= stream.prompt.steps:
                self.remove(stream)
                due.finished.append(stream)
        self._plan_event()
        return due

    def _settle(self) -> None:
        """Add the ticks since the last update to the positions."""
        if self._ticks:
            self._position[: len(self._streams)] += self._ticks * self._steps
            self._ticks = 0

    def _plan_event(self) -> None:
        """Return the number of ticks until a stream reaches its end or its mark."""
        count = self.count
        left = np.minimum(self._end[:count], self._mark[:count]) - self._position[:count]
        self._next_event = int(-(-left.min() // self._steps)) if count else _NEVER

    def _allocate(self, rows: int) -> None:
        old: tuple[npt.NDArray[Any], ...] = self._moving if self.count else ()
        self._sequence = np.zeros(rows, "u2")
        self._stamp = np.zeros(rows, "u4")
        self._position = np.zeros(rows, "i8")
        self._end = np.zeros(rows, "i8")
        self._mark = np.zeros(rows, "i8")
        self._sum_base = np.zeros(rows, "i8")
        self._fixed_sum = np.zeros(rows, "i8")
        self._headers = np.zeros(rows, RAW_HEADER)
        self._sockaddr = np.zeros(rows, SOCKADDR)
        self._iovecs = np.zeros((rows, 2), IOVEC)
        self._audio = self._iovecs["base"][:, 1]
        self._messages = np.zeros(rows, MMSGHDR)
        self._moving: tuple[npt.NDArray[Any], ...] = (
            *(self._sequence, self._stamp, self._position, self._end, self._mark, self._sum_base),
            *(self._fixed_sum, self._headers, self._sockaddr, self._audio),
        )
        for new, before in zip(self._moving, old, strict=False):
            new[: self.count] = before[: self.count]
        index = np.arange(rows)
        header = self._headers
        # Views and addresses are made once: each costs as much as an operation on some hundred rows.
        self._sequence_field, self._stamp_field = header["sequence"], header["stamp"]
        self._type_field, self._checksum_field = header["type"], header["udp_sum"]
        self._messages_address = self._messages.ctypes.data
        header["ip_version"], header["fragment"], header["ttl"], header["protocol"] = 0x45, 0x4000, 64, 17
        header["ip_length"] = _IP_HEADER + _UDP_HEADER + _RTP_HEADER + self._bytes
        header["udp_length"] = _UDP_HEADER + _RTP_HEADER + self._bytes
        header["version"] = 0x80
        self._sockaddr["family"] = _AF_INET
        self._iovecs["base"][:, 0] = header.ctypes.data + RAW_HEADER.itemsize * index
        self._iovecs["length"][:, 0] = RAW_HEADER.itemsize
        self._iovecs["length"][:, 1] = self._bytes
        self._messages["name"] = self._sockaddr.ctypes.data + SOCKADDR.itemsize * index
        self._messages["name_length"] = SOCKADDR.itemsize
        self._messages["iov"] = self._iovecs.ctypes.data + 2 * IOVEC.itemsize * index
        self._messages["iov_length"] = 2
