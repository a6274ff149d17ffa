"""The answer ledger in memory and on JetStream behave alike."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from cato_gateway.adapters.nats_answer_ledger import NatsAnswerLedger
from cato_gateway.ports import AnswerLedger, KeptAnswer, LedgerEntry
from cato_runtime.broker import connect, ensure_topology, make_broker
from cato_runtime.process.embedded_nats import EmbeddedNats
from tests.support.gateway.memory_answer_ledger import MemoryAnswerLedger

FIRST = LedgerEntry(digest="a", command_id="1")
SECOND = LedgerEntry(digest="b", command_id="2")


@pytest.fixture(params=["memory", "nats"])
async def ledger(request, tmp_path) -> AsyncIterator[AnswerLedger]:
    if request.param == "memory":
        yield MemoryAnswerLedger()
        return
    async with EmbeddedNats(tmp_path / "nats") as nats:
        broker = make_broker(nats.url, "test")
        js = (await connect(broker)).jetstream()
        await ensure_topology(js)
        yield NatsAnswerLedger(js)
        await broker.stop()


async def test_the_first_reservation_of_a_key_wins(ledger):
    assert await ledger.reserve("k", FIRST) == FIRST
    assert await ledger.reserve("k", SECOND) == FIRST
    assert await ledger.reserve("other", SECOND) == SECOND


async def test_an_answer_is_kept(ledger):
    entry = await ledger.reserve("k", FIRST)
    kept = entry.model_copy(
        update={"answer": KeptAnswer(status=200, media_type="application/json", body="{}")}
    )
    await ledger.settle("k", kept)
    assert await ledger.reserve("k", SECOND) == kept


async def test_a_freed_key_can_be_reserved_again(ledger):
    entry = await ledger.reserve("k", FIRST)
    await ledger.settle("k", entry.model_copy(update={"free": True}))
    assert await ledger.reserve("k", SECOND) == SECOND
    assert await ledger.reserve("k", FIRST) == SECOND


async def test_one_of_many_concurrent_reservations_wins(ledger):
    wanted = [LedgerEntry(digest=str(no), command_id=str(no)) for no in range(20)]
    standing = await asyncio.gather(*(ledger.reserve("k", entry) for entry in wanted))
    assert len({entry.command_id for entry in standing}) == 1
