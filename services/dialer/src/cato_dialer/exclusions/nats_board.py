"""The positions of the dialers in the bucket `leases`: a key for each of them, which expires."""

import asyncio

from nats.aio.client import Client

from cato_contracts.messages.calls import CallOwner
from cato_contracts.subjects import LEASES
from cato_jetstream import Bucket, Conflict, translated

_PREFIX = "exclusions"


class NatsReadingBoard:
    """`own` is the process that announces its position; None for one that only reads them."""

    def __init__(self, client: Client, own: CallOwner | None = None) -> None:
        self._js = client.jetstream(timeout=2.0)
        self._bucket = Bucket(self._js, LEASES.name)
        self._key = f"{_PREFIX}.{own.instance}.{own.incarnation}" if own else ""
        self._revision = 0

    async def announce(self, position: int, ttl_s: int) -> None:
        self._revision = await self._bucket.put(self._key, str(position).encode(), ttl_s=ttl_s)

    async def withdraw(self) -> None:
        if not self._revision:
            return
        try:
            await self._bucket.delete(self._key, after=self._revision)
        except Conflict:
            return  # it has expired, or an announcement whose answer was lost came later: that expires

    async def positions(self) -> list[int]:
        subjects = f"$KV.{LEASES.name}.{_PREFIX}.>"
        with translated():
            info = await self._js.stream_info(f"KV_{LEASES.name}", subjects_filter=subjects)
        keys = [subject.removeprefix(f"$KV.{LEASES.name}.") for subject in info.state.subjects or {}]
        entries = await asyncio.gather(*(self._bucket.read(key) for key in keys))
        return [int(entry.value) for entry in entries if entry.value]
