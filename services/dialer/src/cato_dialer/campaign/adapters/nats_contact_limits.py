"""The limits of contacts in their key-value bucket."""

from nats.js import JetStreamContext

from cato_contracts.api.rules.contacts import StoredContactLimits
from cato_contracts.ids import derived_id
from cato_contracts.subjects import CONTACT_LIMITS
from cato_jetstream import Bucket

_SYSTEM = "system"


class NatsContactLimits:
    """Implements `ports.ContactLimitStore`."""

    def __init__(self, js: JetStreamContext) -> None:
        self._bucket = Bucket(js, CONTACT_LIMITS.name)

    async def put(self, limits: StoredContactLimits) -> None:
        await self._bucket.put(_key(limits.user_id), limits.model_dump_json(by_alias=True).encode())

    async def remove(self, user_id: str | None) -> None:
        await self._bucket.remove(_key(user_id))

    async def get(self, user_id: str | None) -> StoredContactLimits | None:
        value = (await self._bucket.read(_key(user_id))).value
        return None if value is None else StoredContactLimits.model_validate_json(value)


def _key(user_id: str | None) -> str:
    return _SYSTEM if user_id is None else str(derived_id("contact-limits", user_id))
