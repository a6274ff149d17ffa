"""The limits of contacts, and what is kept about numbers, in their key-value buckets."""

from collections.abc import Mapping

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig

from cato_contracts.api.rules.contacts import StoredContactLimits
from cato_contracts.ids import derived_id
from cato_contracts.subjects import CONTACT_LIMITS, CONTACTS, contact_number
from cato_dialer.campaign.adapters.rules.documents import Documents
from cato_dialer.contacts import NumberRecord
from cato_jetstream import ephemeral_feed

_SYSTEM = "system"


class NatsContactLimits(Documents[str | None, StoredContactLimits]):
    """Implements `ports.ContactLimitStore`."""

    def __init__(self, client: Client, js: JetStreamContext) -> None:
        super().__init__(js, CONTACT_LIMITS.name, StoredContactLimits, _key)
        self._client = client
        self._js = js

    async def put(self, limits: StoredContactLimits) -> None:
        await self.store(limits.user_id, limits)

    async def records(self, most: int) -> Mapping[str, NumberRecord] | None:
        found: dict[str, NumberRecord] = {}
        stream = f"KV_{CONTACTS.name}"
        async with ephemeral_feed(self._client, self._js, stream, ConsumerConfig()) as (feed, there):
            if there > most:
                return None
            left = there
            # Keys expire while they are read, so fewer may come than there were.
            while left > 0 and await feed.wait():
                stored = await feed.take_now(left)
                for each in stored:
                    number = contact_number(each.subject.rsplit(".", 1)[1])
                    found[number] = (
                        NumberRecord.model_validate_json(each.data) if each.data else NumberRecord()
                    )
                left -= len(stored)
        return found


def _key(user_id: str | None) -> str:
    return _SYSTEM if user_id is None else str(derived_id("contact-limits", user_id))
