"""The incarnations of dial processes: keys of the bucket `leases`, whose revision counts the starts."""

from nats.aio.client import Client
from nats.aio.msg import Msg

from cato_contracts.errors import TemporaryError
from cato_contracts.messages.calls import CallOwner
from cato_contracts.subjects import instance_presence
from cato_jetstream import Bucket, NoListener, TimedOut, translated

_KNOWN_S = 30 * 24 * 3_600
"""A name that is not started again is forgotten after this time."""
_PATIENCE_S = 0.5


class NatsIncarnations:
    """`own` is this process's name and incarnation. Made by `claim`."""

    def __init__(self, bucket: Bucket, own: CallOwner) -> None:
        self._bucket = bucket
        self.own = own

    async def newest(self, instance: str) -> int:
        return (await self._bucket.read(_key(instance))).revision


async def claim(client: Client, bucket: Bucket, instance: str) -> NatsIncarnations:
    """Start a new incarnation of a name.

    Raises:
        TemporaryError: if a running process answers by this name: it has a copy of the data directory.

    """
    subject = instance_presence(instance)
    try:
        with translated():
            await client.request(subject, b"", timeout=_PATIENCE_S)
    except (TimedOut, NoListener):
        pass
    else:
        raise TemporaryError(f"another dialer runs under the name {instance}")

    async def answer(message: Msg) -> None:
        await message.respond(b"")

    await client.subscribe(subject, cb=answer)
    revision = await bucket.put(_key(instance), b"", ttl_s=_KNOWN_S)
    return NatsIncarnations(bucket, CallOwner(instance=instance, incarnation=revision))


def _key(instance: str) -> str:
    return f"dialer.{instance}"
