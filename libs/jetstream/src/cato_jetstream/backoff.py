"""The waiting time before the next attempt."""

import random

_FIRST_S = 0.01
_LONGEST_S = 1.0


def backoff_s(attempt: int) -> float:
    """Seconds to wait after a failed attempt, counted from 0; full jitter spreads competing clients."""
    longest = min(_LONGEST_S, _FIRST_S * 2 ** min(attempt, 10))
    return random.uniform(0, longest)  # noqa: S311 - not a secret
