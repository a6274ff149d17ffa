import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from nats.aio.client import Client

from cato_dialer.dial.adapters.nats import channel_source
from cato_dialer.dial.adapters.nats.channel_source import NatsChannelSource
from cato_dialer.dial.domain.capacity.channel_allocator import ChannelAllocator
from cato_dialer.dial.domain.capacity.licence import Licence
from cato_dialer.dial.domain.station import Station
from cato_dialer.dial.ports.dial import Channel
from cato_runtime.clock import SystemClock
from cato_runtime.process.tasks import end_tasks
from services.dialer.tests.support.stations import make_station

Connect = Callable[[], Awaitable[Client]]
A, B = uuid4(), uuid4()


def station(identity: UUID = A, channels: int = 6, interval: int = 0) -> Station:
    return make_station(id=identity, channels=channels, min_call_interval_ms=interval)


async def source(
    connect: Connect,
    *stations: Station,
    licence: int = 100,
    allocator: ChannelAllocator | None = None,
    name: str | None = None,
) -> NatsChannelSource:
    one = NatsChannelSource(
        await connect(), stations, Licence(licence), SystemClock(), name=name, allocator=allocator
    )
    await one.open()
    return one


async def one_of(channels: NatsChannelSource, identity: UUID = A, limit_s: float = 15.0) -> Channel:
    async with asyncio.timeout(limit_s):
        while True:
            channel = channels.acquire(identity)
            if channel is not None:
                return channel
            await channels.freed([identity])


async def all_at_once(channels: NatsChannelSource, count: int, limit_s: float = 15.0) -> list[Channel]:
    return list(await asyncio.gather(*(one_of(channels, limit_s=limit_s) for _ in range(count))))


async def refused(channels: NatsChannelSource, identity: UUID = A, for_s: float = 1.5) -> bool:
    try:
        await one_of(channels, identity, limit_s=for_s)
    except TimeoutError:
        return True
    return False


async def test_large_stations_are_leased_in_blocks(connect: Connect) -> None:
    one = await source(connect, station(channels=70))
    await all_at_once(one, 70)
    assert await refused(one)
    assert len(one._pools[A].blocks) == 18
    await one.close()


async def test_a_new_replica_gets_its_share_once_the_other_releases_channels(connect: Connect) -> None:
    one = await source(connect, station(channels=6))
    held = await all_at_once(one, 6)
    other = await source(connect, station(channels=6))
    waiting = [asyncio.create_task(one_of(other)) for _ in range(4)]
    while str(A) not in one._presence.peers().wants:
        await asyncio.sleep(0.05)
    assert (one.capacity(), other.capacity()) == (3, 3)
    for channel in held:
        channel.release()
    await asyncio.gather(*waiting)
    await one.close()
    await other.close()


async def test_the_channels_of_a_dead_replica_are_free_after_its_leases_expire(connect: Connect) -> None:
    brief = ChannelAllocator(valid_s=2.0, renew_after_s=0.5)
    dying = await source(connect, station(channels=2), allocator=brief)
    other = await source(connect, station(channels=2), allocator=brief)
    await all_at_once(dying, 2)
    # The holder renews them, so it keeps them for longer than one time to live of 4 s.
    assert await refused(other, for_s=5.0)
    assert dying._keeper is not None
    dying._keeper.cancel()
    await all_at_once(other, 2, limit_s=8)
    assert dying.acquire(A) is None
    await other.close()


async def fall_silent(replica: NatsChannelSource) -> None:
    """Stop it as if it were cut off: nothing is renewed or released."""
    await end_tasks(replica._keeper)
    await replica._presence.close()


async def test_t21_channels_of_a_silent_replica_stay_its_own_until_its_calls_are_over(
    connect: Connect,
) -> None:
    brief = ChannelAllocator(valid_s=1.0, renew_after_s=0.5)
    silent = await source(connect, station(channels=2), allocator=brief)
    channel = await one_of(silent)
    began = SystemClock().now()
    assert await channel.keep_until(began - channel_source.KEEP_AHEAD + timedelta(seconds=5))
    await fall_silent(silent)
    other = await source(connect, station(channels=2), allocator=brief)
    await one_of(other)
    assert await refused(other, for_s=3.0)
    await one_of(other, limit_s=8)
    assert SystemClock().now() - began > timedelta(seconds=5)
    await other.close()


async def test_restarted_replica_has_the_channels_of_its_former_life_at_once(connect: Connect) -> None:
    former = await source(connect, station(channels=1), name="dialer-1")
    channel = await one_of(former)
    assert await channel.keep_until(SystemClock().now() + timedelta(minutes=5))
    await fall_silent(former)
    restarted = await source(connect, station(channels=1), name="dialer-1")
    await one_of(restarted, limit_s=5)
    await restarted.close()


async def test_others_have_the_channels_of_a_killed_replica_once_it_is_restarted(connect: Connect) -> None:
    former = await source(connect, station(channels=2), name="dialer-1")
    for channel in await all_at_once(former, 2):
        assert await channel.keep_until(SystemClock().now() + timedelta(minutes=5))
    await fall_silent(former)
    other = await source(connect, station(channels=2))
    waiting = asyncio.create_task(all_at_once(other, 2))
    restarted = await source(connect, station(channels=2), name="dialer-1")
    async with asyncio.timeout(20):
        await waiting
    await restarted.close()
    await other.close()


async def test_channel_that_is_free_again_is_not_kept_for_its_former_call(connect: Connect) -> None:
    brief = ChannelAllocator(valid_s=1.0, renew_after_s=0.5)
    silent = await source(connect, station(channels=1), allocator=brief)
    channel = await one_of(silent)
    assert await channel.keep_until(SystemClock().now() + timedelta(minutes=5))
    channel.release()
    other = await source(connect, station(channels=1), allocator=brief)
    await one_of(other, limit_s=8)
    await silent.close()
    await other.close()


async def test_channels_come_back_after_a_broker_crash(connect: Connect, server: Any) -> None:
    one = await source(connect, station(channels=3))
    held = await all_at_once(one, 3)
    await server.kill()
    await server.restart()
    for channel in held:
        channel.release()
    await all_at_once(one, 3, limit_s=20)
    assert await refused(one)
    await one.close()


async def test_calls_that_start_at_once_keep_their_block_with_one_write(connect: Connect) -> None:
    one = await source(connect, station(channels=160), licence=1_000)
    held = await all_at_once(one, 16)
    written: list[str] = []
    write = one._bucket.write

    async def note(key: str, *args: Any, **options: Any) -> Any:
        written.append(key)
        return await write(key, *args, **options)

    one._bucket.write = note  # type: ignore[method-assign]
    until = SystemClock().now() + timedelta(seconds=60)
    assert all(await asyncio.gather(*(channel.keep_until(until) for channel in held)))
    assert written == [f"channels.{A}.{index}" for index in one._pools[A].blocks]
    await one.close()
