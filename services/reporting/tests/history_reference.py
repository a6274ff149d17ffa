"""The history of calls worked out naively from all events, to compare with."""

from collections import defaultdict
from zoneinfo import ZoneInfo

from cato_contracts.api.history import CallRecord, CallStatistics, Grouping
from cato_contracts.instants import unix_ms, whole_ms
from cato_contracts.messages.calls import FINAL_KINDS, CallEvent, CallEventKind
from cato_contracts.messages.runs import RunStarted, SubscriberResult
from cato_reporting.domain.effectiveness import network_served
from services.reporting.tests.status_reference import last_sip_call_id

DAYS = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]


def expected_calls(events):
    """All calls, the latest start first; in any order of the events, each once or more often."""
    calls = defaultdict(dict)
    snapshots = {}
    named = set()
    for envelope in events:
        body = envelope.body
        if isinstance(body, CallEvent):
            calls[body.call_id][body.seq] = envelope
        elif isinstance(body, SubscriberResult) and body.notified:
            named.add(body.call_id)
        elif isinstance(body, RunStarted):
            snapshots[body.snapshot.run_id] = body.snapshot
    records = [
        _record([call[seq] for seq in sorted(call)], snapshots, named)
        for call in calls.values()
        if call[min(call)].body.run_id in snapshots
    ]
    return sorted(records, key=place, reverse=True)


def place(record):
    """Calls are in the order of start and id; ClickHouse compares the second halves of ids first."""
    return record.started_at, record.id.int & (1 << 64) - 1, record.id.int >> 64


def _record(call, snapshots, named):
    def first(*kinds):
        times = [whole_ms(each.occurred_at) for each in call if each.body.kind in kinds]
        return times[0] if times else None

    begin, last = call[0].body, call[-1].body
    over = last.kind in FINAL_KINDS
    success = begin.call_id in named or (over and last.success)
    started_at, answered_at = first(CallEventKind.STARTED), first(CallEventKind.ANSWERED)
    ringing_at, ended_at = first(CallEventKind.RINGING, CallEventKind.SESSION_PROGRESS), first(*FINAL_KINDS)
    outcome = ("succeeded" if success else "failed") if over else ("talking" if answered_at else "ringing")
    snapshot = snapshots[begin.run_id]
    return CallRecord(
        id=begin.call_id,
        task_exec_id=begin.run_id,
        task_id=snapshot.task_id,
        task_name=snapshot.task_name,
        subscriber_id=begin.contact.id,
        subscriber_name=begin.contact.full_name,
        wave=begin.wave,
        number=begin.number,
        station_id=last.station_id,
        started_at=started_at,
        ringing_at=ringing_at,
        answered_at=answered_at,
        ended_at=ended_at,
        outcome=outcome,
        success=success,
        sip_code=last.sip_code if over else None,
        reason=last.reason if over else None,
        pdd_ms=_between(started_at, ringing_at or answered_at),
        talk_ms=_between(answered_at, ended_at),
        heard_ms=last.heard_ms if over else None,
        digits="".join(each.body.digit for each in call if each.body.kind is CallEventKind.DIGIT),
        delayed=any(each.body.delayed for each in call),
        reason_header=last.reason_header if over else None,
        sip_call_id=last_sip_call_id(call),
        shared_with=begin.contact.shared_with,
    )


def _between(begin, end):
    return None if begin is None or end is None else max(0, unix_ms(end) - unix_ms(begin))


def expected_statistics(records, group_by, zone="Europe/Moscow", among=None):
    """The groups in their order, and all of the calls together; `among`: all calls, if some are left out."""
    groups = defaultdict(list)
    attempts = _attempts(records if among is None else among)
    for record in records:
        key = attempts[record.id] if group_by is Grouping.ATTEMPT else _key(record, group_by, ZoneInfo(zone))
        groups[key].append(record)
    figures = [_figures(key, group, group_by) for key, group in groups.items()]
    if group_by in {Grouping.MINUTE, Grouping.HOUR, Grouping.DAY}:
        figures.sort(key=lambda each: min(record.started_at for record in groups[each.key]))
    elif group_by in {Grouping.WAVE, Grouping.ATTEMPT, Grouping.HOUR_OF_DAY}:
        figures.sort(key=lambda each: int(each.key))
    elif group_by is Grouping.WEEKDAY:
        figures.sort(key=lambda each: DAYS.index(each.key))
    else:
        figures.sort(key=lambda each: (-each.attempts, each.key is None, each.key))
    return figures, _figures(None, records, None)


def _attempts(records):
    """The number of each call among those of its run to its subscriber."""
    made = defaultdict(int)
    attempts = {}
    for record in sorted(records, key=place):
        made[record.task_exec_id, record.subscriber_id] += 1
        attempts[record.id] = str(made[record.task_exec_id, record.subscriber_id])
    return attempts


def _key(record, group_by, zone):
    local = record.started_at.astimezone(zone)
    key = {
        Grouping.MINUTE: local.replace(second=0, microsecond=0).isoformat(),
        Grouping.HOUR: local.replace(minute=0, second=0, microsecond=0).isoformat(),
        Grouping.DAY: local.date().isoformat(),
        Grouping.HOUR_OF_DAY: local.hour,
        Grouping.WEEKDAY: DAYS[local.weekday()],
        Grouping.WAVE: record.wave,
        Grouping.TASK: record.task_id,
        Grouping.STATION: record.station_id,
        Grouping.OUTCOME: record.outcome.value,
        Grouping.SIP_CODE: record.sip_code,
        Grouping.REASON: record.reason,
        Grouping.PREFIX: record.number.removeprefix("+")[:4],
    }[group_by]
    return None if key is None else str(key)


def _figures(key, records, group_by):
    over = [record for record in records if record.ended_at]
    answered = [record for record in over if record.answered_at]
    served = [
        record
        for record in over
        if network_served(
            answered=record.answered_at is not None,
            rang=record.ringing_at is not None,
            reason=record.reason,
        )
    ]
    dialed = sorted(record.pdd_ms for record in over if record.pdd_ms is not None)
    return CallStatistics(
        key=key,
        label=records[0].task_name if group_by is Grouping.TASK else None,
        attempts=len(records),
        in_progress=len(records) - len(over),
        answered=sum(record.answered_at is not None for record in records),
        succeeded=sum(record.success for record in over),
        failed=sum(not record.success for record in over),
        delayed=sum(record.delayed for record in records),
        asr=_mean(len(answered), over),
        ner=_mean(len(served), over),
        acd_ms=_mean(sum(record.talk_ms for record in answered), answered),
        pdd_ms=_mean(sum(dialed), dialed),
        pdd_p95_ms=dialed[int(0.95 * len(dialed))] if dialed else None,
    )


def _mean(total, of):
    return total / len(of) if of else None
