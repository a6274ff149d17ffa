"""Records of numbers in memory. Several replicas may share one object."""

from collections.abc import Iterable
from datetime import timedelta

from cato_contracts.api.rules.contacts import StoredContactLimits
from cato_contracts.messages.jobs import DialJob
from cato_contracts.numbering import Numbering
from cato_dialer.contacts import AppliedLimits, LimitsInForce, NumberRecord
from cato_dialer.dial.ports.contacts import RecordMovedError, StoredRecord
from cato_runtime.clock import Clock


class MemoryContacts:
    """Implements `ports.contacts.Contacts`; `writes` counts what was written."""

    def __init__(
        self, clock: Clock, limits: Iterable[StoredContactLimits] = (), *, one_call_per_number: bool = True
    ) -> None:
        self.one_call_per_number = one_call_per_number
        self.canonical = Numbering().canonical
        self.in_force = LimitsInForce(limits)
        self.writes = 0
        self.reads = 0
        self._clock = clock
        self._records: dict[str, tuple[StoredRecord, float]] = {}

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        return None

    def limits_for(self, job: DialJob) -> tuple[AppliedLimits, ...]:
        return self.in_force.limits_for(job.user_id, job.settings.contact_limits)

    def kept_for(self, job: DialJob) -> timedelta:
        return self.in_force.kept_for(job.settings.contact_limits)

    def record(self, number: str) -> StoredRecord:
        stored, until = self._records.get(self.canonical(number), (StoredRecord(), 0.0))
        return stored if self._clock.now().timestamp() < until else StoredRecord()

    def last(self, number: str) -> NumberRecord:
        """Return what was written last, for after the world's end."""
        return self._records[self.canonical(number)][0].record

    async def read(self, number: str) -> StoredRecord:
        self.reads += 1
        return self.record(number)

    async def write(self, number: str, record: NumberRecord, *, after: int, keep: timedelta) -> int:
        if self.record(number).revision != after:
            raise RecordMovedError(f"not at {after}")
        self.writes += 1
        until = self._clock.now().timestamp() + max(1.0, keep.total_seconds())
        self._records[self.canonical(number)] = StoredRecord(record, self.writes), until
        return self.writes
