"""Whether an INVITE may still be sent, asked right before it leaves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cato_contracts.instants import now_ms
from cato_dialer.dial.adapters.pjsua2 import protocol
from cato_dialer.dial.adapters.pjsua2.worker import pj_events
from cato_dialer.dial.domain.call.line_events import ReleaseCause


class LastMoment:
    """Compares orders with the clock; `note` gets an event for each that is too late."""

    def __init__(self, note: Callable[[pj_events.PjEvent], None]) -> None:
        self._note = note
        self._sending: protocol.Place | None = None

    def missed(self, order: protocol.Place) -> bool:
        """Tell whether the latest time of an order has passed; the call is over then."""
        now = now_ms()
        if order.not_after is None or now <= order.not_after:
            return False
        self._note(pj_events.Unsent(order.line, now, ReleaseCause.MISSED, "the order was too late"))
        return True

    @contextmanager
    def sending(self, order: protocol.Place) -> Iterator[None]:
        """Have the library make the INVITE of an order inside."""
        self._sending = order
        try:
            yield
        finally:
            self._sending = None

    def may_send(self) -> bool:
        """Tell whether a request may leave now: the first INVITE of a call only until its latest time.

        The library has made it since the last look at the clock, which takes long on a busy machine.
        """
        order, self._sending = self._sending, None
        return order is None or not self.missed(order)
