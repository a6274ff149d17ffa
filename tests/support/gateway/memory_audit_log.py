"""The audit log in memory, for tests."""

from cato_contracts.envelope import Envelope
from cato_contracts.errors import BrokerError
from cato_contracts.messages.audit import ChangeMade
from cato_gateway.ports import AuditPage


class MemoryAuditLog:
    """Positions count from 1. While it is `away`, nothing can be stored."""

    def __init__(self) -> None:
        self.changes: list[Envelope[ChangeMade]] = []
        self.away = False

    async def append(self, change: Envelope[ChangeMade]) -> None:
        if self.away:
            raise BrokerError("the audit log does not answer")
        if all(known.event_id != change.event_id for known in self.changes):
            self.changes.append(change)

    async def page(self, *, before: int | None, limit: int) -> AuditPage:
        last = len(self.changes) if before is None else min(len(self.changes), before - 1)
        after = max(0, last - limit)
        found = self.changes[after : max(after, last)][::-1]
        return AuditPage(found, after + 1 if 0 < after < last else None)
