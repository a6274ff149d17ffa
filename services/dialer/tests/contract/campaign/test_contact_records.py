"""What dialers keep about numbers, as the campaign role reads it."""

from datetime import UTC, datetime, timedelta

from cato_contracts.instants import unix_ms
from cato_contracts.numbering import Numbering
from cato_dialer.campaign.adapters.rules.nats_contact_limits import NatsContactLimits
from cato_dialer.contacts import Contact, NumberRecord
from cato_dialer.dial.adapters.nats.contacts.ledger import NatsContacts
from cato_runtime.broker import connect, ensure_topology, make_broker
from cato_runtime.process.embedded_nats import EmbeddedNats

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CALLED = NumberRecord(calls=(Contact(at=unix_ms(NOW), over=unix_ms(NOW), user_id="user"),))
KEPT = timedelta(hours=1)


async def test_the_records_of_all_numbers_are_read_unless_there_are_too_many(tmp_path):
    async with EmbeddedNats(tmp_path / "nats") as nats:
        broker = make_broker(nats.url, "test")
        client = await connect(broker)
        try:
            js = client.jetstream()
            await ensure_topology(js)
            ledger = NatsContacts(client, Numbering(), one_call_per_number=True)
            reader = NatsContactLimits(client, js)
            assert await reader.records(10) == {}
            await ledger.write("+73437200041", CALLED, after=0, keep=KEPT)
            again = await ledger.write("*21#", CALLED, after=0, keep=KEPT)
            await ledger.write("*21#", NumberRecord(), after=again, keep=KEPT)
            assert await reader.records(2) == {"+73437200041": CALLED, "*21#": NumberRecord()}
            assert await reader.records(1) is None
        finally:
            await broker.stop()
