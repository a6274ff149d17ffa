"""The list of a run's subscribers, page by page and searched, and the runs that ended since a time."""

import json
from datetime import timedelta

import pytest

from cato_contracts.api.exports import ExportFormat, SubscriberRecord
from cato_contracts.api.status import SubscriberFilter
from cato_contracts.errors import InvalidError, NotFoundError
from cato_contracts.requests import Actor
from services.reporting.tests.reporting_system import keep_list, publish, reporting
from tests.support.synthetic_runs import BEGIN, SyntheticRun, stopped_in_wave_1, synthetic_run


@pytest.fixture
def run():
    """A run that was stopped in its first wave, before the last subscriber was called."""
    run = stopped_in_wave_1(synthetic_run(5, subscribers=9), 0.8)
    messages = [sent for sent in run.messages if not sent.subject.endswith(("call.8", "result.8"))]
    return SyntheticRun(run.snapshot, run.subscribers, messages)


@pytest.fixture
async def reports(bus, clickhouse_dsn, run):
    await keep_list(bus, run)
    async with reporting(bus, clickhouse_dsn) as reports:
        await publish(bus, run.messages)
        yield reports


async def exported(reports, run, which):
    """The same subscribers as a file."""
    lines = await reports.export_subscribers(run.run_id, ExportFormat.JSONL, filter=which)
    return [SubscriberRecord.model_validate(json.loads(line)) for line in lines.splitlines()]


@pytest.mark.parametrize("which", list(SubscriberFilter))
@pytest.mark.parametrize("limit", [1, 4, 100])
async def test_the_pages_have_what_the_file_has(reports, run, which, limit):
    found = await reports.listed(run.run_id, filter=which, limit=limit)
    assert found == await exported(reports, run, which)
    if which is SubscriberFilter.ALL:
        assert [each.subscriber_id for each in found] == [person.id for person in run.subscribers]
        assert {each.notified for each in found} == {True, False}
        assert 0 in {each.calls for each in found}


async def test_subscribers_are_searched_by_name_number_and_reason(reports, run):
    everyone = await reports.listed(run.run_id)
    person = run.subscribers[5]
    for search in ({"name": person.full_name.upper()}, {"number": person.phones[0]}):
        found = await reports.listed(run.run_id, **search)
        assert [each.subscriber_id for each in found] == [
            other.id
            for other in run.subscribers
            if other.full_name == person.full_name or person.phones[0] in other.phones
        ]
    reason = next(each.reason for each in everyone if each.reason is not None)
    found = await reports.listed(run.run_id, reason=reason, limit=2)
    assert found == [each for each in everyone if each.reason == reason]
    assert await reports.listed(run.run_id, name=person.full_name, reason="no-such-reason") == []


async def test_only_the_owner_lists_the_subscribers_of_a_run(reports, run):
    with pytest.raises(NotFoundError):
        await reports.listed(run.run_id, actor=Actor(user_id="somebody"))
    assert await reports.listed(run.run_id, actor=Actor(user_id="chief", admin=True))


async def test_a_foreign_cursor_is_refused(reports, run):
    query = {"actor": Actor(user_id="chief", admin=True)}
    with pytest.raises(InvalidError):
        await reports.runs(cursor="x", **query)


async def test_runs_that_ended_since_a_time_are_listed_with_the_active_ones(bus, clickhouse_dsn):
    early, late = synthetic_run(1), synthetic_run(2)
    active = synthetic_run(3)
    started = active.messages[:2]
    ends = {}
    async with reporting(bus, clickhouse_dsn) as reports:
        for run, messages in ((early, early.messages), (late, late.messages), (active, started)):
            await keep_list(bus, run)
            await publish(bus, messages)
        chief = Actor(user_id="chief", admin=True)
        for run in (early, late):
            ends[run.run_id] = (await reports.run(run.run_id, chief)).ended_at

        async def listed(since, **rest):
            return {each.id for each in (await reports.runs(chief, ended_since=since, **rest)).items}

        everything = {early.run_id, late.run_id, active.run_id}
        last = max(ends.values())
        ended_last = {run_id for run_id, at in ends.items() if at == last}
        assert await listed(BEGIN - timedelta(days=1)) == everything
        assert await listed(last) == ended_last | {active.run_id}
        assert await listed(last + timedelta(milliseconds=1)) == {active.run_id}
        assert await listed(last, active=False) == ended_last
        settled = reports.service._live.settle(
            stored=reports.service._projector.progress.position, now=last + timedelta(days=1)
        )
        assert {run.run_id for run in settled} <= {early.run_id, late.run_id}
        assert await listed(BEGIN - timedelta(days=1)) == everything
        assert await listed(last) == ended_last | {active.run_id}
        assert await listed(last + timedelta(days=1)) == {active.run_id}
