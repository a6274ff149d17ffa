"""Messages between replicas about channels: presence, channels wanted, channels released."""

import asyncio
import json
from collections.abc import Callable, Collection

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from cato_contracts.subjects import CHANNEL_PRESENCE
from cato_dialer.dial.domain.capacity.channel_allocator import Peers
from cato_jetstream import translated

_ABSENT_AFTER_S = 3.5


class ChannelPresence:
    """Plain messages without acknowledgement, as a lost one is followed by the next a second later.

    `wanted` is called when another replica wants channels, `given_back` when one has released some.
    """

    def __init__(
        self, client: Client, name: str, wanted: Callable[[], None], given_back: Callable[[], None]
    ) -> None:
        self._client = client
        self._name = name
        self._wanted = wanted
        self._given_back = given_back
        self._others: dict[str, tuple[float, frozenset[str]]] = {}
        self._subscription: Subscription | None = None

    async def open(self) -> None:
        self._subscription = await self._client.subscribe(CHANNEL_PRESENCE, cb=self._receive)

    async def close(self) -> None:
        if self._subscription is not None:
            await self._subscription.unsubscribe()

    def peers(self) -> Peers:
        """Return the other replicas that have announced themselves lately."""
        now = asyncio.get_running_loop().time()
        present = [wants for until, wants in self._others.values() if until > now]
        return Peers(len(present), frozenset().union(*present))

    async def tell(self, wants: Collection[str], *, gave: bool) -> None:
        """Announce this replica to the others. Raises Unavailable."""
        said = {"name": self._name, "wants": list(wants), "gave": gave}
        with translated():
            await self._client.publish(CHANNEL_PRESENCE, json.dumps(said).encode())

    async def _receive(self, message: Msg) -> None:
        said = json.loads(message.data)
        if said["name"] == self._name:
            return
        until = asyncio.get_running_loop().time() + _ABSENT_AFTER_S
        self._others[said["name"]] = (until, frozenset(said["wants"]))
        if said["wants"]:
            self._wanted()
        if said["gave"]:
            self._given_back()
