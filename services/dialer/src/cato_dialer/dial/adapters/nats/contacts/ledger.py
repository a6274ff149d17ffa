"""The records of numbers in the bucket `contacts`: one message for each number, which expires."""

import math
from datetime import timedelta

from nats.aio.client import Client

from cato_contracts.messages.jobs import DialJob
from cato_contracts.numbering import Numbering
from cato_contracts.subjects import CONTACTS, contact_key
from cato_dialer.contacts import (
    AppliedLimits,
    NumberRecord,
)
from cato_dialer.dial.adapters.nats.contacts.limits import FollowedLimits
from cato_dialer.dial.ports.contacts import RecordMovedError, StoredRecord
from cato_jetstream import ConditionalPublisher, Conflict, StoredAcks, SubjectReader, translated

_TIMEOUT_S = 5.0
_STREAM = f"KV_{CONTACTS.name}"
_LEAST_TTL_S = 1


class NatsContacts:
    """Implements `ports.contacts.Contacts`."""

    def __init__(
        self,
        client: Client,
        numbering: Numbering,
        *,
        one_call_per_number: bool,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        self.one_call_per_number = one_call_per_number
        self.canonical = numbering.canonical
        self._limits = FollowedLimits(client)
        self._reader = SubjectReader(client, _STREAM, timeout_s=timeout_s)
        self._publisher = ConditionalPublisher(
            client.jetstream(timeout=timeout_s),
            _STREAM,
            timeout_s=timeout_s,
            acks=StoredAcks(client, timeout_s=timeout_s),
        )

    async def open(self) -> None:
        await self._limits.open()

    async def close(self) -> None:
        await self._limits.close()

    def limits_for(self, job: DialJob) -> tuple[AppliedLimits, ...]:
        return self._limits.in_force.limits_for(job.user_id, job.settings.contact_limits)

    def kept_for(self, job: DialJob) -> timedelta:
        return self._limits.in_force.kept_for(job.settings.contact_limits)

    async def read(self, number: str) -> StoredRecord:
        with translated():
            last = await self._reader.last(self._subject(number))
        if last is None:
            return StoredRecord()
        record = NumberRecord.model_validate_json(last.data) if last.data else NumberRecord()
        return StoredRecord(record, last.sequence)

    async def write(self, number: str, record: NumberRecord, *, after: int, keep: timedelta) -> int:
        ttl_s = max(_LEAST_TTL_S, math.ceil(keep.total_seconds()))
        data = b"" if record == NumberRecord() else record.model_dump_json(exclude_defaults=True).encode()
        try:
            written = await self._publisher.publish(self._subject(number), data, expected=after, ttl_s=ttl_s)
        except Conflict as error:
            raise RecordMovedError(f"the record of a number has moved: {error}") from error
        return written.sequence

    def _subject(self, number: str) -> str:
        return f"$KV.{CONTACTS.name}.{contact_key(self.canonical(number))}"
