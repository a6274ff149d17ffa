"""The contract of a channel source, over two replicas."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from uuid import UUID, uuid4

import nats
import pytest

from cato_dialer.dial.adapters.nats.channel_source import NatsChannelSource
from cato_dialer.dial.domain.capacity.licence import Licence
from cato_dialer.dial.domain.station import Station
from cato_dialer.dial.ports.dial import Channel, ChannelSource
from cato_runtime.broker import ensure_topology
from cato_runtime.clock import SystemClock
from cato_runtime.process.embedded_nats import EmbeddedNats
from services.dialer.tests.support.memory_dial import MemoryChannelBoard, MemoryChannelSource
from services.dialer.tests.support.stations import make_station

Sources = Callable[..., Awaitable[ChannelSource]]
A, B = uuid4(), uuid4()


@pytest.fixture(params=["memory", "nats"])
async def sources(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Sources]:
    """Make the sources of replicas that share one set of channels."""
    boards: list[MemoryChannelBoard] = []
    async with AsyncExitStack() as stack:
        url = ""
        if request.param == "nats":
            server = await stack.enter_async_context(EmbeddedNats(tmp_path / "nats"))
            url = server.url

        async def one_more(
            stations: Sequence[Station], licence: int = 100, reserved: int = 0
        ) -> ChannelSource:
            source: ChannelSource
            if url:
                client = await nats.connect(url)
                stack.push_async_callback(client.close)
                await ensure_topology(client.jetstream())
                source = NatsChannelSource(client, stations, Licence(licence, reserved), SystemClock())
            else:
                boards[:] = boards or [MemoryChannelBoard(stations, licence, reserved)]
                source = MemoryChannelSource(boards[0], SystemClock())
            await source.open()
            stack.push_async_callback(source.close)
            return source

        yield one_more


def station(identity: UUID = A, channels: int = 6, interval: int = 0) -> Station:
    return make_station(id=identity, channels=channels, min_call_interval_ms=interval)


async def one_of(
    channels: ChannelSource, identity: UUID = A, limit_s: float = 15.0, *, ordinary: bool = False
) -> Channel:
    async with asyncio.timeout(limit_s):
        while True:
            channel = channels.acquire(identity, ordinary=ordinary)
            if channel is not None:
                return channel
            await channels.freed([identity], ordinary=ordinary)


async def refused(channels: ChannelSource, identity: UUID = A, *, ordinary: bool = False) -> bool:
    try:
        await one_of(channels, identity, limit_s=1.2, ordinary=ordinary)
    except TimeoutError:
        return True
    return False


async def test_a_channel_released_before_the_await_of_freed_counts(sources: Sources) -> None:
    one = await sources([station(channels=1)])
    held = await one_of(one)
    freed = one.freed([A])
    held.release()
    async with asyncio.timeout(5):
        await freed
    assert one.acquire(A) is not None


async def test_a_station_gives_exactly_its_channels(sources: Sources) -> None:
    one = await sources([station(channels=6)])
    held = list(await asyncio.gather(*(one_of(one) for _ in range(6))))
    assert await refused(one)
    held[0].release()
    held[0].release()
    await one_of(one)
    assert await refused(one)


async def test_the_licence_bounds_all_stations_together(sources: Sources) -> None:
    one = await sources([station(A, 3), station(B, 3)], 4)
    assert one.capacity() == 4
    for identity in (A, A, A, B):
        await one_of(one, identity)
    assert await refused(one, B)


async def test_two_replicas_never_exceed_the_station(sources: Sources) -> None:
    one, other = await sources([station(channels=6)]), await sources([station(channels=6)])
    in_use = most = 0

    async def call(channels: ChannelSource) -> None:
        nonlocal in_use, most
        channel = await one_of(channels, limit_s=40)
        in_use += 1
        most = max(most, in_use)
        await asyncio.sleep(0.02)
        in_use -= 1
        channel.release()

    await asyncio.gather(*(call(channels) for channels in (one, other) for _ in range(60)))
    assert 1 < most <= 6


async def test_starts_of_two_replicas_keep_the_interval(sources: Sources) -> None:
    stations = [station(channels=50, interval=30)]
    one, other = await sources(stations), await sources(stations)
    began = datetime.now().astimezone()
    slots = await asyncio.gather(*(each.reserve_start(A) for _ in range(15) for each in (one, other)))
    starts = sorted(slots, key=lambda slot: slot.at)
    for first, second in pairwise(starts):
        assert first.until is not None
        assert (second.at - first.until).total_seconds() >= 0.030
    assert (starts[0].at - began).total_seconds() < 1
    assert [slot.delayed for slot in starts].count(False) <= 1


async def test_without_an_interval_a_call_starts_at_once(sources: Sources) -> None:
    one = await sources([station()])
    slot = await one.reserve_start(A)
    assert (slot.until, slot.delayed) == (None, False)


@pytest.mark.parametrize("licence", [100, 5])
async def test_ordinary_calls_of_all_replicas_leave_the_reserved_channels_free(
    sources: Sources, licence: int
) -> None:
    total = min(6, licence)
    one = await sources([station(channels=6)], licence, reserved=2)
    other = await sources([station(channels=6)], licence, reserved=2)
    ordinary = [await one_of(one, ordinary=True) for _ in range(total - 3)]
    ordinary.append(await one_of(other, ordinary=True))
    assert await refused(one, ordinary=True)
    assert await refused(other, ordinary=True)
    await one_of(other)
    await one_of(one)
    assert await refused(one)
    ordinary[0].release()
    await one_of(other)
    assert await refused(other, ordinary=True)
