"""The status document as the database writes it is the one that follows from the events."""

import json

import pytest

from cato_contracts.api.status import GetStatusText, SubscriberFilter
from cato_contracts.messages.calls import CallEvent
from cato_contracts.messages.runs import SubscriberResult
from services.reporting.tests.reporting_system import ACTOR, keep_list, publish, reporting
from services.reporting.tests.status_reference import expected_statuses
from tests.support.synthetic_runs import Sent, SyntheticRun, in_version_1, synthetic_run

NASTY = 'Bu"sy\\ \u2028/Here\n\t№ {}'


def nastily_worded(run):
    """Names and reason phrases with everything that JSON has to escape."""
    people = [
        person.model_copy(
            update={
                "full_name": f"{NASTY} {person.no}",
                "emails": ["a@b", '"c"@d'],
                "attributes": {NASTY: NASTY} if person.no else {},
            }
        )
        for person in run.subscribers
    ]
    messages = []
    for sent in run.messages:
        envelope = sent.events[0]
        if isinstance(envelope.body, CallEvent) and envelope.body.reason_phrase:
            body = envelope.body.model_copy(update={"reason_phrase": NASTY})
            envelope = envelope.model_copy(update={"body": body})
            messages.append(Sent(sent.subject, envelope.encode(), (envelope,)))
        else:
            messages.append(sent)
    return SyntheticRun(run.snapshot, people, messages)


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


async def texts(reports, run, **rest):
    """Every piece, joined and read; the cursor leads from one to the next."""
    items, cursor = [], None
    while True:
        query = GetStatusText(actor=ACTOR, run_id=run.run_id, cursor=cursor, **rest)
        piece = await reports._ask(query)
        part = json.loads(f"[{piece.text().decode()}]", parse_constant=refuse)
        assert len(part) == piece.count
        items += part
        cursor = piece.next_cursor
        if cursor is None:
            return items


@pytest.mark.parametrize("part", [0.5, 1.0])
async def test_the_text_of_the_status_document_follows_from_the_events(bus, clickhouse_dsn, part):
    run = nastily_worded(synthetic_run(91, subscribers=12, waves=2, lost_ends=True))
    await keep_list(bus, run)
    sent = run.messages[: int(part * len(run.messages))]
    expected = expected_statuses(run, [event for each in sent for event in each.events])
    async with reporting(bus, clickhouse_dsn) as reports:
        await publish(bus, sent)
        wave = (await reports.run(run.run_id)).report.wave_current
        for which, is_meant in {
            SubscriberFilter.ALL: lambda person, status: True,
            SubscriberFilter.FAILED: lambda person, status: failed_in(wave, person, sent),
            SubscriberFilter.UNREACHED: lambda person, status: not status.notified,
        }.items():
            for events in True, False:
                wanted = [
                    shown(status, events=events)
                    for person, status in zip(run.subscribers, expected, strict=True)
                    if is_meant(person, status)
                ]
                assert await texts(reports, run, filter=which, events=events) == wanted
                assert await texts(reports, run, filter=which, events=events, limit=5) == wanted
        assert await texts(reports, run, filter=SubscriberFilter.NONE) == []


def shown(status, *, events):
    document = status.model_dump(mode="json", by_alias=True)
    if not events:
        for call in (call for phone in document["phones"] for call in phone["calls"]):
            call["events"] = []
    return document


def failed_in(wave, person, sent):
    bodies = [event.body for each in sent for event in each.events]
    results = [body for body in bodies if isinstance(body, SubscriberResult) and body.no == person.no]
    return any(body.wave == wave for body in results) and not any(body.notified for body in results)


async def test_a_version_1_event_with_invalid_data_leaves_the_document_valid(bus, clickhouse_dsn):
    run = in_version_1(synthetic_run(92, subscribers=1, waves=1))
    run.messages = [
        Sent(sent.subject, sent.data.replace(b'"SIP_CODE:100"', b"[NaN, 1]"), sent.events)
        for sent in run.messages
    ]
    assert any(b"NaN" in sent.data for sent in run.messages)
    await keep_list(bus, run)
    async with reporting(bus, clickhouse_dsn) as reports:
        await publish(bus, run.messages)
        (status,) = await texts(reports, run)
        calls = [call for phone in status["phones"] for call in phone["calls"]]
        (trying, *_) = [event for call in calls for event in call["events"] if event["name"] == "Trying"]
        assert trying["data"] == "SIP_CODE:100"
