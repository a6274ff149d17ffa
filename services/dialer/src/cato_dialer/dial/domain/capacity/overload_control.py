"""Limit the simultaneous calls to the number that the machine carries without delay.

A call that is answered but not heard is worse than a call that is not made: its "200 OK" would count as
reached. When the engine falls behind the clock, no call is added and the bound drops below the calls that are
up; it then rises slowly (additive increase, multiplicative decrease, as in congestion control).
"""

MEDIA_LATE_MS = 60
"""Three packets: the delay that jitter buffers commonly bridge."""
SIGNALLING_LATE_MS = 250
"""Half of SIP's T1 (RFC 3261, 17.1.1.1): beyond T1 the other end retransmits every message."""

_DECREASE = 0.9
_STEP_S = 1.0
_INCREASE = 0.05


class OverloadControl:
    """Limits the simultaneous calls; `limit` is the present bound, None while the engine keeps up."""

    def __init__(self) -> None:
        self.limit: int | None = None
        self._changed_at = 0.0

    def observe(self, *, media_lag_ms: int, loop_lag_ms: int, up: int, now: float) -> None:
        """Record how late the engine is with `up` calls; `now` in seconds of a monotonic clock."""
        late = media_lag_ms > MEDIA_LATE_MS or loop_lag_ms > SIGNALLING_LATE_MS
        if self.limit is None and not late:
            return
        if self.limit is not None and now - self._changed_at < _STEP_S:
            return
        self._changed_at = now
        if late:
            bound = up if self.limit is None else min(up, self.limit)
            self.limit = max(1, int(bound * _DECREASE))
        elif self.limit is not None:
            self.limit += max(1, int(self.limit * _INCREASE))

    def bounded(self, capacity: int) -> int:
        """Return how many calls of `capacity` may be up; a bound at or above `capacity` is dropped."""
        if self.limit is None:
            return capacity
        if self.limit >= capacity > 0:
            self.limit = None
            return capacity
        return min(self.limit, capacity)
