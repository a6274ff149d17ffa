"""The contract suite of the journal of calls on streams with three copies, and two dialers at one call."""

import asyncio
from uuid import uuid4

import pytest

from cato_contracts.messages.calls import CallEventKind
from cato_dialer.dial.adapters.nats.call_journal import NatsCallJournal
from cato_dialer.dial.ports.dial import FencedError
from services.dialer.tests.contract.dial.test_call_journal import *  # noqa: F403 - all of its tests
from services.dialer.tests.contract.dial.test_call_journal import RUN, Journals, event, result


@pytest.fixture
async def journals(connected) -> Journals:
    """Journals of replicas that are connected to different servers."""
    made = 0

    async def one_more() -> NatsCallJournal:
        nonlocal made
        made += 1
        return NatsCallJournal(await connected(made % 3))

    return one_more


async def test_of_two_dialers_that_start_one_call_at_once_exactly_one_owns_it(
    journals,
):
    """The events have one id: on a cluster the server acknowledges the second one as a duplicate."""
    dialers = [await journals(), await journals()]
    for no in range(50):
        started = event(0, no=no, kind=CallEventKind.STARTED)
        outcomes = await asyncio.gather(
            *(dialer.append(started, 0) for dialer in dialers), return_exceptions=True
        )
        told = [type(outcome) for outcome in outcomes]
        assert sorted(told, key=str) == sorted([int, FencedError], key=str), (no, outcomes)


async def test_of_a_call_and_a_result_at_once_exactly_one_is_in_the_log(journals):
    starts, concludes = await journals(), await journals()
    for no in range(50):
        outcomes = await asyncio.gather(
            starts.append(event(0, no=no, kind=CallEventKind.STARTED), 0),
            concludes.append(result(1, no=no), 0),
            return_exceptions=True,
        )
        told = [type(outcome) for outcome in outcomes]
        assert sorted(told, key=str) == sorted([int, FencedError], key=str), (no, outcomes)


async def test_a_dialer_that_comes_second_with_the_same_event_is_fenced(journals):
    first, second = await journals(), await journals()
    started = event(0, no=7, kind=CallEventKind.STARTED)
    head = await first.append(started, 0)
    with pytest.raises(FencedError):
        await second.append(started, 0)
    assert await first.append(started, 0) == head
    assert len((await first.read(RUN, 7)).events) == 1
    assert (await second.read(uuid4(), 7)).events == ()
