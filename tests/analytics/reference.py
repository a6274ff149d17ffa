"""The results of the statements of docs/analytics.md, computed from the events alone."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from cato_contracts.messages.calls import FINAL_KINDS, CallEvent, CallEventKind
from cato_contracts.messages.runs import SubscriberResult
from tests.support.synthetic_runs import SyntheticRun

K = CallEventKind


@dataclass
class Call:
    run_id: UUID
    no: int
    call_id: UUID
    place: int
    number: str
    station: UUID | None
    started: datetime
    rang: datetime | None
    answered: datetime | None
    ended: datetime | None
    sip_code: int | None
    reason: str
    heard_ms: int | None
    success: bool
    delayed: bool
    keys: list[tuple[datetime, str]]

    @property
    def pdd_ms(self) -> int | None:
        first = self.rang or self.answered
        return milliseconds(self.started, first) if first else None

    @property
    def talk_ms(self) -> int | None:
        return milliseconds(self.answered, self.ended) if self.answered and self.ended else None


def milliseconds(since: datetime, until: datetime) -> int:
    return round((until - since).total_seconds() * 1000)


def calls_of(run: SyntheticRun) -> list[Call]:
    events = defaultdict(list)
    reached = set()
    for envelope in (event for sent in run.messages for event in sent.events):
        if isinstance(envelope.body, CallEvent):
            events[envelope.body.call_id].append(envelope)
        elif isinstance(envelope.body, SubscriberResult) and envelope.body.notified:
            reached.add(envelope.body.call_id)
    return [_call(each, reached) for each in events.values()]


def _call(events: list[Any], reached: set[UUID]) -> Call:
    def first(*kinds: CallEventKind) -> datetime | None:
        return next((each.occurred_at for each in events if each.body.kind in kinds), None)

    one = events[0].body
    last = next((each.body for each in events if each.body.kind in FINAL_KINDS), None)
    return Call(
        one.run_id,
        one.no,
        one.call_id,
        one.phone_index,
        one.number,
        events[-1].body.station_id,
        events[0].occurred_at,
        first(K.RINGING, K.SESSION_PROGRESS),
        first(K.ANSWERED),
        first(*FINAL_KINDS),
        last.sip_code if last else None,
        (last.reason if last else None) or "",
        last.heard_ms if last else None,
        one.call_id in reached or bool(last and last.success),
        any(each.body.delayed for each in events),
        [(each.occurred_at, each.body.digit) for each in events if each.body.kind is K.DIGIT],
    )


def results_of(run: SyntheticRun) -> list[SubscriberResult]:
    bodies = [envelope.body for sent in run.messages for envelope in sent.events]
    return [body for body in bodies if isinstance(body, SubscriberResult)]


def quantile(level: float, values: list[int]) -> int:
    """Return the value at the quantile `level`."""
    return sorted(values)[int(level * len(values))]


def waves(run: SyntheticRun) -> list[tuple[Any, ...]]:
    rows, so_far = [], 0
    results = results_of(run)
    for wave in sorted({each.wave for each in results}):
        reached = sum(each.notified for each in results if each.wave == wave)
        so_far += reached
        rows.append((wave, reached, sum(each.wave == wave for each in results) - reached, so_far))
    return rows


def never_reached(run: SyntheticRun) -> list[tuple[Any, ...]]:
    reached = {each.no for each in results_of(run) if each.notified}
    last = {each.no: each.reason for each in sorted(results_of(run), key=lambda each: each.wave)}
    called = {call.no for call in calls_of(run)}
    return [
        (
            person.no,
            person.full_name,
            person.phones,
            last.get(person.no, "no result" if person.no in called else "never called"),
        )
        for person in run.subscribers
        if person.no not in reached
    ]


def places(run: SyntheticRun) -> list[tuple[Any, ...]]:
    rows = []
    calls = [call for call in calls_of(run) if call.ended]
    for place in sorted({call.place for call in calls}):
        those = [call for call in calls if call.place == place]
        reached = sum(call.success for call in those)
        rows.append((place + 1, len(those), reached, round(100 * reached / len(those), 1)))
    return rows


def hours(calls: list[Call]) -> list[tuple[Any, ...]]:
    by_hour = defaultdict(list)
    for call in calls:
        if call.ended:
            by_hour[call.started.astimezone(ZoneInfo("Europe/Moscow")).hour].append(call)
    rows = []
    for hour, those in sorted(by_hour.items()):
        answered = sum(call.answered is not None for call in those)
        rows.append((hour, len(those), answered, round(answered / len(those), 4)))
    return rows


def stations(calls: list[Call]) -> list[tuple[Any, ...]]:
    by_station = defaultdict(list)
    for call in calls:
        if call.ended:
            by_station[call.station].append(call)
    rows = []
    for station, those in by_station.items():
        pdd = [call.pdd_ms for call in those if call.pdd_ms is not None]
        talk = [call.talk_ms for call in those if call.talk_ms is not None]
        asr = sum(call.answered is not None for call in those) / len(those)
        rows.append(
            (
                station,
                len(those),
                sum(call.delayed for call in those),
                round(asr, 4),
                round(sum(pdd) / len(pdd)),
                quantile(0.95, pdd),
                round(sum(talk) / len(talk) / 1000, 1),
            )
        )
    return sorted(rows, key=lambda row: -row[1])


def failures(run: SyntheticRun) -> list[tuple[Any, ...]]:
    failed = Counter(
        (call.reason, call.sip_code) for call in calls_of(run) if call.ended and not call.success
    )
    rows = [(reason, code, count) for (reason, code), count in failed.items()]
    # NULL is last in ClickHouse.
    return sorted(rows, key=lambda row: (-row[2], row[0], row[1] is None, row[1] or 0))


def heard(run: SyntheticRun) -> list[tuple[Any, ...]]:
    rows = []
    for success in (False, True):
        values = [
            call.heard_ms
            for call in calls_of(run)
            if call.success is success and call.answered and call.heard_ms is not None
        ]
        if values:
            rows.append((success, len(values), *(quantile(level, values) for level in (0.25, 0.5, 0.75))))
    return rows


def keyed(run: SyntheticRun) -> list[tuple[Any, ...]]:
    by_digits = defaultdict(list)
    for call in calls_of(run):
        if call.keys:
            by_digits["".join(key for _, key in call.keys)].append(call)
    rows = [
        (
            digits,
            len(those),
            len({call.no for call in those}),
            min(milliseconds(call.answered, call.keys[0][0]) for call in those),
        )
        for digits, those in by_digits.items()
    ]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def busiest(run: SyntheticRun) -> list[tuple[Any, ...]]:
    changes = [(call.started, 1) for call in calls_of(run)]
    changes += [(call.ended, -1) for call in calls_of(run) if call.ended]
    at_once, most = 0, (0, datetime.max.replace(tzinfo=UTC))
    for time, change in sorted(changes):
        at_once += change
        if at_once > most[0]:
            most = (at_once, time)
    return [most]


def never_answering(runs: list[SyntheticRun]) -> list[tuple[Any, ...]]:
    by_number = defaultdict(list)
    for run in runs:
        for call in calls_of(run):
            by_number[call.number].append(call)
    rows = [
        (number, len(calls), len({call.run_id for call in calls}), max(call.started for call in calls))
        for number, calls in by_number.items()
        if not any(call.answered for call in calls) and len({call.run_id for call in calls}) >= 2
    ]
    return sorted(rows, key=lambda row: (-row[1], row[0]))[:100]
