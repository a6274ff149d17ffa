"""Who was not reached: the API's filter and the documented SQL, in every state of a run."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cato_contracts.api.status import SubscriberFilter
from cato_contracts.messages.runs import RunEnded, RunEnding, RunPaused, RunStopping, SubscriberResult
from cato_reporting.adapters.clickhouse.read_model import ClickHouseReadModel
from cato_reporting.domain.live_runs import LiveRuns
from cato_reporting.domain.parsed_message import parse_message
from cato_reporting.domain.report import make_report, numbers_of, run_state
from cato_reporting.ports import StoredMessage
from tests.analytics.documented import statements
from tests.support.synthetic_runs import BEGIN, cut_short, stopped_in_wave_1, synthetic_run

QUESTION_2 = next(blocks[0] for heading, blocks in statements().items() if heading.startswith("2. "))


@pytest.fixture
async def read_model(clickhouse_dsn):
    model = ClickHouseReadModel(clickhouse_dsn)
    await model.open()
    yield model
    await model.close()


def run_in(state, seed, part):
    run = synthetic_run(seed, subscribers=9, waves=3, lost_ends=True)
    run_id, end = run.run_id, max(1, int(part * len(run.messages)))
    match state:
        case "running":
            return cut_short(run, end)
        case "paused":
            return cut_short(run, end, RunPaused(run_id=run_id))
        case "stopping":
            return cut_short(run, end, RunStopping(run_id=run_id))
        case "stopped in wave 1":
            return stopped_in_wave_1(run, part)
        case "expired":
            return cut_short(run, end, RunEnded(run_id=run_id, ending=RunEnding.EXPIRED))
    return run


async def unreached_of(model, run, wave):
    """The subscribers of the status document, in pages of two."""
    found, after = [], -1
    while True:
        detail = await model.written_detail(
            run.run_id, which=SubscriberFilter.UNREACHED, wave=wave, after=after, limit=2, events=False
        )
        if not detail.subscribers:
            return found
        assert not detail.notified
        found += [subscriber.no for subscriber in detail.subscribers]
        after = found[-1]


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(seed=st.integers(0, 2**60), part=st.floats(0.02, 0.98))
@pytest.mark.parametrize(
    "state", ["running", "paused", "stopping", "stopped in wave 1", "expired", "finished"]
)
async def test_r3_reached_and_unreached_are_all_in_every_state(state, seed, part, read_model):
    run = run_in(state, seed, part)
    stored = [
        StoredMessage(position, parse_message(sent.subject, sent.data))
        for position, sent in enumerate(run.messages, start=1)
    ]
    await read_model.store(stored, position=len(stored))
    await read_model.store_list(run.run_id, run.subscribers)
    live = LiveRuns()
    for each in stored:
        live.apply(each.position, each.parsed)
    folded = live.runs[run.run_id]
    report = make_report(run.snapshot, numbers_of(folded), run_state(folded, run.snapshot, BEGIN))
    bodies = [event.body for sent in run.messages for event in sent.events]
    reached = {body.no for body in bodies if isinstance(body, SubscriberResult) and body.notified}
    everyone = {person.no for person in run.subscribers}

    unreached = await unreached_of(read_model, run, folded.wave)
    assert unreached == sorted(everyone - reached)
    assert report.subscriber_notified + len(unreached) == report.subscriber_count == len(everyone)
    by_sql = await read_model._rows(QUESTION_2, {"run": run.run_id})
    assert [row[0] for row in by_sql] == unreached
