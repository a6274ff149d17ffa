"""What every channel ledger must do, over two replicas."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from uuid import UUID, uuid4

import nats
import pytest

from cato_dialer.dial.adapters.memory_dial import MemoryChannelBoard, MemoryChannelLedger
from cato_dialer.dial.adapters.nats.channel_ledger import NatsChannelLedger
from cato_dialer.dial.ports.dial import Channel, ChannelLedger
from cato_runtime.broker import ensure_topology
from cato_runtime.clock import SystemClock
from cato_runtime.embedded_nats import EmbeddedNats
from cato_runtime.station_config import StationConfig

Ledgers = Callable[..., Awaitable[ChannelLedger]]
A, B = uuid4(), uuid4()


@pytest.fixture(params=["memory", "nats"])
async def ledgers(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ledgers]:
    """Make ledgers of replicas that share one set of channels."""
    boards: list[MemoryChannelBoard] = []
    async with AsyncExitStack() as stack:
        url = ""
        if request.param == "nats":
            server = await stack.enter_async_context(EmbeddedNats(tmp_path / "nats"))
            url = server.url

        async def one_more(stations: Sequence[StationConfig], licence: int = 100) -> ChannelLedger:
            ledger: ChannelLedger
            if url:
                client = await nats.connect(url)
                stack.push_async_callback(client.close)
                await ensure_topology(client.jetstream())
                ledger = NatsChannelLedger(client, stations, licence, SystemClock())
            else:
                boards[:] = boards or [MemoryChannelBoard(stations, licence)]
                ledger = MemoryChannelLedger(boards[0], SystemClock())
            await ledger.open()
            stack.push_async_callback(ledger.close)
            return ledger

        yield one_more


def station(identity: UUID = A, channels: int = 6, interval: int = 0) -> StationConfig:
    return StationConfig(id=identity, channels=channels, min_call_interval_ms=interval)


async def one_of(channels: ChannelLedger, identity: UUID = A, limit_s: float = 15.0) -> Channel:
    async with asyncio.timeout(limit_s):
        while True:
            channel = channels.acquire(identity)
            if channel is not None:
                return channel
            await channels.freed([identity])


async def refused(channels: ChannelLedger, identity: UUID = A) -> bool:
    try:
        await one_of(channels, identity, limit_s=1.2)
    except TimeoutError:
        return True
    return False


async def test_what_is_freed_before_anybody_awaits_it_is_heard_of(ledgers: Ledgers) -> None:
    one = await ledgers([station(channels=1)])
    held = await one_of(one)
    freed = one.freed([A])
    held.release()
    async with asyncio.timeout(5):
        await freed
    assert one.acquire(A) is not None


async def test_as_many_channels_as_the_station_has_and_no_more(ledgers: Ledgers) -> None:
    one = await ledgers([station(channels=6)])
    held = list(await asyncio.gather(*(one_of(one) for _ in range(6))))
    assert await refused(one)
    held[0].release()
    held[0].release()
    await one_of(one)
    assert await refused(one)


async def test_the_licence_bounds_all_stations_together(ledgers: Ledgers) -> None:
    one = await ledgers([station(A, 3), station(B, 3)], 4)
    assert one.capacity() == 4
    for identity in (A, A, A, B):
        await one_of(one, identity)
    assert await refused(one, B)


async def test_two_replicas_never_have_more_than_the_station(ledgers: Ledgers) -> None:
    one, other = await ledgers([station(channels=6)]), await ledgers([station(channels=6)])
    in_use = most = 0

    async def call(channels: ChannelLedger) -> None:
        nonlocal in_use, most
        channel = await one_of(channels, limit_s=40)
        in_use += 1
        most = max(most, in_use)
        await asyncio.sleep(0.02)
        in_use -= 1
        channel.release()

    await asyncio.gather(*(call(channels) for channels in (one, other) for _ in range(60)))
    assert 1 < most <= 6


async def test_starts_of_two_replicas_keep_the_interval(ledgers: Ledgers) -> None:
    stations = [station(channels=50, interval=30)]
    one, other = await ledgers(stations), await ledgers(stations)
    began = datetime.now().astimezone()
    slots = await asyncio.gather(*(each.reserve_start(A) for _ in range(15) for each in (one, other)))
    starts = sorted(slots, key=lambda slot: slot.at)
    for first, second in pairwise(starts):
        assert first.until is not None
        assert (second.at - first.until).total_seconds() >= 0.030
    assert (starts[0].at - began).total_seconds() < 1
    assert [slot.delayed for slot in starts].count(False) <= 1


async def test_without_an_interval_a_call_starts_at_once(ledgers: Ledgers) -> None:
    one = await ledgers([station()])
    slot = await one.reserve_start(A)
    assert (slot.until, slot.delayed) == (None, False)
