"""People who share their calls: one call in every document, and the same result for all of them."""

import json

from cato_contracts.api.exports import ExportFormat, SubscriberRecord
from services.reporting.tests.history_reference import expected_calls
from services.reporting.tests.reporting_system import keep_list, publish, reporting
from services.reporting.tests.status_reference import expected_statuses
from tests.support.synthetic_runs import naive_numbers, synthetic_run

SHARING = 2


async def test_a_shared_call_is_one_call_with_the_names_of_all(bus, clickhouse_dsn):
    run = synthetic_run(11, subscribers=6, waves=2, sharing=SHARING)
    events = [event for sent in run.messages for event in sent.events]
    first, *_, last = run.subscribers
    await keep_list(bus, run)
    async with reporting(bus, clickhouse_dsn) as reports:
        await publish(bus, run.messages)
        report = (await reports.run(run.run_id)).report
        naive = naive_numbers(run, events)
        assert report.model_dump(include=set(naive)) == naive
        assert report.subscriber_sharing == SHARING

        assert await reports.subscribers(run.run_id) == expected_statuses(run, events)

        calls = await reports.all_calls()
        assert calls == expected_calls(events)
        shared = [call for call in calls if call.subscriber_id == first.id]
        assert shared
        assert all(call.shared_with == first.shared_with for call in shared)
        for person in (first, last):
            page = await reports.calls(name=person.full_name, subscribers=True, run_id=run.run_id)
            assert [call.id for call in page.items] == [call.id for call in shared]
            assert [each.calls for each in page.subscribers] == [len(shared)]
            assert [each.household for each in page.subscribers] == [first.id]
        exported = [json.loads(line) for line in (await reports.export(ExportFormat.JSONL)).splitlines()]
        assert {call["id"]: call["sharedWith"] for call in exported} == {
            str(call.id): call.shared_with for call in calls
        }

        people = await reports.listed(run.run_id, limit=4)
        lines = await reports.export_subscribers(run.run_id, ExportFormat.JSONL)
        assert people == [SubscriberRecord.model_validate(json.loads(line)) for line in lines.splitlines()]
        household = [people[0], *people[-SHARING:]]
        assert {(each.household, each.calls, each.reason, each.notified) for each in household} == {
            (first.id, len(shared), household[0].reason, household[0].notified)
        }
        assert [each.shared_with for each in people] == [person.shared_with for person in run.subscribers]
        assert all(each.household is None for each in people[1:-SHARING])
