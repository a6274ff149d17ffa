"""The audit log in a stream of a real broker: in pages, once each, and never removed."""

from datetime import UTC, datetime

import nats
import pytest
from faststream.nats import NatsBroker
from nats.js.errors import APIError

from cato_contracts.envelope import Envelope
from cato_contracts.messages.audit import ChangeMade
from cato_contracts.subjects import AUDIT
from cato_gateway.adapters.nats_audit_log import NatsAuditLog
from cato_runtime.broker import ensure_topology
from cato_runtime.process.embedded_nats import EmbeddedNats


def change(no: int) -> Envelope[ChangeMade]:
    body = ChangeMade(user_id="user", admin=False, operation="start_task", resource_id=str(no))
    return Envelope[ChangeMade].wrap(
        body, event_id=f"command-{no}", occurred_at=datetime.now(UTC), correlation_id=f"request-{no}"
    )


async def test_changes_are_kept_once_and_come_from_the_newest_in_pages(tmp_path):
    async with EmbeddedNats(tmp_path / "nats") as server, NatsBroker(server.url, logger=None) as broker:
        client = await nats.connect(server.url)
        js = client.jetstream()
        await ensure_topology(js)
        audit = NatsAuditLog(broker, js)
        assert await audit.page(before=None, limit=10) == ([], None)
        for no in (1, 2, 2, 3, 4, 5):
            await audit.append(change(no))
        first = await audit.page(before=None, limit=2)
        assert [one.body.resource_id for one in first.changes] == ["5", "4"]
        second = await audit.page(before=first.before, limit=2)
        assert [one.correlation_id for one in second.changes] == ["request-3", "request-2"]
        last = await audit.page(before=second.before, limit=2)
        assert [one.body.resource_id for one in last.changes] == ["1"]
        assert last.before is None
        for removal in (js.delete_msg(AUDIT.name, 1), js.purge_stream(AUDIT.name)):
            with pytest.raises(APIError):
                await removal
        await client.close()
