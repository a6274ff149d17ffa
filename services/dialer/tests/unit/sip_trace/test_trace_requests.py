"""Requests about SIP traces."""

from typing import Any
from uuid import uuid4

import pytest

from cato_contracts.errors import ForbiddenError, InvalidError, NotFoundError
from cato_contracts.messages.sip_traces import (
    MAX_TRACES,
    GetSipTrace,
    ListSipTraces,
    PutSipTrace,
    RemoveSipTrace,
    TraceOrder,
    TraceState,
)
from services.dialer.tests.support.campaign_world import ADMIN, CONFIG, USER, World

STATION = CONFIG.stations[0].id


def put(name: str, **order: Any) -> PutSipTrace:
    return PutSipTrace(actor=ADMIN, name=name, order=TraceOrder(**{"number": "100", "for_s": 60, **order}))


async def test_a_trace_is_stored_replaced_and_removed_by_name():
    world = World()
    async with world.running() as client:
        first = await client.ask(put("b", station_id=STATION))
        await client.ask(put("a"))
        assert (first.state, first.messages, first.cut) == (TraceState.RUNNING, 0, False)
        assert (first.ends_at - first.began_at).total_seconds() == 60
        listed = (await client.ask(ListSipTraces(actor=ADMIN))).items
        assert [each.name for each in listed] == ["a", "b"]
        second = await client.ask(put("b", for_s=120))
        assert second.id != first.id
        assert await client.ask(GetSipTrace(actor=ADMIN, name="b")) == second
        await client.ask(RemoveSipTrace(actor=ADMIN, name="b"))
        for request in (GetSipTrace(actor=ADMIN, name="b"), RemoveSipTrace(actor=ADMIN, name="b")):
            with pytest.raises(NotFoundError):
                await client.ask(request)


async def test_traces_are_for_administrators():
    order = TraceOrder(number="100", for_s=60)
    async with World().running() as client:
        for request in (
            PutSipTrace(actor=USER, name="a", order=order),
            RemoveSipTrace(actor=USER, name="a"),
            GetSipTrace(actor=USER, name="a"),
            ListSipTraces(actor=USER),
        ):
            with pytest.raises(ForbiddenError, match="admin"):
                await client.ask(request)


async def test_unknown_stations_and_too_many_traces_are_rejected():
    async with World().running() as client:
        with pytest.raises(InvalidError, match="no station"):
            await client.ask(put("a", station_id=uuid4()))
        for no in range(MAX_TRACES):
            await client.ask(put(str(no)))
        await client.ask(put("0"))
        with pytest.raises(InvalidError, match="at most"):
            await client.ask(put("more"))
