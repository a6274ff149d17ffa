"""Searches of the history by number and by name: also those who were never called."""

import pytest

from cato_contracts.api.exports import ExportFormat
from cato_contracts.api.history import Grouping
from cato_contracts.requests import Actor
from services.reporting.tests.export_reading import read_export
from services.reporting.tests.history_reference import expected_calls
from services.reporting.tests.reporting_system import keep_list, publish, reporting
from tests.support.synthetic_runs import Sent, SyntheticRun, stopped_in_wave_1, synthetic_run

NAMES = ("Семёнов Пётр", "Семенова Анна", "Ivan Potapov", "Olga %_\\'\"", "ПОТАПОВ ИВАН", "Nobody")
NATIONAL = "8343720004"


def with_people(run):
    """The run with names and with national numbers, the first of each person ending in their index."""
    people = [
        person.model_copy(
            update={"full_name": NAMES[person.no], "phones": [f"{NATIONAL}{person.no}", *person.phones[1:]]}
        )
        for person in run.subscribers
    ]
    messages = []
    for sent in run.messages:
        envelope = sent.events[0]
        body = envelope.body
        changes = {}
        if getattr(body, "phone_index", None) == 0:
            changes["number"] = f"{NATIONAL}{body.no}"
        if getattr(body, "contact", None):
            changes["contact"] = body.contact.model_copy(update={"full_name": NAMES[body.no]})
        if changes:
            envelope = envelope.model_copy(update={"body": body.model_copy(update=changes)})
            messages.append(Sent(sent.subject, envelope.encode(), (envelope,)))
        else:
            messages.append(sent)
    return SyntheticRun(run.snapshot, people, messages)


def calls_of(run):
    return expected_calls([event for sent in run.messages for event in sent.events])


@pytest.fixture
def run():
    return with_people(stopped_in_wave_1(synthetic_run(44, subscribers=6), 0.12))


@pytest.fixture
async def reports(bus, clickhouse_dsn, run):
    await keep_list(bus, run)
    async with reporting(bus, clickhouse_dsn) as reports:
        await publish(bus, run.messages)
        yield reports


async def test_r4_a_number_is_found_in_each_of_its_forms(reports, run):
    called = [call for call in calls_of(run) if call.number.startswith(NATIONAL)]
    assert called
    for call in called:
        national = call.number[1:]
        for form in (f"8{national}", f"+7{national}", f"7{national}", national):
            assert await reports.all_calls(number=form) == [
                each for each in called if each.number == call.number
            ]
    assert await reports.all_calls(number=f"+8{called[0].number[1:]}") == []


async def test_r4_exports_and_statistics_find_a_number_in_each_of_its_forms(reports, run):
    number = next(call.number for call in calls_of(run) if call.number.startswith(NATIONAL))
    form = f"+7{number[1:]}"
    wanted = [call for call in calls_of(run) if call.number == number]
    assert read_export(await reports.export(ExportFormat.JSONL, number=form), ExportFormat.JSONL) == wanted
    assert (await reports.statistics(Grouping.DAY, number=form)).total.attempts == len(wanted)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("семенов", {0, 1}),
        ("СЕМЁНОВ", {0, 1}),
        ("петр семенов", {0}),
        ("potapov", {2}),
        ("иван потап", {4}),
        ("%_\\'\"", {3}),
        ("%", {3}),
        ("nobody at all", set()),
    ],
)
async def test_r4_calls_are_found_by_every_word_of_a_name(reports, run, name, found):
    page = await reports.calls(name=name, subscribers=True, limit=1000)
    assert {subscriber.subscriber_name for subscriber in page.subscribers} == {NAMES[no] for no in found}
    assert page.items == [
        call for call in calls_of(run) if call.subscriber_name in {NAMES[no] for no in found}
    ]


async def test_r4_a_person_who_was_never_called_is_shown_with_no_calls(reports, run):
    calls = calls_of(run)
    counts = set()
    results = [sent.events[0].body for sent in run.messages if ".result." in sent.subject]
    reached = {result.no for result in results if result.notified}
    for person in run.subscribers:
        page = await reports.calls(number=f"+7{person.phones[0][1:]}", subscribers=True)
        (subscriber,) = page.subscribers
        theirs = [call for call in calls if call.subscriber_name == person.full_name]
        assert (subscriber.subscriber_id, subscriber.phones) == (person.id, person.phones)
        assert (subscriber.task_exec_id, subscriber.calls) == (run.run_id, len(theirs))
        assert subscriber.notified == (person.no in reached)
        assert (subscriber.reason is None) == (person.no not in {result.no for result in results})
        counts.add(subscriber.calls)
    assert 0 in counts
    assert max(counts) > 0


async def test_subscribers_of_other_users_and_of_other_times_are_not_found(reports, run):
    number = run.subscribers[0].phones[0]

    async def found(**where):
        return len((await reports.calls(number=number, subscribers=True, **where)).subscribers)

    start = run.messages[0].events[0].occurred_at
    end = run.messages[-1].events[-1].occurred_at
    assert await found() == 1
    assert await found(actor=Actor(user_id="somebody")) == 0
    assert await found(actor=Actor(user_id="somebody", admin=True)) == 1
    assert await found(run_id=run.run_id) == 1
    assert await found(run_id=run.snapshot.task_id) == 0
    assert await found(since=end, until=end.replace(year=2100)) == 1
    assert await found(since=end.replace(year=2100)) == 0
    assert await found(until=start) == 0
    assert (await reports.calls(number=number)).subscribers is None
    assert (await reports.calls(subscribers=True)).subscribers is None
