"""Channels leased over all replicas in the bucket `leases`.

A block of channels is a key whose value is its owner's name; it lives `ttl_s` after its last renewal. A
replica stops starting calls on a block a while before that. Who wants channels says so on a plain subject
every second; with others in want, nobody holds more than its share of what it does not use.
"""

import asyncio
import contextlib
import json
import random
from collections.abc import Coroutine, Sequence
from typing import Any
from uuid import UUID, uuid4

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from cato_contracts.errors import BrokerError
from cato_contracts.subjects import CHANNEL_PRESENCE, LEASES
from cato_dialer.dial.domain.capacity.channel_pool import Block, ChannelPool
from cato_dialer.dial.domain.capacity.start_times import next_start
from cato_dialer.dial.ports.dial import Channel, StartSlot
from cato_jetstream import Bucket, Conflict, Lease, translated
from cato_runtime.clock import Clock
from cato_runtime.station_config import StationConfig
from cato_runtime.tasks import end_tasks

log = structlog.get_logger()

_PRESENCE_S = 1.0
_ABSENT_AFTER_S = 3.5
_TTL_S = 10
_MARGIN_S = 2.0
_RENEW_AFTER_S = 3.0
_IDLE_S = 5.0
_IDLE_FOR_OTHERS_S = 0.5
_TRY_AGAIN_S = 0.5
_TIMEOUT_S = 2.0
_SLOT_TRIES = 20
_LICENCE = "licence"


class _Channel:
    """A channel of a station, and with it one of the licence where that is the tighter bound."""

    def __init__(self, ledger: "NatsChannelLedger", station_id: UUID, blocks: Sequence[Block]) -> None:
        self._ledger = ledger
        self._station_id = station_id
        self._blocks = blocks
        for block in blocks:
            block.in_use += 1

    @property
    def station_id(self) -> UUID:
        return self._station_id

    def release(self) -> None:
        now = asyncio.get_running_loop().time()
        for block in self._blocks:
            block.in_use -= 1
            block.idle_since = now
        if self._blocks:
            self._blocks = ()
            self._ledger.announce()


class NatsChannelLedger:
    """One replica's channels."""

    def __init__(
        self, client: Client, stations: Sequence[StationConfig], max_channels: int, clock: Clock
    ) -> None:
        self._client = client
        self._bucket = Bucket(client.jetstream(timeout=_TIMEOUT_S), LEASES.name, timeout_s=_TIMEOUT_S)
        self._leases: dict[str, Lease] = {}
        self._stations = {station.id: station for station in stations}
        self._clock = clock
        self._name = str(uuid4())
        self._pools = {station.id: ChannelPool(str(station.id), station.channels) for station in stations}
        self._max_channels = max_channels
        total = sum(station.channels for station in stations)
        self._licence = ChannelPool(_LICENCE, max_channels) if max_channels < total else None
        self._freed = asyncio.Event()
        self._needed = asyncio.Event()
        self._others: dict[str, tuple[float, frozenset[str]]] = {}
        self._active_until = 0.0
        self._try_again_at: dict[str, float] = {}
        self._slots: dict[UUID, tuple[int | None, int]] = {}
        self._slot_locks = {station.id: asyncio.Lock() for station in stations}
        self._subscription: Subscription | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._subscription = await self._client.subscribe(CHANNEL_PRESENCE, cb=self._on_presence)
        self._keeper = asyncio.create_task(self._keep())

    async def close(self) -> None:
        await end_tasks(self._keeper)
        for pool in self._all_pools():
            await asyncio.gather(*(self._give_back(pool, block) for block in tuple(pool.blocks.values())))
        if self._subscription is not None:
            await self._subscription.unsubscribe()

    def acquire(self, station_id: UUID) -> Channel | None:
        now = asyncio.get_running_loop().time()
        blocks = [pool.available(now) for pool in self._pools_of(station_id)]
        whole = [block for block in blocks if block is not None]
        if len(whole) < len(blocks):
            return None
        self._active_until = now + _IDLE_S
        return _Channel(self, station_id, whole)

    def capacity(self) -> int:
        members = self._members()
        stations = sum(pool.share(members) * pool.block_size for pool in self._pools.values())
        if self._licence is None:
            return stations
        return min(stations, self._licence.share(members) * self._licence.block_size)

    def usage(self, station_id: UUID) -> tuple[int, int]:
        """Return how many channels of the station this replica holds, and how many it uses."""
        blocks = self._pools[station_id].blocks.values()
        return sum(block.size for block in blocks), sum(block.in_use for block in blocks)

    def freed(self, station_ids: Sequence[UUID]) -> Coroutine[Any, Any, None]:
        return self._want_until(self._freed, station_ids)

    async def _want_until(self, freed: asyncio.Event, station_ids: Sequence[UUID]) -> None:
        pools = {pool.name: pool for station_id in station_ids for pool in self._pools_of(station_id)}
        for pool in pools.values():
            pool.wanted += 1
        self._needed.set()
        try:
            await freed.wait()
        finally:
            for pool in pools.values():
                pool.wanted -= 1

    async def reserve_start(self, station_id: UUID) -> StartSlot:
        station = self._stations[station_id]
        if station.min_call_interval_ms == 0:
            return StartSlot(self._clock.now(), None, delayed=False)
        key = f"start.{station_id}"
        # One of ours at a time: we should only have to compete with other replicas.
        async with self._slot_locks[station_id]:
            next_free, revision = self._slots.get(station_id) or await self._read_slot(key)
            for _ in range(_SLOT_TRIES):
                start = next_start(
                    station.channels, station.min_call_interval_ms, self._clock.now(), next_free
                )
                try:
                    written = await self._bucket.write(key, str(start.next_free).encode(), after=revision)
                except Conflict:
                    next_free, revision = await self._read_slot(key)
                else:
                    self._slots[station_id] = (start.next_free, written.sequence)
                    return StartSlot(start.at, start.until, start.delayed)
        raise BrokerError(f"no start for station {station_id} could be reserved")

    def announce(self) -> None:
        """Wake whoever waits for a channel, and the keeper."""
        self._freed.set()
        self._freed = asyncio.Event()
        self._needed.set()

    async def _read_slot(self, key: str) -> tuple[int | None, int]:
        entry = await self._bucket.read(key)
        return (int(entry.value) if entry.value else None), entry.revision

    def _pools_of(self, station_id: UUID) -> list[ChannelPool]:
        station = self._pools[station_id]
        return [station] if self._licence is None else [station, self._licence]

    def _all_pools(self) -> list[ChannelPool]:
        return [*self._pools.values(), *([self._licence] if self._licence else [])]

    def _members(self) -> int:
        now = asyncio.get_running_loop().time()
        return 1 + sum(until > now for until, _ in self._others.values())

    def _in_want_elsewhere(self, pool: ChannelPool) -> bool:
        now = asyncio.get_running_loop().time()
        return any(until > now and pool.name in wants for until, wants in self._others.values())

    async def _on_presence(self, message: Msg) -> None:
        said = json.loads(message.data)
        if said["name"] == self._name:
            return
        until = asyncio.get_running_loop().time() + _ABSENT_AFTER_S
        self._others[said["name"]] = (until, frozenset(said["wants"]))
        if said["wants"]:
            self._needed.set()
        if said["gave"]:
            self._try_again_at.clear()
            self._needed.set()

    async def _keep(self) -> None:
        """Renew, gain and give back: every second, and at once when somebody is in want."""
        loop = asyncio.get_running_loop()
        told_at = 0.0
        while True:
            self._needed.clear()
            try:
                if loop.time() - told_at >= _PRESENCE_S:
                    told_at = loop.time()
                    await self._tell_presence()
                if any([await self._keep_pool(pool) for pool in self._all_pools()]):
                    self.announce()
            except BrokerError as error:
                log.warning("the channels' leases cannot be kept now", error=repr(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PRESENCE_S):
                    await self._needed.wait()

    async def _tell_presence(self, *, gave: bool = False) -> None:
        now = asyncio.get_running_loop().time()
        wants = [pool.name for pool in self._all_pools() if pool.wanted and pool.available(now) is None]
        if gave or wants or now < self._active_until or any(pool.blocks for pool in self._all_pools()):
            said = {"name": self._name, "wants": wants, "gave": gave}
            with translated():
                await self._client.publish(CHANNEL_PRESENCE, json.dumps(said).encode())

    async def _keep_pool(self, pool: ChannelPool) -> bool:
        """Look after one pool; tell whether there may be channels where there were none."""
        now = asyncio.get_running_loop().time()
        renew_below = now + _TTL_S - _MARGIN_S - _RENEW_AFTER_S
        due = [block for block in pool.blocks.values() if block.valid_until < renew_below]
        restored = await asyncio.gather(*(self._renew(pool, block) for block in due))
        in_want = self._in_want_elsewhere(pool)
        kept = False
        if in_want:
            pool.shed(self._members())
        else:
            kept = pool.keep_all()
        returns = pool.to_give_back(now, _IDLE_FOR_OTHERS_S if in_want else _IDLE_S)
        await asyncio.gather(*(self._give_back(pool, block) for block in returns))
        if returns:
            await self._tell_presence(gave=True)
        return await self._gain(pool) or any(restored) or kept

    async def _renew(self, pool: ChannelPool, block: Block) -> bool:
        """Renew a block; tell whether it had run out and is ours again."""
        lease, sent_at = self._lease(pool, block.index), asyncio.get_running_loop().time()
        try:
            held = await lease.take()
        except BrokerError as error:
            log.warning("a block of channels could not be renewed", pool=pool.name, error=str(error))
            return False
        if not held:
            log.warning("a block of channels was lost", pool=pool.name, block=block.index)
            pool.blocks.pop(block.index, None)
            return False
        had_run_out = block.valid_until <= sent_at
        block.valid_until = lease.valid_until
        return had_run_out

    async def _give_back(self, pool: ChannelPool, block: Block) -> None:
        pool.blocks.pop(block.index, None)
        try:
            await self._lease(pool, block.index).release()
        except BrokerError as error:
            log.info("a block of channels runs out by itself", pool=pool.name, error=str(error))

    def _lease(self, pool: ChannelPool, index: int) -> Lease:
        key = f"channels.{pool.name}.{index}"
        if key not in self._leases:
            self._leases[key] = Lease(
                self._bucket, key, self._name.encode(), ttl_s=_TTL_S, margin_s=_MARGIN_S
            )
        return self._leases[key]

    async def _gain(self, pool: ChannelPool) -> bool:
        """Take what is wanted and not there, up to our share if others are in want, too."""
        loop = asyncio.get_running_loop()
        free = sum(
            block.size - block.in_use for block in pool.blocks.values() if block.valid_until > loop.time()
        )
        count = -(-(pool.wanted - free) // pool.block_size)
        if self._in_want_elsewhere(pool):
            count = min(count, pool.share(self._members()) - len(pool.blocks))
        if count <= 0 or loop.time() < self._try_again_at.get(pool.name, 0.0):
            return False
        missing = pool.missing()
        random.shuffle(missing)
        gained = False
        while count > 0 and missing:
            batch, missing = missing[:count], missing[count:]
            won = sum(await asyncio.gather(*(self._take(pool, index) for index in batch)))
            count -= won
            gained = gained or won > 0
        if count > 0:
            self._try_again_at[pool.name] = loop.time() + _TRY_AGAIN_S
        return gained

    async def _take(self, pool: ChannelPool, index: int) -> bool:
        lease, sent_at = self._lease(pool, index), asyncio.get_running_loop().time()
        if not await lease.take():
            return False
        pool.blocks[index] = Block(
            index=index, size=pool.size_of(index), valid_until=lease.valid_until, idle_since=sent_at
        )
        return True
