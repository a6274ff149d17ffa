"""The tables and views: the same rows for any order and repetition of the events."""

import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cato_contracts.messages.runs import SubscriberResult
from cato_reporting.adapters.clickhouse.read_model import ClickHouseReadModel
from cato_reporting.domain.live_run import LiveRun
from cato_reporting.domain.live_runs import LiveRuns
from cato_reporting.domain.parsed_message import parse_message
from cato_reporting.domain.report import numbers_of
from cato_reporting.ports import StoredMessage
from services.reporting.tests.tables import expected_rows, stored_rows
from tests.support.synthetic_runs import synthetic_run


def stored_messages_of(run):
    return [
        StoredMessage(position, parse_message(sent.subject, sent.data))
        for position, sent in enumerate(run.messages, start=1)
    ]


def with_rules(stored: StoredMessage) -> StoredMessage:
    """Let a rule decide about every third subscriber who was not reached."""
    events = tuple(
        envelope.model_copy(
            update={"body": envelope.body.model_copy(update={"reason": RULES[envelope.body.wave % 2]})}
        )
        if isinstance(envelope.body, SubscriberResult)
        and not envelope.body.notified
        and envelope.body.no % 3 == 0
        else envelope
        for envelope in stored.parsed.events
    )
    return replace(stored, parsed=replace(stored.parsed, events=events))


RULES = ("no-number-left", "retry-stopped")


@pytest.fixture
async def read_model(clickhouse_dsn):
    model = ClickHouseReadModel(clickhouse_dsn)
    await model.open()
    yield model
    await model.close()


async def store_in_batches(model, stored_messages, rng):
    while stored_messages:
        size = rng.randint(1, 60)
        await model.store(stored_messages[:size], position=stored_messages[0].position)
        stored_messages = stored_messages[size:]


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(seed=st.integers(0, 2**60), lost_ends=st.booleans())
async def test_disturbed_batches_give_the_rows_of_the_reference(seed, lost_ends, read_model):
    run = synthetic_run(seed, subscribers=6, waves=3, lost_ends=lost_ends)
    rng = random.Random(seed)
    stored_messages = [with_rules(stored) for stored in stored_messages_of(run)]
    stored_messages += rng.choices(stored_messages, k=len(run.messages) // 2)
    rng.shuffle(stored_messages)
    await store_in_batches(read_model, stored_messages, rng)
    live = LiveRuns()
    for stored in stored_messages_of(run):
        live.apply(stored.position, with_rules(stored).parsed)
    assert (await read_model.numbers([run.run_id]))[run.run_id] == numbers_of(live.runs[run.run_id])
    restored = LiveRun(run.run_id)
    await read_model.restore(restored)
    folded = live.runs[run.run_id]
    assert (dict(restored.calls()), restored.outcomes()) == (dict(folded.calls()), folded.outcomes())
    begin = stored_messages_of(run)[0]
    restored.apply(begin.parsed.events[0], (begin.position, 0))
    assert numbers_of(restored) == numbers_of(folded)


async def test_the_views_show_every_fact_once(clickhouse_dsn):
    runs = [synthetic_run(seed, subscribers=9, waves=2, lost_ends=True) for seed in (1, 2)]
    model = ClickHouseReadModel(clickhouse_dsn)
    await model.open()
    for run in runs:
        stored_messages = stored_messages_of(run)
        await store_in_batches(model, stored_messages + stored_messages[::-1], random.Random(1))
        await model.store_list(run.run_id, run.subscribers)
        await model.store_list(run.run_id, run.subscribers[:3])
    await model.close()
    expected = expected_rows(runs)
    assert expected["digits"]
    assert await stored_rows(clickhouse_dsn) == expected


async def test_every_table_view_and_column_has_a_comment(read_model):
    tables = await read_model._rows(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND comment = ''"
        " AND engine != 'MaterializedView'",
        {},
    )
    columns = await read_model._rows(
        "SELECT table, name FROM system.columns WHERE database = currentDatabase() AND comment = ''"
        " AND table NOT LIKE '%\\_from\\_%'",
        {},
    )
    assert (list(tables), list(columns)) == ([], [])
