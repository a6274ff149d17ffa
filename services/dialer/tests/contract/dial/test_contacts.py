"""The contract of the records of numbers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import nats
import pytest

from cato_contracts.messages.calls import CallOwner
from cato_contracts.numbering import Numbering
from cato_dialer.contacts import Claim, NumberRecord
from cato_dialer.dial.adapters.nats.contacts.ledger import NatsContacts
from cato_dialer.dial.ports.contacts import Contacts, RecordMovedError, StoredRecord
from cato_runtime.broker import ensure_topology
from cato_runtime.clock import SystemClock
from cato_runtime.process.embedded_nats import EmbeddedNats
from services.dialer.tests.support.rules.memory_contacts import MemoryContacts

Ledgers = Callable[[], Awaitable[Contacts]]
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["memory", "nats"])
async def ledgers(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ledgers]:
    """Make the ports of replicas that share the records."""
    shared = MemoryContacts(SystemClock())
    async with AsyncExitStack() as stack:
        url = ""
        if request.param == "nats":
            url = (await stack.enter_async_context(EmbeddedNats(tmp_path / "nats"))).url

        async def one_more() -> Contacts:
            if not url:
                return shared
            client = await nats.connect(url)
            stack.push_async_callback(client.close)
            await ensure_topology(client.jetstream())
            return NatsContacts(client, Numbering(), one_call_per_number=True)

        yield one_more


def claimed() -> NumberRecord:
    claim = Claim(
        call_id=uuid4(),
        job="dial.x.1.0",
        owner=CallOwner(instance="dialer-0", incarnation=1),
        start_by=NOW,
        ends_by=NOW + MINUTE,
        user_id="user",
        task_id=uuid4(),
    )
    return NumberRecord().claimed(claim)


async def test_a_number_has_one_record_in_all_its_forms(ledgers: Ledgers) -> None:
    ledger = await ledgers()
    record = claimed()
    assert await ledger.read("+73437200041") == StoredRecord()
    revision = await ledger.write("+73437200041", record, after=0, keep=MINUTE)
    assert await ledger.read("83437200041") == StoredRecord(record, revision)
    assert await ledger.read("+4983437200041") == StoredRecord()


async def test_a_code_is_a_number_as_well(ledgers: Ledgers) -> None:
    ledger = await ledgers()
    revision = await ledger.write("*21#", claimed(), after=0, keep=MINUTE)
    assert (await ledger.read("*21#")).revision == revision
    assert await ledger.read("#21*") == StoredRecord()


async def test_of_two_claims_at_once_one_is_refused(ledgers: Ledgers) -> None:
    both = [await ledgers(), await ledgers()]
    for place in range(20):
        number = f"7{place:04d}"
        written = await asyncio.gather(
            *(ledger.write(number, claimed(), after=0, keep=MINUTE) for ledger in both),
            return_exceptions=True,
        )
        assert sorted(isinstance(one, RecordMovedError) for one in written) == [False, True], written


async def test_a_released_number_is_claimed_anew_from_nothing_or_from_its_record(ledgers: Ledgers) -> None:
    ledger, other = await ledgers(), await ledgers()
    revision = await ledger.write("1", claimed(), after=0, keep=MINUTE)
    released = await ledger.write("1", NumberRecord(), after=revision, keep=timedelta())
    stored = await other.read("1")
    assert stored in [StoredRecord(NumberRecord(), released), StoredRecord()]
    with pytest.raises(RecordMovedError):
        await ledger.write("1", claimed(), after=revision, keep=MINUTE)
    async with asyncio.timeout(30):
        while (await other.read("1")).revision:  # an empty record expires
            await asyncio.sleep(0.1)
    await other.write("1", claimed(), after=0, keep=MINUTE)
