"""The limits of contacts, and what is kept about numbers, in their key-value buckets."""

from collections.abc import Mapping

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig

from cato_contracts.api.rules.contacts import StoredContactLimits
from cato_contracts.ids import derived_id
from cato_contracts.subjects import CONTACT_LIMITS, CONTACTS, contact_number
from cato_dialer.contacts import NumberRecord
from cato_jetstream import Bucket, ephemeral_feed

_SYSTEM = "system"


class NatsContactLimits:
    """Implements `ports.ContactLimitStore`."""

    def __init__(self, client: Client, js: JetStreamContext) -> None:
        self._client = client
        self._js = js
        self._bucket = Bucket(js, CONTACT_LIMITS.name)

    async def put(self, limits: StoredContactLimits) -> None:
        await self._bucket.put(_key(limits.user_id), limits.model_dump_json(by_alias=True).encode())

    async def remove(self, user_id: str | None) -> None:
        await self._bucket.remove(_key(user_id))

    async def get(self, user_id: str | None) -> StoredContactLimits | None:
        value = (await self._bucket.read(_key(user_id))).value
        return None if value is None else StoredContactLimits.model_validate_json(value)

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
