"""The expected rows of the tables, computed from the events, and the actual rows."""

from cato_contracts.instants import unix_ms
from cato_contracts.messages.calls import CallEvent
from cato_contracts.messages.runs import SubscriberResult
from cato_reporting.adapters.clickhouse.threads import ClickHouseThreads
from cato_reporting.domain.wording import event_name, event_status
from services.reporting.tests.status_reference import call_view

_QUERIES = {
    "calls": """
        SELECT run_id, subscriber_no, call_id, wave, number, phone_index, station_id,
            toUnixTimestamp64Milli(started_at), toUnixTimestamp64Milli(ringing_at),
            toUnixTimestamp64Milli(answered_at), toUnixTimestamp64Milli(ended_at),
            sip_code, reason, heard_ms, success, delayed, reason_header,
            sip_call_id
        FROM calls""",
    "call_events": """
        SELECT run_id, subscriber_no, event_id, toUnixTimestamp64Milli(time), kind, name, status, digit
        FROM call_events""",
    "subscriber_results": """
        SELECT run_id, subscriber_no, wave, toUnixTimestamp64Milli(time), notified, reason, call_id, number
        FROM subscriber_results""",
    "runs": """
        SELECT run_id, task_id, task_name, user_id, subscriber_count, wave_total, wave, ending FROM runs""",
    "run_subscribers": "SELECT run_id, subscriber_no, full_name, phones FROM run_subscribers",
    "digits": "SELECT run_id, subscriber_no, call_id, digits FROM digits",
}


async def stored_rows(dsn):
    """Every view's rows, sorted; the database must not be open elsewhere when it is embedded."""
    threads = ClickHouseThreads(dsn, threads=1, max_threads=2, timeout_s=30, name="test")

    def read(client):
        return {view: sorted(client.query(sql).result_rows, key=repr) for view, sql in _QUERIES.items()}

    try:
        return await threads.run(read)
    finally:
        await threads.close()


def expected_rows(runs):
    rows = {view: [] for view in _QUERIES}
    for run in runs:
        events = [event for sent in run.messages for event in sent.events]
        _add_calls(rows, run, events)
        _add_results(rows, events)
        wave = max(envelope.body.wave for envelope in events if hasattr(envelope.body, "wave"))
        snapshot = run.snapshot
        rows["runs"].append(
            (
                run.run_id,
                snapshot.task_id,
                snapshot.task_name,
                snapshot.user_id,
                snapshot.subscriber_count,
                snapshot.settings.attempt_count,
                wave,
                "FINISHED",
            )
        )
        rows["run_subscribers"] += [
            (run.run_id, person.no, person.full_name, person.phones) for person in run.subscribers
        ]
    return {view: sorted(found, key=repr) for view, found in rows.items()}


def _add_calls(rows, run, events):
    calls = {}
    named = set()
    for envelope in events:
        body = envelope.body
        if isinstance(body, CallEvent):
            calls.setdefault(body.call_id, []).append(envelope)
            event = (body.run_id, body.no, body.event_id, unix_ms(envelope.occurred_at))
            rows["call_events"].append(
                (*event, body.kind.value, event_name(body), event_status(body), body.digit or "")
            )
        elif isinstance(body, SubscriberResult) and body.notified:
            named.add(body.call_id)
    for call in calls.values():
        first, last = call[0].body, call[-1].body
        view = call_view(call, named)
        over = view.call_end is not None
        rows["calls"].append(
            (
                first.run_id,
                first.no,
                first.call_id,
                first.wave,
                first.number,
                first.phone_index,
                view.cs_id,
                view.call_start,
                view.call_ring_start,
                view.call_talking_start,
                view.call_end,
                last.sip_code if over else None,
                (last.reason or "") if over else "",
                last.heard_ms if over else None,
                view.success,
                view.delayed,
                view.reason_header or "",
                view.sip_call_id or "",
            )
        )
        digits = "".join(each.body.digit for each in call if each.body.kind == "digit")
        if digits:
            rows["digits"].append((first.run_id, first.no, first.call_id, digits))


def _add_results(rows, events):
    for envelope in events:
        body = envelope.body
        if isinstance(body, SubscriberResult):
            rows["subscriber_results"].append(
                (
                    body.run_id,
                    body.no,
                    body.wave,
                    unix_ms(envelope.occurred_at),
                    body.notified,
                    body.reason,
                    body.call_id,
                    body.number or "",
                )
            )
