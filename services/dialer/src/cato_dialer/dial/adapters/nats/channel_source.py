"""Channels leased over all replicas in the bucket `leases`.

A block of channels is a key whose value is its holder's name. The key expires some time after its last
renewal, and a replica stops starting calls on the block a while before that. `ChannelAllocator` decides which
blocks are renewed, released and taken; this adapter carries it out.
"""

import asyncio
import contextlib
import random
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from nats.aio.client import Client

from cato_contracts.errors import BrokerError
from cato_contracts.subjects import LEASES
from cato_dialer.dial.adapters.nats.channel_presence import ChannelPresence
from cato_dialer.dial.adapters.nats.pacing.station_starts import NatsStationStarts
from cato_dialer.dial.domain.capacity.channel_allocator import ChannelAllocator
from cato_dialer.dial.domain.capacity.channel_pool import Block, ChannelPool
from cato_dialer.dial.domain.capacity.licence import Licence
from cato_dialer.dial.domain.permission.pacing import CallBound
from cato_dialer.dial.domain.station import Station
from cato_dialer.dial.ports.dial import Channel, StartSlot
from cato_jetstream import Bucket, Lease
from cato_runtime.clock import Clock
from cato_runtime.process.tasks import end_tasks

log = structlog.get_logger()

_MARGIN_S = 2.0
_KEEP_S = 1.0
_ACTIVE_S = 5.0
_TRY_AGAIN_S = 0.5
KEEP_AHEAD = timedelta(seconds=15)
"""A block in use is kept this much longer, so that the next short call on it needs no write."""
_TIMEOUT_S = 2.0
_LICENCE = "licence"
_ORDINARY = "ordinary"


class _Channel:
    """A channel of a station, and with it one of each further pool that bounds the call."""

    def __init__(
        self, source: "NatsChannelSource", station_id: UUID, blocks: Sequence[tuple[ChannelPool, Block]]
    ) -> None:
        self._source = source
        self._station_id = station_id
        self._blocks = blocks
        for _, block in blocks:
            block.in_use += 1

    @property
    def station_id(self) -> UUID:
        return self._station_id

    async def keep_until(self, moment: datetime) -> bool:
        return all([await self._source.keep(pool, block, moment) for pool, block in self._blocks])

    def release(self) -> None:
        now = asyncio.get_running_loop().time()
        for _, block in self._blocks:
            block.in_use -= 1
            block.idle_since = now
            if not block.in_use:
                block.busy_until = 0.0
        if self._blocks:
            surplus = any(block.surplus for _, block in self._blocks)
            self._blocks = ()
            self._source.announce(allocate=surplus)


class NatsChannelSource:
    """The channels of one replica."""

    def __init__(
        self,
        client: Client,
        stations: Sequence[Station],
        licence: Licence,
        clock: Clock,
        *,
        name: str | None = None,
        allocator: ChannelAllocator | None = None,
        paced: Callable[[], Iterable[CallBound]] = tuple,
    ) -> None:
        """`name`: the process; restarted under its name, it releases the blocks of its former life.

        Ordinary calls need a channel of a further pool, which has all channels but the reserved ones. So do
        calls that a pacing rule bounds; `paced` returns the bounds that there are at the start.
        """
        self._bucket = Bucket(client.jetstream(timeout=_TIMEOUT_S), LEASES.name, timeout_s=_TIMEOUT_S)
        self._slots = NatsStationStarts(self._bucket, stations, clock)
        self._allocator = allocator or ChannelAllocator()
        self._clock = clock
        self._name = name or str(uuid4())
        self._presence = ChannelPresence(client, self._name, self._wanted_elsewhere, self._given_back)
        self._leases: dict[str, Lease] = {}
        self._prolonging: defaultdict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._pools = {station.id: ChannelPool(str(station.id), station.channels) for station in stations}
        total = sum(station.channels for station in stations)
        licensed = licence.max_channels
        self.licence = licence
        self._licence = ChannelPool(_LICENCE, licensed) if licensed < total else None
        unreserved = max(0, min(licensed, total) - licence.reserved)
        self._ordinary = ChannelPool(_ORDINARY, unreserved) if licence.reserved else None
        self._paced: dict[str, ChannelPool] = {}
        self._former_bounds = paced
        self._freed = asyncio.Event()
        self._needed = asyncio.Event()
        self._active_until = 0.0
        self._try_again_at: dict[str, float] = {}
        self._keeper: asyncio.Task[None] | None = None

    async def open(self) -> None:
        await self._presence.open()
        for bound in self._former_bounds():
            self._pool_of(bound)
        await self._release_former()
        self._keeper = asyncio.create_task(self._keep())

    async def close(self) -> None:
        await end_tasks(self._keeper)
        for pool in self._all_pools():
            await self._release(pool, tuple(pool.blocks))
        await self._presence.close()

    async def _release_former(self) -> None:
        """Release the blocks that were kept for the calls of this process's former life: these are over."""
        leases = [self._lease(pool, index) for pool in self._all_pools() for index in pool.missing()]
        try:
            found = await asyncio.gather(*(lease.recall() for lease in leases))
            former = [lease for lease, is_ours in zip(leases, found, strict=True) if is_ours]
            await asyncio.gather(*(lease.release() for lease in former))
            if former:
                await self._presence.tell((), gave=True)
        except BrokerError as error:
            log.warning("channels of the previous start are left to expire", error=str(error))

    def acquire(
        self, station_id: UUID, *, ordinary: bool = False, bound: CallBound | None = None
    ) -> Channel | None:
        now = asyncio.get_running_loop().time()
        pools = self._pools_of(station_id, ordinary=ordinary)
        if bound is not None:
            pools.append(self._pool_of(bound))
        blocks = [(pool, block) for pool in pools if (block := pool.available(now)) is not None]
        if len(blocks) < len(pools):
            return None
        self._active_until = now + _ACTIVE_S
        return _Channel(self, station_id, blocks)

    def capacity(self, *, ordinary: bool = False) -> int:
        replicas = 1 + self._presence.peers().count
        stations = sum(pool.share(replicas) * pool.block_size for pool in self._pools.values())
        bounds = self._bounds(ordinary=ordinary)
        return min([stations, *(pool.share(replicas) * pool.block_size for pool in bounds)])

    def usage(self, station_id: UUID) -> tuple[int, int]:
        """Return how many channels of the station this replica holds, and how many it uses."""
        return _usage(self._pools[station_id])

    def licence_usage(self) -> tuple[int, int, int]:
        """Return how many channels the licence has, and how many of them this replica holds and uses.

        The licence is a pool of its own only where the stations have more channels than it.
        """
        pools = [self._licence] if self._licence is not None else list(self._pools.values())
        held, in_use = zip(*map(_usage, pools), strict=True) if pools else ((), ())
        return self.licence.max_channels, sum(held), sum(in_use)

    def has_room(self, bound: CallBound) -> bool:
        now = asyncio.get_running_loop().time()
        return self._pool_of(bound).has_room(1 + self._presence.peers().count, now)

    def freed(
        self, station_ids: Sequence[UUID], *, ordinary: bool = False, bounds: Iterable[CallBound] = ()
    ) -> Coroutine[Any, Any, None]:
        # The event is bound here, not in the coroutine: a release before the first await counts.
        pools = {pool.name: pool for one in station_ids for pool in self._pools_of(one, ordinary=ordinary)}
        pools |= {bound.name: self._pool_of(bound) for bound in bounds}
        return self._want_until(self._freed, list(pools.values()))

    async def reserve_start(self, station_id: UUID, not_before: datetime | None = None) -> StartSlot:
        return await self._slots.reserve(station_id, not_before)

    def announce(self, *, allocate: bool = True) -> None:
        """Wake the subscribers that wait for a channel; if there are any, or with `allocate`, the keeper."""
        self._freed.set()
        self._freed = asyncio.Event()
        if allocate or any(pool.wanted for pool in self._all_pools()):
            self._needed.set()

    async def keep(self, pool: ChannelPool, block: Block, moment: datetime) -> bool:
        """Keep a block until then; False if another replica has it. Raises BrokerError."""
        now = asyncio.get_running_loop().time()
        until = now + (moment - self._clock.now()).total_seconds()
        block.busy_until = max(block.busy_until, until)
        if block.kept_until < until:
            async with self._prolonging[pool.name, block.index]:
                # The call that held the lock has kept the block for this one, too.
                if block.kept_until < until:
                    return await self._prolong(pool, block)
        return pool.blocks.get(block.index) is block

    async def _want_until(self, freed: asyncio.Event, pools: Sequence[ChannelPool]) -> None:
        for pool in pools:
            pool.wanted += 1
        self._needed.set()
        try:
            await freed.wait()
        finally:
            for pool in pools:
                pool.wanted -= 1

    def _pools_of(self, station_id: UUID, *, ordinary: bool) -> list[ChannelPool]:
        return [self._pools[station_id], *self._bounds(ordinary=ordinary)]

    def _bounds(self, *, ordinary: bool) -> list[ChannelPool]:
        """Return the pools that bound the calls of all stations together."""
        return [pool for pool in (self._licence, self._ordinary if ordinary else None) if pool is not None]

    def _pool_of(self, bound: CallBound) -> ChannelPool:
        """Return the pool of a pacing rule. It stays, also when the rule is gone: calls may be up on it."""
        if (pool := self._paced.get(bound.name)) is None:
            pool = self._paced[bound.name] = ChannelPool(bound.name, bound.channels)
        return pool

    def _all_pools(self) -> list[ChannelPool]:
        return [*self._pools.values(), *self._bounds(ordinary=True), *self._paced.values()]

    def _wanted_elsewhere(self) -> None:
        self._needed.set()

    def _given_back(self) -> None:
        self._try_again_at.clear()
        self._needed.set()

    async def _keep(self) -> None:
        """Carry out the allocation of every pool: each second, and at once when channels are wanted."""
        loop = asyncio.get_running_loop()
        told_at = 0.0
        while True:
            self._needed.clear()
            try:
                if loop.time() - told_at >= _KEEP_S:
                    told_at = loop.time()
                    await self._tell()
                if any([await self._keep_pool(pool) for pool in self._all_pools()]):
                    self.announce()
            except BrokerError as error:
                log.warning("leases of channels cannot be kept", error=repr(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_KEEP_S):
                    await self._needed.wait()

    async def _tell(self, *, gave: bool = False) -> None:
        now = asyncio.get_running_loop().time()
        wants = [pool.name for pool in self._all_pools() if pool.wanted and pool.available(now) is None]
        if gave or wants or now < self._active_until or any(pool.blocks for pool in self._all_pools()):
            await self._presence.tell(wants, gave=gave)

    async def _keep_pool(self, pool: ChannelPool) -> bool:
        """Carry out the allocation of one pool; tell whether channels may have become free."""
        allocation = self._allocator.allocate(pool, self._presence.peers(), asyncio.get_running_loop().time())
        usable_again = pool.mark_surplus(allocation.surplus)
        if allocation.release:
            await self._release(pool, allocation.release)
            await self._tell(gave=True)
        renewed = await asyncio.gather(*(self._renew(pool, index) for index in allocation.renew))
        taken = await self._take(pool, allocation.take)
        return taken or usable_again or any(renewed)

    async def _renew(self, pool: ChannelPool, index: int) -> bool:
        """Renew a block; tell whether it had expired and is held again."""
        block = pool.blocks[index]
        had_expired = block.valid_until <= asyncio.get_running_loop().time()
        try:
            async with self._prolonging[pool.name, index]:
                return await self._prolong(pool, block) and had_expired
        except BrokerError as error:
            log.warning("block of channels cannot be renewed", pool=pool.name, error=str(error))
            return False

    async def _prolong(self, pool: ChannelPool, block: Block) -> bool:
        """Renew the lease of a block, and keep it for its calls; False if another replica has it."""
        asked_at, lease = asyncio.get_running_loop().time(), self._lease(pool, block.index)
        kept_until = block.busy_until + KEEP_AHEAD.total_seconds() if block.in_use else 0.0
        if not await lease.take(keep_s=kept_until - asked_at + _MARGIN_S):
            log.warning("block of channels is lost to another replica", pool=pool.name, block=block.index)
            if pool.blocks.get(block.index) is block:
                pool.remove([block.index])
            self._needed.set()
            return False
        block.valid_until, block.kept_until = lease.valid_until, kept_until
        return True

    async def _release(self, pool: ChannelPool, indexes: Sequence[int]) -> None:
        # Removed before the first await, so that no call is started on a block that is being released.
        blocks = pool.remove(indexes)
        await asyncio.gather(*(self._release_lease(pool, block) for block in blocks))

    async def _release_lease(self, pool: ChannelPool, block: Block) -> None:
        try:
            await self._lease(pool, block.index).release()
        except BrokerError as error:
            log.info("block of channels is left to expire", pool=pool.name, error=str(error))

    async def _take(self, pool: ChannelPool, count: int) -> bool:
        """Take `count` of the blocks that no replica holds; tell whether one was taken."""
        loop = asyncio.get_running_loop()
        if count <= 0 or loop.time() < self._try_again_at.get(pool.name, 0.0):
            return False
        missing = pool.missing()
        random.shuffle(missing)
        taken = False
        while count > 0 and missing:
            batch, missing = missing[:count], missing[count:]
            won = sum(await asyncio.gather(*(self._take_block(pool, index) for index in batch)))
            count -= won
            taken = taken or won > 0
        if count > 0:
            self._try_again_at[pool.name] = loop.time() + _TRY_AGAIN_S
        return taken

    async def _take_block(self, pool: ChannelPool, index: int) -> bool:
        lease, asked_at = self._lease(pool, index), asyncio.get_running_loop().time()
        if not await lease.take():
            return False
        pool.blocks[index] = Block(index, pool.size_of(index), lease.valid_until, idle_since=asked_at)
        return True

    def _lease(self, pool: ChannelPool, index: int) -> Lease:
        key = f"channels.{pool.name}.{index}"
        if key not in self._leases:
            ttl_s = round(self._allocator.valid_s + _MARGIN_S)
            self._leases[key] = Lease(self._bucket, key, self._name.encode(), ttl_s=ttl_s, margin_s=_MARGIN_S)
        return self._leases[key]


def _usage(pool: ChannelPool) -> tuple[int, int]:
    blocks = pool.blocks.values()
    return sum(block.size for block in blocks), sum(block.in_use for block in blocks)
