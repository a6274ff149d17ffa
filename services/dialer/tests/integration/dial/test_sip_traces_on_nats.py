"""SIP traces over a broker: dialers follow them, and what they record outlives them and comes in order."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from faststream.nats import NatsBroker
from nats.aio.client import Client

from cato_contracts.messages.calls import CallOwner
from cato_contracts.messages.sip_traces import StoredTrace
from cato_dialer.campaign.adapters.rules.nats_sip_traces import NatsSipTraces as Stored
from cato_dialer.dial.adapters.nats.sip_traces import NatsSipTraces
from cato_dialer.dial.adapters.sip.tap import Tap
from cato_dialer.dial.domain.sip_trace.recorder import SeenMessage
from cato_gateway.adapters.nats_sip_traces import NatsSipTraces as Recorded
from cato_runtime.clock import SystemClock
from cato_runtime.process.embedded_nats import EmbeddedNats
from services.dialer.tests.support.stations import make_station

Connect = Callable[[], Awaitable[Client]]
CLOCK = SystemClock()
STATION = make_station(id=uuid4(), uri="sip:10.0.0.1")

pytestmark = pytest.mark.timeout(120)


class Engine:
    """An engine that exchanges the messages that a test makes."""

    def __init__(self) -> None:
        self.tap: Tap | None = None
        self.changed = asyncio.Event()

    def trace(self, tap: Tap | None) -> None:
        self.tap = tap
        self.changed.set()

    async def until(self, *, traced: bool) -> None:
        async with asyncio.timeout(60):
            while (self.tap is not None) != traced:
                self.changed.clear()
                await self.changed.wait()

    def message(self, no: int) -> None:
        data = f"OPTIONS sip:{no} SIP/2.0\r\n\r\n".encode()
        seen = SeenMessage(no, True, "udp", ("10.0.0.5", 1), ("10.0.0.1", 5060), data)
        assert self.tap is not None
        self.tap(seen, lambda _: None)


def trace(name: str, *, seconds: float = 600, **fields: Any) -> StoredTrace:
    now = CLOCK.now()
    ends = now + timedelta(seconds=seconds)
    given = {"id": uuid4(), "name": name, "for_s": 600, "began_at": now, "ends_at": ends}
    return StoredTrace(**given | {"station_id": STATION.id, "masked": False} | fields)


async def dialer(client: Client, name: str, engine: Engine) -> NatsSipTraces:
    own = CallOwner(instance=name, incarnation=1)
    traces = NatsSipTraces(
        client, CLOCK, own, engines=[engine], stations=lambda: [STATION], canonical=str, store_s=0.02
    )
    await traces.start()
    return traces


async def until_recorded(stored: Stored, order: StoredTrace, count: int) -> None:
    async with asyncio.timeout(60):
        while (await stored.recorded(order.id)).messages < count:
            await asyncio.sleep(0.02)


async def test_two_dialers_record_until_the_trace_is_removed_and_the_file_has_all(
    connect: Connect, server: EmbeddedNats
):
    stored, order = Stored((await connect()).jetstream()), trace("nine")
    one, two = Engine(), Engine()
    first, second = await dialer(await connect(), "a", one), await dialer(await connect(), "b", two)
    assert one.tap is None
    await stored.put(order)
    await one.until(traced=True)
    await two.until(traced=True)
    for no in (1, 4):
        one.message(no)
    for no in (2, 3):
        two.message(no)
    await until_recorded(stored, order, 4)
    two.message(5)
    await second.stop()
    late = Engine()
    third = await dialer(await connect(), "c", late)
    assert late.tap is not None
    async with NatsBroker(server.url, logger=None) as broker:
        js = (await broker.connect()).jetstream()
        found = [(each.dialer, each.message.at_us) async for each in Recorded(broker, js).messages(order.id)]
        assert found == [("a-1", 1), ("b-1", 2), ("b-1", 3), ("a-1", 4), ("b-1", 5)]
        await stored.remove("nine")
        await one.until(traced=False)
        await stored.clear(order.id)
        assert [each async for each in Recorded(broker, js).messages(order.id)] == []
    assert await stored.get("nine") is None
    assert (await stored.recorded(order.id)).messages == 0
    for each in (first, third):
        await each.stop()


async def test_a_trace_ends_by_itself_on_time_also_for_a_dialer_that_was_restarted(connect: Connect):
    stored, order = Stored((await connect()).jetstream()), trace("brief", seconds=1.5)
    engine = Engine()
    traces = await dialer(await connect(), "a", engine)
    await stored.put(order)
    await engine.until(traced=True)
    engine.message(1)
    await engine.until(traced=False)
    assert CLOCK.now() >= order.ends_at
    await until_recorded(stored, order, 1)
    await traces.stop()
    again = Engine()
    restarted = await dialer(await connect(), "a", again)
    assert again.tap is None
    assert [each.name for each in await stored.all()] == ["brief"]
    await restarted.stop()
