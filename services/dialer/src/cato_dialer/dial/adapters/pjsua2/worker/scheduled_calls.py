"""Orders whose INVITE is due later."""

from collections.abc import Sequence

from cato_dialer.dial.adapters.pjsua2 import protocol


class ScheduledCalls:
    """Keeps orders until their time, on the clock of `now_ms` (Unix ms)."""

    def __init__(self) -> None:
        self._orders: list[protocol.Place] = []

    def __len__(self) -> int:
        return len(self._orders)

    def add(self, order: protocol.Place) -> None:
        self._orders.append(order)
        self._orders.sort(key=_time)

    def take_due(self, now_ms: int) -> Sequence[protocol.Place]:
        due = [order for order in self._orders if _time(order) <= now_ms]
        del self._orders[: len(due)]
        return due

    def wait_ms(self, now_ms: int, at_most: int) -> int:
        """Return the time until the next order is due, `at_most` if there is none before."""
        if not self._orders:
            return at_most
        return min(max(_time(self._orders[0]) - now_ms, 0), at_most)

    def cancel(self, line: int) -> bool:
        """Remove the order for this line; tell whether there was one."""
        kept = [order for order in self._orders if order.line != line]
        found = len(kept) < len(self._orders)
        self._orders = kept
        return found

    def lines(self) -> Sequence[int]:
        return [order.line for order in self._orders]


def _time(order: protocol.Place) -> int:
    return order.not_before or 0
