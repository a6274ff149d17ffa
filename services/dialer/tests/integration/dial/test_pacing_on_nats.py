"""Pacing rules over replicas that share a broker: simultaneous calls, starts, and changes of the rules."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from nats.aio.client import Client

from cato_contracts.api.rules.pacing import PacingRule
from cato_contracts.instants import unix_ms
from cato_dialer.campaign.adapters.rules.nats_pacing_rules import NatsPacingRules
from cato_dialer.dial.adapters.nats import channel_source
from cato_dialer.dial.adapters.nats.channel_source import NatsChannelSource
from cato_dialer.dial.adapters.nats.pacing.rules import NatsPacing
from cato_dialer.dial.domain.capacity.channel_allocator import ChannelAllocator
from cato_dialer.dial.domain.capacity.licence import Licence
from cato_dialer.dial.handlers.paced_channels import PacedChannels
from cato_dialer.dial.ports.dial import Channel
from cato_dialer.dial.ports.pacing import HeldBackError
from cato_runtime.clock import SystemClock
from cato_runtime.process.tasks import end_tasks
from services.dialer.tests.support.stations import make_station

Connect = Callable[[], Awaitable[Client]]
STATION = make_station(id=uuid4(), channels=20)
CLOCK = SystemClock()
BRIEF = ChannelAllocator(valid_s=1.0, renew_after_s=0.5)


class Replica:
    """The channels of one replica, and the rules as it knows them."""

    def __init__(self, client: Client, name: str | None) -> None:
        self.silent = False
        self.pacing = NatsPacing(client, CLOCK)
        self.source = NatsChannelSource(
            client, [STATION], Licence(100), CLOCK, name=name, allocator=BRIEF, paced=self.pacing.bounds
        )
        self.paced = PacedChannels(self.source, self.pacing)

    async def open(self) -> "Replica":
        await self.pacing.open()
        await self.source.open()
        return self

    async def fall_silent(self) -> None:
        """Stop as if it were cut off: nothing is renewed or released."""
        self.silent = True
        await end_tasks(self.source._keeper)
        await self.source._presence.close()

    async def close(self) -> None:
        if not self.silent:
            await self.source.close()
        await self.pacing.close()

    async def channel(self, number: str = "100") -> Channel:
        """Wait for a channel as long as it takes, as jobs do that come and go."""
        async with asyncio.timeout(30):
            while True:
                try:
                    if channel := self.paced.acquire(number, [STATION.id], ordinary=False):
                        return channel
                    await self.paced.freed(number, [STATION.id], ordinary=False)
                except HeldBackError:
                    await asyncio.sleep(0.05)

    async def refused(self, number: str = "100", for_s: float = 1.5) -> bool:
        try:
            async with asyncio.timeout(for_s):
                await self.channel(number)
        except TimeoutError:
            return True
        return False


@pytest.fixture
async def replica(connect: Connect) -> AsyncIterator[Callable[..., Awaitable[Replica]]]:
    async with AsyncExitStack() as stack:

        async def make(name: str | None = None) -> Replica:
            made = await Replica(await connect(), name).open()
            stack.push_async_callback(made.close)
            return made

        yield make


async def store(connect: Connect, *rules: PacingRule) -> NatsPacingRules:
    stored = NatsPacingRules((await connect()).jetstream())
    for rule in rules:
        await stored.put(rule)
    return stored


async def test_three_replicas_never_have_more_calls_than_a_rule_allows(connect: Connect, replica) -> None:
    await store(connect, PacingRule(name="few", prefixes=["100"], max_calls=2))
    replicas = [await replica() for _ in range(3)]
    up: list[int] = [0]
    most: list[int] = []

    async def calls(one: Replica) -> None:
        for _ in range(4):
            channel = await one.channel()
            up[0] += 1
            most.append(up[0])
            await asyncio.sleep(0.1)
            up[0] -= 1
            channel.release()

    async with asyncio.timeout(60):
        await asyncio.gather(*(calls(one) for one in replicas for _ in range(2)))
    assert max(most) == 2
    assert len(most) == 24
    assert not await replicas[0].refused("200", for_s=10)


async def test_calls_of_a_silent_replica_count_towards_a_rule_until_they_are_over(
    connect: Connect, replica
) -> None:
    await store(connect, PacingRule(name="few", prefixes=["100"], max_calls=1))
    silent = await replica()
    channel = await silent.channel()
    began = CLOCK.now()
    assert await channel.keep_until(began - channel_source.KEEP_AHEAD + timedelta(seconds=4))
    await silent.fall_silent()
    other = await replica()
    assert await other.refused(for_s=2.5)
    await other.channel()
    assert CLOCK.now() - began > timedelta(seconds=4)


async def test_a_restarted_replica_has_the_calls_of_its_former_life_no_more(
    connect: Connect, replica
) -> None:
    await store(connect, PacingRule(name="few", prefixes=["100"], max_calls=1))
    former = await replica("dialer-1")
    assert await (await former.channel()).keep_until(CLOCK.now() + timedelta(seconds=60))
    await former.fall_silent()
    restarted = await replica("dialer-1")
    assert not await restarted.refused(for_s=5)


async def test_starts_of_replicas_keep_the_interval_of_a_rule(connect: Connect, replica) -> None:
    await store(connect, PacingRule(name="slow", prefixes=["100"], max_calls_per_s=10))
    replicas = [await replica() for _ in range(3)]
    starts: list[int] = []

    async def reserve(one: Replica) -> None:
        for _ in range(3):
            while True:
                try:
                    slot = await one.paced.reserve_start("100", STATION.id)
                    break
                except HeldBackError:
                    await asyncio.sleep(0.05)
            starts.append(unix_ms(slot.at))

    async with asyncio.timeout(60):
        await asyncio.gather(*(reserve(one) for one in replicas for _ in range(2)))
    assert len(starts) == 18
    assert all(later - sooner >= 110 for sooner, later in pairwise(sorted(starts)))


async def test_changes_of_rules_reach_all_replicas_and_no_rule_costs_no_message(
    connect: Connect, replica
) -> None:
    stored = await store(connect)
    one = await replica()
    assert one.pacing.pace_for("100", STATION.id) is None
    sent = one.pacing._documents._client.stats["out_msgs"]
    slot = await one.paced.reserve_start("100", STATION.id)
    assert slot.until is None
    assert one.pacing._documents._client.stats["out_msgs"] == sent

    async def until(calls: int | None) -> None:
        async with asyncio.timeout(30):
            while True:
                pace = one.pacing.pace_for("100", STATION.id)
                if calls == (pace.bound.channels if pace is not None and pace.bound is not None else None):
                    return
                await asyncio.sleep(0.02)

    await stored.put(PacingRule(name="a", prefixes=["100"], max_calls=3))
    await until(3)
    await stored.put(PacingRule(name="a", prefixes=["100"], max_calls=5))
    await until(5)
    assert [rule.max_calls for rule in await stored.all()] == [5]
    assert (await stored.get("a")) == (await stored.all())[0]
    await stored.remove("a")
    await until(None)
    assert await stored.all() == []
    assert await stored.get("a") is None
