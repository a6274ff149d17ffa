"""Each truth of the random runs holds for a sound run, and can fail."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from cato_client.models import StatusDocument
from cato_contracts.api.resources import NotificationSettings
from cato_contracts.envelope import Envelope, Message
from cato_contracts.instants import unix_ms
from cato_contracts.messages.calls import CallEvent, CallEventKind
from cato_contracts.messages.runs import (
    Prompt,
    RunEnded,
    RunEnding,
    RunSnapshot,
    RunStarted,
    SubscriberResult,
    WaveEnded,
    WaveStarted,
)
from cato_contracts.objects import Bucket, ObjectRef
from cato_exchange.record import CallRecord
from tests.chaos.random_runs.evidence import Evidence, FailedTry, FarCall, GivenOrder
from tests.chaos.random_runs.run import far_call
from tests.chaos.random_runs.scenario import (
    BUSY,
    DIALERS,
    Fault,
    Kind,
    Order,
    Scenario,
    draw,
    possible,
)
from tests.chaos.random_runs.truths import TRUTHS, each_invite_is_a_call, times_are_right, violations

RUN = uuid4()
BEGAN = datetime(2026, 11, 27, 12, tzinfo=UTC)
NAMES = ("Anna", "Boris")
PHONES = (("100001",), ("200002",))
CALLS = (uuid4(), uuid4())
KINDS = (CallEventKind.STARTED, CallEventKind.RINGING, CallEventKind.ENDED)


def at_ms(second: float) -> float:
    return float(unix_ms(BEGAN + timedelta(seconds=second)))


def logged(body: Message, second: float) -> Envelope[Any]:
    return Envelope.wrap(
        body, event_id=str(uuid4()), occurred_at=BEGAN + timedelta(seconds=second), correlation_id=str(RUN)
    )


def event(no: int, seq: int, **more: Any) -> CallEvent:
    return CallEvent(
        run_id=RUN,
        no=no,
        wave=1,
        call_id=more.pop("call_id", CALLS[no]),
        seq=seq,
        kind=KINDS[seq],
        number=PHONES[no][0],
        phone_index=0,
        **more,
    )


def result(no: int, *, notified: bool) -> SubscriberResult:
    return SubscriberResult(
        run_id=RUN,
        no=no,
        wave=1,
        notified=notified,
        reason="listened" if notified else "busy",
        call_id=CALLS[no],
        number=PHONES[no][0],
    )


def snapshot() -> RunSnapshot:
    settings = NotificationSettings.model_validate(
        {
            "id": uuid4(),
            "userId": "user",
            "name": "s",
            "attemptCount": 1,
            "successCondition": "PICKUP_AND_LISTEN_FULL",
        }
    )
    stored = ObjectRef(bucket=Bucket.LISTS, name="n", size=1)
    return RunSnapshot(
        run_id=RUN,
        task_id=uuid4(),
        task_name="t",
        user_id="user",
        settings=settings,
        time_zone="UTC",
        prompt=Prompt(audio=stored, duration_ms=2000),
        subscribers=stored,
        subscriber_count=2,
        priority=0,
        start_at=None,
        expires_at=None,
    )


def sound_log() -> tuple[Envelope[Any], ...]:
    """Anna is called from 1 s to 4 s and reached at 3.9 s; Boris is busy from 2 s to 2.5 s."""
    return (
        logged(RunStarted(snapshot=snapshot()), 0),
        logged(WaveStarted(run_id=RUN, wave=1, subscriber_count=2), 0),
        logged(event(0, 0), 1),
        logged(event(0, 1, sip_code=180), 1.2),
        logged(event(1, 0), 2),
        logged(event(1, 1, sip_code=180), 2.1),
        logged(event(1, 2, reason="busy", sip_code=486), 2.5),
        logged(result(1, notified=False), 2.5),
        logged(result(0, notified=True), 3.9),
        logged(event(0, 2, reason="listened", success=True), 4),
        logged(WaveEnded(run_id=RUN, wave=1, notified=1, failed=1), 4),
        logged(RunEnded(run_id=RUN, ending=RunEnding.FINISHED), 4),
    )


def sound_document() -> dict[str, Any]:
    def person(no: int, start: float, end: float, *, success: bool) -> dict[str, Any]:
        call = {
            "csId": None,
            "callStart": int(at_ms(start)),
            "callRingStart": None,
            "callTalkingStart": None,
            "callEnd": int(at_ms(end)),
            "success": success,
            "delayed": False,
        }
        phones = [{"number": PHONES[no][0], "calls": [call]}]
        return {
            "notified": success,
            "subscriber": {"fullName": NAMES[no], "phones": list(PHONES[no]), "emails": []},
            "phones": phones,
        }

    report = {
        "name": "t",
        "subscriberCount": 2,
        "subscriberNotYetNotified": 0,
        "subscriberNotified": 1,
        "subscriberFailed": 1,
        "callsTotal": 2,
        "callsSucceeded": 1,
        "callsFailed": 1,
        "callsInProgress": 0,
        "callsDelayed": 0,
        "callsRinging": 0,
        "callsTalking": 0,
        "waveCurrent": 1,
        "waveTotal": 1,
        "activePhase": False,
        "state": "FINISHED",
    }
    people = [person(0, 1, 4, success=True), person(1, 2, 2.5, success=False)]
    times = {"startedAt": BEGAN, "endedAt": BEGAN + timedelta(seconds=4)}
    return {"id": str(RUN), "taskId": str(uuid4()), **times, "report": report, "subscribers": people}


def sound() -> Evidence:
    scenario = Scenario(
        seed=0,
        brokers=1,
        clickhouse_server=False,
        engine="dense",
        channels=2,
        interval_ms=50,
        options_interval_s=0,
        phones=PHONES,
        settings={"successCondition": "PICKUP_AND_LISTEN_FULL", "attemptCount": 1},
        prompt_s=2,
        faults=(),
        orders=(),
    )
    return Evidence(
        scenario=scenario,
        run_id=RUN,
        names=NAMES,
        far_calls=(
            FarCall(PHONES[0][0], at_ms(1.01), at_ms(3.99), answer_ms=at_ms(1.3), heard_all=True),
            FarCall(PHONES[1][0], at_ms(2.01), at_ms(2.49), final_code=486),
        ),
        log=sound_log(),
        document=StatusDocument.model_validate(sound_document()),
        created={"made-0": "1"},
        found={"made-0": ("1",)},
        orders=(GivenOrder(Order.PAUSE, accepted=False),),
        failed_tries=(FailedTry("GET /", None), FailedTry("GET /", 503, "1")),
    )


def far(evidence: Evidence, *more: FarCall) -> Evidence:
    return replace(evidence, far_calls=(*evidence.far_calls, *more))


def without(evidence: Evidence, kind: type[Message]) -> Evidence:
    return replace(evidence, log=tuple(each for each in evidence.log if not isinstance(each.body, kind)))


def document(change: Callable[[dict[str, Any]], None]) -> Callable[[Evidence], Evidence]:
    def changed(evidence: Evidence) -> Evidence:
        raw = sound_document()
        change(raw)
        return replace(evidence, document=StatusDocument.model_validate(raw))

    return changed


def twice_the_result(evidence: Evidence) -> Evidence:
    at = next(index for index, each in enumerate(evidence.log) if isinstance(each.body, SubscriberResult))
    return replace(evidence, log=(*evidence.log[: at + 1], evidence.log[at], *evidence.log[at + 1 :]))


def boris_lacks_success(evidence: Evidence) -> Evidence:
    heard = replace(evidence.far_calls[1], heard_all=True)
    return replace(evidence, far_calls=(evidence.far_calls[0], heard))


def late_answer(evidence: Evidence) -> Evidence:
    log = tuple(
        replace_body(each, kind=CallEventKind.ANSWERED, at=3.5)
        if isinstance(each.body, CallEvent) and each.body.no == 0 and each.body.seq == 1
        else each
        for each in evidence.log
    )
    return replace(evidence, log=log)


def replace_body(envelope: Envelope[Any], *, kind: CallEventKind, at: float) -> Envelope[Any]:
    return logged(envelope.body.model_copy(update={"kind": kind}), at)


BROKEN: Sequence[tuple[str, str, Callable[[Evidence], Evidence]]] = [
    ("run_ends", "active", document(lambda raw: raw["report"].update(activePhase=True))),
    ("run_ends", "no end in the log", lambda good: without(good, RunEnded)),
    ("log_keeps_its_rules", "two results", twice_the_result),
    ("log_keeps_its_rules", "wave skipped", lambda good: without(good, WaveStarted)),
    ("each_has_one_final_result", "one missing", document(lambda raw: raw["subscribers"].pop())),
    (
        "each_has_one_final_result",
        "not notified",
        document(lambda raw: raw["subscribers"][0].update(notified=False)),
    ),
    (
        "each_has_one_final_result",
        "call in progress",
        document(lambda raw: raw["report"].update(callsInProgress=1)),
    ),
    (
        "nobody_is_on_two_calls",
        "overlap",
        lambda good: far(good, FarCall(PHONES[0][0], at_ms(2), at_ms(3))),
    ),
    (
        "nobody_is_called_after_success",
        "called again",
        lambda good: far(good, FarCall(PHONES[0][0], at_ms(5), at_ms(6))),
    ),
    (
        "nobody_is_called_after_exclusion",
        "called 110 ms after the answer",
        lambda good: replace(good, excluded_ms={PHONES[1][0]: at_ms(1.9)}),
    ),
    (
        "nobody_is_called_after_exclusion",
        "excluded by nobody",
        lambda good: replace(
            good,
            log=(*good.log, logged(result(1, notified=False).model_copy(update={"reason": "excluded"}), 3)),
        ),
    ),
    (
        "calls_end_at_exchange",
        "left up",
        lambda good: replace(good, far_calls=(replace(good.far_calls[0], end_ms=None), good.far_calls[1])),
    ),
    (
        "channels_are_kept",
        "three calls",
        lambda good: far(good, FarCall(PHONES[1][0], at_ms(2.2), at_ms(2.3))),
    ),
    (
        "intervals_are_kept",
        "40 ms",
        lambda good: far(good, FarCall(PHONES[1][0], at_ms(2.05), at_ms(2.3))),
    ),
    (
        "each_invite_is_a_call",
        "INVITE without a call",
        lambda good: far(good, FarCall(PHONES[1][0], at_ms(8), at_ms(9))),
    ),
    (
        "each_invite_is_a_call",
        "call without an INVITE",
        lambda good: replace(good, far_calls=good.far_calls[:1]),
    ),
    ("each_invite_is_a_call", "lost success", boris_lacks_success),
    (
        "document_shows_the_log",
        "wrong time",
        document(lambda raw: raw["subscribers"][0]["phones"][0]["calls"][0].update(callStart=1)),
    ),
    (
        "document_shows_the_log",
        "call missing",
        document(lambda raw: raw["subscribers"][1]["phones"][0].update(calls=[])),
    ),
    ("times_are_right", "late answer", late_answer),
    ("answers_are_true", "made twice", lambda good: replace(good, found={"made-0": ("1", "2")})),
    ("answers_are_true", "lost", lambda good: replace(good, found={})),
    ("answers_are_true", "two runs", lambda good: replace(good, runs_of_task=2)),
    (
        "answers_are_true",
        "order without effect",
        lambda good: replace(good, orders=(GivenOrder(Order.STOP, accepted=True),)),
    ),
    (
        "failures_can_be_mended",
        "500",
        lambda good: replace(good, failed_tries=(FailedTry("GET /", 500),)),
    ),
    (
        "failures_can_be_mended",
        "no Retry-After",
        lambda good: replace(good, failed_tries=(FailedTry("GET /", 503),)),
    ),
    ("reports_are_true", "went back", lambda good: replace(good, wrong_reports=("went back",))),
    (
        "harmless_faults_cost_no_call",
        "one not reached",
        lambda good: replace(good, scenario=replace(good.scenario, harmless=True)),
    ),
    (
        "partitions_begin_in_calls",
        "a dialer cut off without a call",
        lambda good: replace(
            good, scenario=replace(good.scenario, faults=(Fault(1.0, Kind.CUT_OFF, BUSY, 5.0),))
        ),
    ),
    ("nothing_is_buried", "dead letter", lambda good: replace(good, dead_letters=1)),
    (
        "users_have_their_permissions",
        "refuses",
        lambda good: replace(good, refused_subjects=("broker refuses a subject",)),
    ),
]


def test_sound_run_violates_nothing() -> None:
    assert violations(sound()) == []


@pytest.mark.parametrize(("truth", "what", "spoil"), BROKEN, ids=[f"{one}: {two}" for one, two, _ in BROKEN])
def test_truth_fails_for_a_run_that_breaks_it(
    truth: str, what: str, spoil: Callable[[Evidence], Evidence]
) -> None:
    found = violations(spoil(sound()))
    assert [each for each in found if each.startswith(f"{truth}:")], found


def test_every_truth_has_a_run_that_breaks_it() -> None:
    assert {truth.__name__ for truth in TRUTHS} == {truth for truth, _, _ in BROKEN}


def test_call_without_invite_is_excused_by_silence_of_the_station_only_if_nothing_was_heard() -> None:
    quiet = ((at_ms(0), at_ms(10)),)
    lost = replace(sound(), far_calls=sound().far_calls[:1], silences_ms=quiet)
    assert violations(lost)
    unheard = tuple(each for each in lost.log if each.body != event(1, 1, sip_code=180))
    assert not [each for each in violations(replace(lost, log=unheard)) if "each_invite" in each]


def test_call_that_begins_where_the_last_one_ends_is_another_one() -> None:
    good, first = sound(), uuid4()
    events = ((CallEventKind.STARTED, -2), (CallEventKind.ANSWERED, -1.8), (CallEventKind.INTERRUPTED, 1.006))
    earlier = tuple(
        replace_body(logged(event(0, seq, call_id=first), 0), kind=kind, at=at)
        for seq, (kind, at) in enumerate(events)
    )
    begun = FarCall(PHONES[0][0], at_ms(-1.99), at_ms(0.9), answer_ms=at_ms(-1.8))
    evidence = far(replace(good, log=(*earlier, *good.log)), begun)
    assert list(times_are_right(evidence)) == []
    assert list(each_invite_is_a_call(evidence)) == []
    assert list(each_invite_is_a_call(far(evidence, replace(begun, invite_ms=at_ms(-1.9)))))


def test_repeated_invite_is_no_call_after_exclusion_if_the_station_was_silent_before() -> None:
    excluded = replace(sound(), excluded_ms={PHONES[1][0]: at_ms(2.01)})
    late = replace(
        excluded, far_calls=(excluded.far_calls[0], replace(excluded.far_calls[1], invite_ms=at_ms(2.05)))
    )

    def found(since: float, till: float) -> list[str]:
        silent = replace(late, silences_ms=((at_ms(since), at_ms(till)),))
        return [each for each in violations(silent) if "after_exclusion" in each]

    assert found(1.9, 2.04) == []
    assert found(0, 1.9), "the station heard the first INVITE"
    assert found(2.02, 2.04), "it was silent only after the exclusion"


def test_same_seed_gives_the_same_scenario() -> None:
    assert draw(7) == draw(7)
    assert draw(7) != draw(8)


def test_drawn_faults_have_every_kind_and_stay_within_the_limits_of_physics() -> None:
    scenarios = [draw(seed) for seed in range(300)]
    assert {fault.kind for each in scenarios for fault in each.faults} == set(Kind)
    assert {order.order for each in scenarios for order in each.orders} == set(Order)
    for scenario in scenarios:
        for index, fault in enumerate(scenario.faults):
            assert possible(fault, scenario.faults[:index])


def test_numbers_are_excluded_in_some_runs_and_belong_to_them() -> None:
    scenarios = [draw(seed) for seed in range(50)]
    excluding = [each for each in scenarios if each.exclusions]
    assert 10 < len(excluding) < 30
    for scenario in excluding:
        numbers = {number for of_person in scenario.phones for number in of_person}
        assert {each.number for each in scenario.exclusions} <= numbers


def test_dialer_and_its_worker_are_not_killed_together() -> None:
    worker = Fault(1, Kind.KILL_WORKER, DIALERS[0])
    assert not possible(Fault(2, Kind.KILL, DIALERS[0], 1), [worker])
    assert possible(Fault(2, Kind.KILL, DIALERS[1], 1), [worker])


def test_call_that_the_exchange_hung_up_is_over_when_it_sent_its_bye():
    record = CallRecord(
        "id", "1", "1", "2", "", "", "answer", "", attempt=1, invite_ms=1_000, answer_ms=1_100
    )
    record.hung_up_ms = 1_700
    assert far_call(record, b"").end_ms is None
    record.end_ms = 10_200  # the answer to the BYE came into a silence of the station
    assert far_call(record, b"").end_ms == 1_700
