"""Limits of contacts, checked at the exchange call by call."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from uuid import UUID

from cato_contracts.api.rules.contacts import ContactLimits, ContactLimitsOwner, ContactScope
from cato_contracts.messages.calls import CallEvent
from cato_contracts.messages.runs import RunSnapshot
from cato_dialer.dial.ports.trunk import CallOrder

_ROUNDING_S = 0.002


class ContactWitness:
    """Keeps every INVITE and every end of a call by number, and judges each INVITE."""

    def __init__(self, limits: Iterable[ContactLimits], violated: Callable[[str], None]) -> None:
        self._limits = tuple(limits)
        self._violated = violated
        self._of_call: dict[UUID, RunSnapshot] = {}
        self._sent: defaultdict[str, list[tuple[float, RunSnapshot]]] = defaultdict(list)
        self._ended: defaultdict[str, list[tuple[float, RunSnapshot]]] = defaultdict(list)
        self._invited: set[UUID] = set()

    def note(self, event: CallEvent, snapshot: RunSnapshot) -> None:
        self._of_call[event.call_id] = snapshot

    def calls_to(self, number: str) -> int:
        return len(self._sent[number])

    def invited(self, order: CallOrder) -> None:
        run, now, number = self._of_call[order.call_id], asyncio.get_running_loop().time(), order.number
        self._sent[number].append((now, run))
        self._invited.add(order.call_id)
        own = run.settings.contact_limits
        for limits in (*self._limits, *([own] if own else ())):
            self._judge(limits, number, run, now)

    def gone(self, order: CallOrder) -> None:
        if order.call_id in self._invited:
            now = asyncio.get_running_loop().time()
            self._ended[order.number].append((now, self._of_call[order.call_id]))

    def _judge(self, limits: ContactLimits, number: str, run: RunSnapshot, now: float) -> None:
        owner = getattr(limits, "scope", ContactLimitsOwner.USER)
        if owner is ContactLimitsOwner.USER and getattr(limits, "user_id", run.user_id) != run.user_id:
            return

        def counts(other: RunSnapshot) -> bool:
            if owner is ContactLimitsOwner.USER and other.user_id != run.user_id:
                return False
            return limits.over is ContactScope.ALL_TASKS or other.task_id == run.task_id

        for limit in limits.limits:
            since = now - limit.per_s + _ROUNDING_S
            calls = sum(at > since and counts(other) for at, other in self._sent[number])
            if calls > limit.max_calls:
                self._violated(f"{number} has call {calls} within {limit.per_s} s, by {limits}")
        ends = [at for at, other in self._ended[number] if counts(other)]
        if ends and now < max(ends) + limits.min_gap_s - _ROUNDING_S:
            self._violated(f"{number} is called {now - max(ends):.3f} s after a call, by {limits}")
