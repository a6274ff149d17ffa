"""A bound on wrong tokens, by the address of the browser."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable

_WINDOW_S = 60.0
_MOST_ADDRESSES = 10_000


class SignInLimit:
    """Counts wrong tokens of the last minute; beyond `tries` an address has to wait."""

    def __init__(self, tries: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._tries = tries
        self._clock = clock
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, address: str) -> int:
        """Return the seconds until the address may try again; 0: now."""
        wrong = self._wrong.get(address)
        if wrong is None:
            return 0
        now = self._clock()
        while wrong and wrong[0] <= now - _WINDOW_S:
            wrong.popleft()
        if not wrong:
            del self._wrong[address]
            return 0
        return 0 if len(wrong) < self._tries else max(1, round(wrong[0] + _WINDOW_S - now))

    def wrong(self, address: str) -> None:
        """Count a wrong token."""
        self._wrong.setdefault(address, deque()).append(self._clock())
        self._wrong.move_to_end(address)
        while len(self._wrong) > _MOST_ADDRESSES:
            self._wrong.popitem(last=False)
