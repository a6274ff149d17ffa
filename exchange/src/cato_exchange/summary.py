"""Running counts over all calls."""

from collections import Counter
from itertools import pairwise
from typing import Any

from cato_exchange.record import CallRecord


class Summary:
    def __init__(self) -> None:
        self.peak_calls = 0
        self.calls_now = 0
        self.calls_ended = 0
        self.invite_times_ms: list[float] = []
        """Kernel arrival time of the first INVITE of each call, without retransmissions and without the
        INVITE with credentials."""
        self.final_codes: Counter[str] = Counter()
        self.ended_by: Counter[str] = Counter()
        self.packets = 0
        self.lost = 0

    def begin(self, invite_ms: float, calls_now: int) -> None:
        self.invite_times_ms.append(invite_ms)
        self.update(calls_now)

    def update(self, calls_now: int) -> None:
        self.calls_now = calls_now
        self.peak_calls = max(self.peak_calls, calls_now)

    def end(self, record: CallRecord, calls_now: int) -> None:
        self.calls_ended += 1
        self.update(calls_now)
        self.final_codes[str(record.final_code or "none")] += 1
        self.ended_by[str(record.ended_by)] += 1
        self.packets += record.rtp.packets
        self.lost += record.rtp.lost

    @property
    def min_invite_interval_ms(self) -> float | None:
        times = sorted(self.invite_times_ms)
        return min((round(after - before, 3) for before, after in pairwise(times)), default=None)

    def as_json(self) -> dict[str, Any]:
        return {
            "peak_calls": self.peak_calls,
            "calls_now": self.calls_now,
            "calls": len(self.invite_times_ms),
            "calls_ended": self.calls_ended,
            "final_codes": dict(self.final_codes),
            "ended_by": dict(self.ended_by),
            "packets": self.packets,
            "lost": self.lost,
            "min_invite_interval_ms": self.min_invite_interval_ms,
            "invite_times_ms": self.invite_times_ms,
        }
