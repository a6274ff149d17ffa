"""Follow the limits of contacts in the bucket `contact_limits`."""

from nats.aio.client import Client

from cato_contracts.api.rules.contacts import StoredContactLimits
from cato_contracts.subjects import CONTACT_LIMITS
from cato_dialer.contacts import LimitsInForce
from cato_dialer.dial.adapters.nats.bucket_follower import FollowedDocuments


class FollowedLimits:
    """The limits of users and of the system as last read."""

    def __init__(self, client: Client) -> None:
        self.in_force = LimitsInForce()
        self._documents = FollowedDocuments(
            client,
            CONTACT_LIMITS.name,
            StoredContactLimits,
            self._use,
            what="limits of contacts",
            undecodable="limits of contacts cannot be decoded",
        )

    async def open(self) -> None:
        """Read the limits, then follow their changes. Raises Unavailable."""
        await self._documents.open()

    async def close(self) -> None:
        await self._documents.close()

    def _use(self, found: dict[str, StoredContactLimits]) -> None:
        self.in_force = LimitsInForce(found.values())
