import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from nats.aio.client import Client

from cato_dialer.dial.adapters.nats.channel_ledger import NatsChannelLedger
from cato_dialer.dial.ports.dial import Channel
from cato_runtime.clock import SystemClock
from cato_runtime.station_config import StationConfig

Connect = Callable[[], Awaitable[Client]]
A, B = uuid4(), uuid4()


def station(identity: UUID = A, channels: int = 6, interval: int = 0) -> StationConfig:
    return StationConfig(id=identity, channels=channels, min_call_interval_ms=interval)


async def ledger(connect: Connect, *stations: StationConfig, licence: int = 100) -> NatsChannelLedger:
    one = NatsChannelLedger(await connect(), stations, licence, SystemClock())
    await one.open()
    return one


async def one_of(channels: NatsChannelLedger, identity: UUID = A, limit_s: float = 15.0) -> Channel:
    async with asyncio.timeout(limit_s):
        while True:
            channel = channels.acquire(identity)
            if channel is not None:
                return channel
            await channels.freed([identity])


async def all_at_once(channels: NatsChannelLedger, count: int, limit_s: float = 15.0) -> list[Channel]:
    return list(await asyncio.gather(*(one_of(channels, limit_s=limit_s) for _ in range(count))))


async def refused(channels: NatsChannelLedger, identity: UUID = A, for_s: float = 1.5) -> bool:
    try:
        await one_of(channels, identity, limit_s=for_s)
    except TimeoutError:
        return True
    return False


async def test_large_stations_are_leased_in_blocks(connect: Connect) -> None:
    one = await ledger(connect, station(channels=70))
    await all_at_once(one, 70)
    assert await refused(one)
    assert len(one._pools[A].blocks) == 18
    await one.close()


async def test_a_new_replica_gets_its_share_of_what_the_other_stops_using(connect: Connect) -> None:
    one = await ledger(connect, station(channels=6))
    held = await all_at_once(one, 6)
    other = await ledger(connect, station(channels=6))
    waiting = [asyncio.create_task(one_of(other)) for _ in range(4)]
    while not one._in_want_elsewhere(one._pools[A]):
        await asyncio.sleep(0.05)
    assert (one.capacity(), other.capacity()) == (3, 3)
    for channel in held:
        channel.release()
    await asyncio.gather(*waiting)
    await one.close()
    await other.close()


async def test_the_channels_of_a_replica_that_is_gone_are_free_after_its_lease(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "cato_dialer.dial.adapters.nats.channel_ledger."
    monkeypatch.setattr(module + "_TTL_S", 3)
    monkeypatch.setattr(module + "_MARGIN_S", 1.0)
    monkeypatch.setattr(module + "_RENEW_AFTER_S", 0.5)
    dying, other = await ledger(connect, station(channels=2)), await ledger(connect, station(channels=2))
    await all_at_once(dying, 2)
    # Renewed, they stay its own for longer than one lease.
    assert await refused(other, for_s=4.0)
    assert dying._keeper is not None
    dying._keeper.cancel()
    await all_at_once(other, 2, limit_s=8)
    assert dying.acquire(A) is None
    await other.close()


async def test_channels_come_back_after_a_broker_crash(connect: Connect, server: Any) -> None:
    one = await ledger(connect, station(channels=3))
    held = await all_at_once(one, 3)
    await server.kill()
    await server.restart()
    for channel in held:
        channel.release()
    await all_at_once(one, 3, limit_s=20)
    assert await refused(one)
    await one.close()
