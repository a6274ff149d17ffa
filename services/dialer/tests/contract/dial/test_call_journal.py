"""The contract of a call journal."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import nats
import pytest

from cato_contracts.messages.calls import CallEventKind
from cato_dialer.dial.adapters.nats.call_journal import NatsCallJournal
from cato_dialer.dial.ports.dial import CallJournal, FencedError, SubscriberLog
from cato_runtime.broker import ensure_topology
from cato_runtime.process.embedded_nats import EmbeddedNats
from services.dialer.tests.support.journal_entries import RUN, event, result
from services.dialer.tests.support.memory_dial import MemoryCallJournal

Journals = Callable[[], Awaitable[CallJournal]]


@pytest.fixture(params=["memory", "nats"])
async def journals(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journals]:
    """Make journals of replicas that share one log."""
    shared = MemoryCallJournal()
    async with AsyncExitStack() as stack:
        url = ""
        if request.param == "nats":
            server = await stack.enter_async_context(EmbeddedNats(tmp_path / "nats"))
            url = server.url

        async def one_more() -> CallJournal:
            if not url:
                return shared
            client = await nats.connect(url)
            stack.push_async_callback(client.close)
            await ensure_topology(client.jetstream())
            return NatsCallJournal(client)

        yield one_more


async def test_a_subscriber_without_calls_has_an_empty_log(journals: Journals) -> None:
    journal = await journals()
    assert await journal.read(RUN, 0) == SubscriberLog()


async def test_a_repeated_write_returns_the_same_head(journals: Journals) -> None:
    journal = await journals()
    one = event(0)
    head = await journal.append(one, 0)
    assert await journal.append(one, 0) == head
    outcome = result(1)
    last = await journal.append(outcome, head)
    assert await journal.append(outcome, head) == last
    assert (await journal.read(RUN, 0)).head == last


async def test_a_write_after_an_outdated_head_is_fenced(journals: Journals) -> None:
    ours, theirs = await journals(), await journals()
    head = await ours.append(event(0), 0)
    await theirs.append(event(1, kind=CallEventKind.INTERRUPTED), head)
    with pytest.raises(FencedError):
        await ours.append(event(1), head)


async def test_an_opt_out_is_read_in_its_place_and_fences_like_any_event(journals: Journals) -> None:
    ours, theirs = await journals(), await journals()
    told = [event(0), event(1, kind=CallEventKind.OPTED_OUT), event(2, kind=CallEventKind.ENDED)]
    head = 0
    for each in told:
        before, head = head, await ours.append(each, head)
    with pytest.raises(FencedError):
        await theirs.append(event(2, kind=CallEventKind.INTERRUPTED), before)
    assert (await theirs.read(RUN, 0)).events == tuple(each.body for each in told)


async def test_results_are_fenced_like_events(journals: Journals) -> None:
    ours, theirs = await journals(), await journals()
    await ours.append(result(1), 0)
    with pytest.raises(FencedError):
        await theirs.append(result(2), 0)


async def test_start_of_a_call_is_rejected_after_a_result_and_a_result_after_the_start(
    journals: Journals,
) -> None:
    ours, theirs = await journals(), await journals()
    head = await ours.append(result(1), 0)
    with pytest.raises(FencedError):
        await theirs.append(event(0), 0)
    await theirs.append(event(0), head)
    with pytest.raises(FencedError):
        await ours.append(result(2), head)


async def test_what_is_on_its_way_is_rejected_after_a_fence_that_nobody_reads(journals: Journals) -> None:
    ours, theirs = await journals(), await journals()
    head = await ours.append(event(0), 0)
    fence = await ours.fence(RUN, 0, head)
    with pytest.raises(FencedError):
        await theirs.append(event(1), head)
    seen = await theirs.read(RUN, 0)
    assert (seen.events, seen.result, seen.head) == ((event(0).body,), None, fence)
    await theirs.append(event(1), fence)


async def test_subscribers_of_a_run_do_not_fence_each_other(journals: Journals) -> None:
    journal = await journals()
    await journal.append(event(0, no=1), 0)
    await journal.append(event(0, no=11), 0)
    await journal.append(result(1), 0)
