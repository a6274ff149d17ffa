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
    head = await journal.append_event(one, 0)
    assert await journal.append_event(one, 0) == head
    outcome = result(1)
    head = await journal.append_result(outcome, 0)
    assert await journal.append_result(outcome, 0) == head


async def test_a_write_after_an_outdated_head_is_fenced(journals: Journals) -> None:
    ours, theirs = await journals(), await journals()
    head = await ours.append_event(event(0), 0)
    await theirs.append_event(event(1, kind=CallEventKind.INTERRUPTED), head)
    with pytest.raises(FencedError):
        await ours.append_event(event(1), head)


async def test_results_are_fenced_like_events(journals: Journals) -> None:
    ours, theirs = await journals(), await journals()
    await ours.append_result(result(1), 0)
    with pytest.raises(FencedError):
        await theirs.append_result(result(2), 0)
