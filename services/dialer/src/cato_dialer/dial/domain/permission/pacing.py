"""Which pacing rule applies to a call, what it bounds, and when the next call may start."""

import heapq
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from cato_contracts.api.rules.pacing import PacingRule
from cato_contracts.ids import derived_id
from cato_dialer.dial.domain.capacity.start_times import Start, first_free

_LENIENCE_MS = 50
"""A start may be late by this much, and may take as long again from the check of the clock to the wire."""
AHEAD = timedelta(seconds=1)
"""A start is reserved at most this long before its time. Until then a job waits in the queue."""
_FULL_DELAY_S = 1.0
_RETURNS_PER_S = 50
_LONGEST_DELAY_S = 300.0


@dataclass(frozen=True, slots=True)
class CallBound:
    """A bound on simultaneous calls in addition to those of stations and licence; `name` is unique to it."""

    name: str
    channels: int


@dataclass(frozen=True, slots=True)
class Pace:
    """A rule as dialers apply it. `step_ms`: between two starts, None without a bound on starts."""

    key: str
    station_id: UUID | None
    bound: CallBound | None
    step_ms: int | None

    @classmethod
    def of(cls, rule: PacingRule) -> "Pace":
        key = f"pacing-{derived_id('pacing-rule', rule.name)}"
        # The bound is part of the name: blocks of two sizes would not fit one another.
        bound = None if rule.max_calls is None else CallBound(f"{key}-{rule.max_calls}", rule.max_calls)
        return cls(key, rule.station_id, bound, _step_ms(rule.max_calls_per_s))


def _step_ms(per_s: float | None) -> int | None:
    """Return the interval of starts with which no second has more of them than the rule allows.

    Starts come closer by their lateness. The interval makes up for that: the starts of a second take 1.1 s.
    """
    return None if per_s is None else math.ceil((1000 + 2 * _LENIENCE_MS * min(1.0, per_s)) / per_s)


class PaceTable:
    """The rules by prefix. The longest prefix wins; of the same, the rule for the station of the call."""

    def __init__(self, rules: Iterable[PacingRule] = ()) -> None:
        self._by_prefix: dict[str, list[Pace]] = {}
        self.paces: list[Pace] = []
        for rule in sorted(rules, key=lambda rule: (rule.station_id is None, rule.name)):
            pace = Pace.of(rule)
            self.paces.append(pace)
            for prefix in rule.prefixes:
                self._by_prefix.setdefault(prefix, []).append(pace)
        self._lengths = sorted({len(prefix) for prefix in self._by_prefix}, reverse=True)

    def pace_for(self, number: str, station_id: UUID) -> Pace | None:
        """Return what applies to a call of this number through this station."""
        for length in self._lengths:
            for pace in self._by_prefix.get(number[:length], ()):
                if pace.station_id is None or pace.station_id == station_id:
                    return pace
        return None


def paced_start(step_ms: int, earliest: datetime, next_free: int | None) -> Start:
    """Return the first start from `earliest` on that a rule allows."""
    return first_free(earliest, next_free, step_ms=step_ms, lenience_ms=_LENIENCE_MS)


@dataclass(slots=True)
class HeldJobs:
    """The jobs of one rule that this replica has returned to the queue, by the times of their return.

    Each further job returns later, so that many of them cost few deliveries, and none waits for a free place.
    """

    returns: list[float] = field(default_factory=list)

    def hold(self, now: float, *, first_s: float = _FULL_DELAY_S, step_s: float = 0.0) -> float:
        """Return for how long one more job waits; `now` in seconds of any monotonic clock."""
        while self.returns and self.returns[0] <= now:
            heapq.heappop(self.returns)
        step_s = max(step_s, 1 / _RETURNS_PER_S)
        delay_s = min(first_s + len(self.returns) * step_s, _LONGEST_DELAY_S)
        heapq.heappush(self.returns, now + delay_s)
        return delay_s
