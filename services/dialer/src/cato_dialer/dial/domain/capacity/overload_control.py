"""How many calls at once the machine carries in time.

A call that is answered and not heard is worse than one that is not made: "200 OK" would count as reached. So
when the engine falls behind the clock, no call is added, and the bound goes below what is up; it rises again
slowly (additive increase, multiplicative decrease, as congestion control has it).
"""

MEDIA_LATE_MS = 60
"""Three packets behind: what the jitter buffers of the other ends commonly bridge."""
SIGNALLING_LATE_MS = 250
"""Half of SIP's T1 (RFC 3261, 17.1.1.1): later, and the other end sends everything again."""

_DECREASE = 0.9
_STEP_S = 1.0
_INCREASE = 0.05


class Pacing:
    """`limit` is the bound now, None while there is none."""

    def __init__(self) -> None:
        self.limit: int | None = None
        self._changed_at = 0.0

    def observe(self, *, media_lag_ms: int, loop_lag_ms: int, up: int, now: float) -> None:
        """Take in how late the engine is with `up` calls; `now` in seconds, only going forward."""
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
        """Return how many calls may be up, of `capacity`; the bound goes when it no longer binds."""
        if self.limit is None:
            return capacity
        if self.limit >= capacity > 0:
            self.limit = None
            return capacity
        return min(self.limit, capacity)
