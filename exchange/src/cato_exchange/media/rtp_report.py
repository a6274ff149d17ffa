"""Analysis of the RTP that a call received, made from the raw packets after its end (RFC 3550 5.1, 6.4)."""

import math
from array import array
from dataclasses import dataclass, field
from itertools import pairwise

PACKET_MS = 20.0

_HEADER = 12
_VERSION = 2
_RTCP = range(192, 224)
_EVENT_CODES = "0123456789*#ABCD"
_HALF = 0x8000


@dataclass(frozen=True)
class RtpReport:
    """Statistics of the received RTP.

    `lost`, `gaps` (runs of lost packets), `reordered` and `duplicates` are counted by sequence number per
    source, over all payload types. Inter-arrival times cover audio packets in order of arrival.
    """

    packets: int = 0
    lost: int = 0
    gaps: int = 0
    reordered: int = 0
    duplicates: int = 0
    timestamp_jumps: int = 0
    "Audio packets whose time stamp does not continue that of the preceding packet."
    sources: int = 0
    not_rtp: int = 0
    payload_types: dict[int, int] = field(default_factory=dict)
    audio_bytes: int = 0
    first_ms: float | None = None
    last_ms: float | None = None
    packets_per_second: float | None = None
    interval_mean_ms: float | None = None
    interval_p99_deviation_ms: float | None = None
    "99 % of the intervals deviate from 20 ms by at most this."
    interval_max_ms: float | None = None
    digits: str = ""
    "Telephone events of the caller (RFC 4733)."


@dataclass
class _Source:
    """Packets of one SSRC by extended sequence number."""

    packets: dict[int, tuple[int, int, int, int]] = field(default_factory=dict)
    "extended sequence -> payload type, time stamp, payload's start and end"
    highest: int = -1
    reordered: int = 0
    duplicates: int = 0

    def add(self, sequence: int, packet: tuple[int, int, int, int]) -> None:
        if self.highest < 0:
            extended = sequence + 0x10000
        else:
            extended = self.highest + ((sequence - self.highest + _HALF) & 0xFFFF) - _HALF
        if extended in self.packets:
            self.duplicates += 1
            return
        self.packets[extended] = packet
        if extended < self.highest:
            self.reordered += 1
        self.highest = max(self.highest, extended)


def analyse(
    data: bytes | bytearray,
    sizes: "array[int]",
    arrivals: "array[int]",
    audio_type: int | None,
    event_type: int | None,
) -> tuple[RtpReport, bytes]:
    """Return the statistics, and the audio by source and sequence number without lost packets.

    `data` holds the concatenated datagrams, `arrivals` Unix times in nanoseconds.
    """
    sources: dict[int, _Source] = {}
    types: dict[int, int] = {}
    audio_arrivals: list[int] = []
    not_rtp = 0
    start = 0
    for size, arrival in zip(sizes, arrivals, strict=True):
        end = start + size
        payload = _payload(data, start, end)
        if payload is None:
            not_rtp += 1
        else:
            payload_type = data[start + 1] & 0x7F
            types[payload_type] = types.get(payload_type, 0) + 1
            if payload_type == audio_type:
                audio_arrivals.append(arrival)
            number = int.from_bytes(data[start + 2 : start + 4])
            timestamp = int.from_bytes(data[start + 4 : start + 8])
            source = sources.setdefault(int.from_bytes(data[start + 8 : start + 12]), _Source())
            source.add(number, (payload_type, timestamp, *payload))
        start = end
    audio = bytearray()
    digits = ""
    lost = gaps = jumps = 0
    for source in sources.values():
        missing, holes = _losses(sorted(source.packets))
        lost += missing
        gaps += holes
        jumps += _play(data, source, audio, audio_type)
        digits += _digits(data, source, event_type)
    report = RtpReport(
        packets=sum(types.values()),
        lost=lost,
        gaps=gaps,
        reordered=sum(source.reordered for source in sources.values()),
        duplicates=sum(source.duplicates for source in sources.values()),
        timestamp_jumps=jumps,
        sources=len(sources),
        not_rtp=not_rtp,
        payload_types=types,
        audio_bytes=len(audio),
        digits=digits,
        **_pace(audio_arrivals),
    )
    return report, bytes(audio)


def _payload(data: bytes | bytearray, start: int, end: int) -> tuple[int, int] | None:
    """Return start and end of a datagram's payload; None if the datagram is not RTP."""
    if end - start < _HEADER or data[start] >> 6 != _VERSION or data[start + 1] in _RTCP:
        return None
    begin = start + _HEADER + 4 * (data[start] & 0x0F)
    if data[start] & 0x10:
        begin += 4 + 4 * int.from_bytes(data[begin + 2 : begin + 4])
    finish = end - (data[end - 1] if data[start] & 0x20 else 0)
    return (begin, finish) if begin <= finish else None


def _losses(numbers: list[int]) -> tuple[int, int]:
    if not numbers:
        return 0, 0
    holes = sum(after - before > 1 for before, after in pairwise(numbers))
    return numbers[-1] - numbers[0] + 1 - len(numbers), holes


def _play(data: bytes | bytearray, source: _Source, audio: bytearray, audio_type: int | None) -> int:
    """Append the source's audio; return the number of time stamp jumps."""
    jumps = 0
    expected: int | None = None
    for number in sorted(source.packets):
        payload_type, timestamp, begin, finish = source.packets[number]
        if payload_type != audio_type:
            expected = None
            continue
        if expected is not None and timestamp != expected:
            jumps += 1
        expected = (timestamp + finish - begin) & 0xFFFFFFFF
        audio += data[begin:finish]
    return jumps


def _digits(data: bytes | bytearray, source: _Source, event_type: int | None) -> str:
    """Return one digit per event; the packets of an event share a time stamp."""
    events: dict[int, int] = {}
    for number in sorted(source.packets):
        payload_type, timestamp, begin, finish = source.packets[number]
        if payload_type == event_type and finish - begin >= 4:  # noqa: PLR2004
            events.setdefault(timestamp, data[begin])
    return "".join(_EVENT_CODES[code] for code in events.values() if code < len(_EVENT_CODES))


def _pace(arrivals: list[int]) -> dict[str, float]:
    if not arrivals:
        return {}
    pace = {"first_ms": round(arrivals[0] / 1e6, 3), "last_ms": round(arrivals[-1] / 1e6, 3)}
    intervals = [(after - before) / 1e6 for before, after in pairwise(arrivals)]
    if intervals and (span := sum(intervals)) > 0:
        deviations = sorted(abs(interval - PACKET_MS) for interval in intervals)
        pace |= {
            "packets_per_second": round(len(intervals) * 1000 / span, 3),
            "interval_mean_ms": round(span / len(intervals), 3),
            "interval_p99_deviation_ms": round(deviations[math.ceil(0.99 * len(deviations)) - 1], 3),
            "interval_max_ms": round(max(intervals), 3),
        }
    return pace
