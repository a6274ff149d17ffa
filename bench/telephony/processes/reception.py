"""The packets of many streams that arrived in one window of time."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from telephony.processes.sink import Sink
from telephony.prompt import PERIOD

PACKET_NS = 20_000_000
_HALF = 0x8000


@dataclass(frozen=True, slots=True)
class Reception:
    """`missing`: by sequence number. `wrong`: packets whose audio does not follow from the packets before.

    Deviations are differences from 20 ms of the time between two packets of a stream.
    """

    streams: int
    packets: int
    missing: int
    wrong: int
    rate_mean: float
    rate_slowest: float
    deviation_p50_ms: float
    deviation_p99_ms: float
    deviation_p999_ms: float
    deviation_max_ms: float


def examine(sinks: Iterable[Sink], begin_ns: int, end_ns: int) -> Reception:
    """`begin_ns` and `end_ns` are Unix time."""
    streams = packets = missing = wrong = 0
    rates: list[float] = []
    deviations: list[int] = []
    for sink in sinks:
        arrivals = [s * 1_000_000_000 + ns for s, ns in zip(sink.seconds, sink.nanoseconds, strict=True)]
        inside = [i for i, at in enumerate(arrivals) if begin_ns <= at < end_ns]
        if len(inside) < 2:
            streams += bool(inside)
            packets += len(inside)
            continue
        first, last = inside[0], inside[-1]
        arrivals = arrivals[first : last + 1]
        steps = _steps(sink.sequence[first : last + 1])
        streams += 1
        packets += len(arrivals)
        missing += max(sum(steps) - len(steps), 0)
        wrong += _wrong(bytes(sink.marks[first : last + 1]), steps)
        rates.append((len(arrivals) - 1) * 1e9 / (arrivals[-1] - arrivals[0]))
        deviations += [
            abs(after - before - PACKET_NS)
            for before, after, step in zip(arrivals, arrivals[1:], steps, strict=False)
            if step == 1
        ]
    deviations.sort()
    return Reception(
        streams=streams,
        packets=packets,
        missing=missing,
        wrong=wrong,
        rate_mean=sum(rates) / len(rates) if rates else 0.0,
        rate_slowest=min(rates, default=0.0),
        deviation_p50_ms=_quantile(deviations, 0.5),
        deviation_p99_ms=_quantile(deviations, 0.99),
        deviation_p999_ms=_quantile(deviations, 0.999),
        deviation_max_ms=_quantile(deviations, 1.0),
    )


def heard_whole(sink: Sink, prompt: bytes) -> bool:
    """Whether the frames of the prompt arrived complete and in order."""
    sequence = sink.sequence
    place = sink.marks.find(prompt)
    return place >= 0 and sum(_steps(sequence[place : place + len(prompt)])) == len(prompt) - 1


def _steps(sequence: "array[int]") -> list[int]:
    """Return how far the sequence number goes from each packet to the next; below 1 when out of order."""
    sequence = sequence[:]
    sequence.byteswap()
    return [(after - before + _HALF & 0xFFFF) - _HALF for before, after in pairwise(sequence)]


def _wrong(marks: bytes, steps: list[int]) -> int:
    wrong = 0
    for before, after, step in zip(marks, marks[1:], steps, strict=False):
        wrong += (before + step) % PERIOD != after
    return wrong


def _quantile(ordered: list[int], share: float) -> float:
    return ordered[int((len(ordered) - 1) * share)] / 1e6 if ordered else 0.0
