"""What must be true of every run, whatever broke in it: pure functions from the evidence to violations."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from uuid import UUID

from cato_client.models import Call
from cato_contracts.api.reasons import Reason
from cato_contracts.instants import unix_ms
from cato_contracts.messages.calls import FINAL_KINDS, CallEvent, CallEventKind
from cato_contracts.messages.runs import (
    RunEnded,
    RunPaused,
    RunResumed,
    RunStopping,
    SubscriberResult,
)
from tests.chaos.random_runs.evidence import Evidence, FarCall
from tests.chaos.random_runs.scenario import BUSY, Kind, Order
from tests.simulation.world.judgement.rules import LogRules

CANCELLED = "cancelled"
CLOCK_MS = 5.0
"""The times of the log are whole milliseconds, those of the exchange are not."""
LENIENCE_MS = 20.0
"""A longer stall of the machine may bring two INVITEs closer together than the dialer has sent them."""
_LATE_MS = 1500.0
_FROM_STATION = frozenset(
    {
        CallEventKind.TRYING,
        CallEventKind.RINGING,
        CallEventKind.SESSION_PROGRESS,
        CallEventKind.ANSWERED,
        CallEventKind.REJECTED,
    }
)


@dataclass(slots=True)
class LoggedCall:
    """A call folded from the log; `end_ms` None: it has no end."""

    call_id: UUID
    no: int
    number: str
    start_ms: float
    end_ms: float | None = None
    heard_of: bool = False
    answered_ms: float | None = None
    final: CallEventKind | None = None
    success: bool = False
    reason: str | None = None


def logged_calls(evidence: Evidence) -> list[LoggedCall]:
    """Return the calls of the log in the order of their starts."""
    calls: dict[UUID, LoggedCall] = {}
    for envelope in evidence.log:
        event = envelope.body
        if not isinstance(event, CallEvent):
            continue
        at = float(unix_ms(envelope.occurred_at))
        call = calls.setdefault(event.call_id, LoggedCall(event.call_id, event.no, event.number, at))
        call.heard_of |= event.kind in _FROM_STATION
        if event.kind is CallEventKind.ANSWERED:
            call.answered_ms = at
        if event.kind in FINAL_KINDS:
            call.end_ms, call.final, call.success, call.reason = at, event.kind, event.success, event.reason
    return list(calls.values())


def run_ends(evidence: Evidence) -> Iterator[str]:
    if evidence.document.report.active_phase:
        yield f"the run has not ended: {evidence.document.report}"
    endings = [each for each in evidence.log if isinstance(each.body, RunEnded)]
    if len(endings) != 1:
        yield f"the log has {len(endings)} ends of the run"


def log_keeps_its_rules(evidence: Evidence) -> Iterator[str]:
    """One result of a subscriber in a wave, no wave skipped or doubled, events in their order."""
    found: list[str] = []
    rules = LogRules(found.append)
    for envelope in evidence.log:
        rules.take(envelope.body)
    if not evidence.document.report.active_phase:
        rules.assert_complete()
    yield from found


def each_has_one_final_result(evidence: Evidence) -> Iterator[str]:
    shown = [status.subscriber.full_name for status in evidence.document.subscribers]
    if sorted(shown) != sorted(evidence.names):
        yield f"the document has {len(shown)} subscribers, the list {len(evidence.names)}, or others"
    notified = {
        evidence.names[each.body.no]
        for each in evidence.log
        if isinstance(each.body, SubscriberResult) and each.body.notified
    }
    for status in evidence.document.subscribers:
        name = status.subscriber.full_name
        if status.notified != (name in notified):
            yield f"{name} is notified={status.notified} in the document, not in the log"
        successes = sum(call.success for phone in status.phones for call in phone.calls)
        if successes != int(status.notified):
            yield f"{name} is notified={status.notified} with {successes} successful calls"
    report = evidence.document.report
    if report.subscriber_notified != len(notified):
        yield f"the report has {report.subscriber_notified} notified, the log {len(notified)}"
    if not report.active_phase and report.calls_in_progress:
        yield f"{report.calls_in_progress} calls are in progress after the end"


def nobody_is_on_two_calls(evidence: Evidence) -> Iterator[str]:
    for name, calls in _by_person(evidence).items():
        for first, second in pairwise(calls):
            if first.end_ms is None or first.end_ms > second.invite_ms:
                yield f"{name} is called at {second.invite_ms:.0f} during the call {_span(first)}"


def nobody_is_called_after_success(evidence: Evidence) -> Iterator[str]:
    by_person = _by_person(evidence)
    for envelope in evidence.log:
        result = envelope.body
        if isinstance(result, SubscriberResult) and result.notified:
            at = unix_ms(envelope.occurred_at)
            name = evidence.names[result.no]
            for call in by_person[name]:
                if call.invite_ms > at + CLOCK_MS:
                    yield f"{name} was notified at {at} and is called at {call.invite_ms:.0f}"


def nobody_is_called_after_exclusion(evidence: Evidence) -> Iterator[str]:
    """No INVITE begins once the exclusion of its number was answered; nobody else counts as excluded."""
    for call, mine in _pairs(evidence):
        since = evidence.excluded_ms.get(call.number)
        if since is not None and call.invite_ms > since and not _may_be_repeated(call, mine, since, evidence):
            yield f"{call.number} was excluded at {since:.0f} and is called at {call.invite_ms:.0f}"
    wanted = {each.number for each in evidence.scenario.exclusions}
    results = [each.body for each in evidence.log if isinstance(each.body, SubscriberResult)]
    for no in {each.no for each in results if each.reason == Reason.EXCLUDED}:
        if not wanted.intersection(evidence.scenario.phones[no]):
            yield f"{evidence.names[no]} counts as excluded, and no number of theirs is"


def _may_be_repeated(far: FarCall, mine: LoggedCall | None, before_ms: float, evidence: Evidence) -> bool:
    """Tell whether an INVITE may repeat one from before `before_ms`, which a silent station did not hear."""
    if mine is None or mine.start_ms > before_ms:
        return False
    silent = ((max(since, mine.start_ms), till) for since, till in evidence.silences_ms)
    return any(since <= min(till, before_ms) and till <= far.invite_ms for since, till in silent)


def calls_end_at_exchange(evidence: Evidence) -> Iterator[str]:
    for call in evidence.far_calls:
        if call.end_ms is None:
            yield f"the call to {call.number} from {call.invite_ms:.0f} is still up at the exchange"


def channels_are_kept(evidence: Evidence) -> Iterator[str]:
    changes = [(call.invite_ms, 1) for call in evidence.far_calls]
    changes += [(call.end_ms, -1) for call in evidence.far_calls if call.end_ms is not None]
    changes.sort()
    up = list(accumulate(change for _, change in changes))
    if up and max(up) > evidence.scenario.channels:
        at = changes[up.index(max(up))][0]
        yield f"{max(up)} calls are up on {evidence.scenario.channels} channels at {at:.0f}"


def intervals_are_judged(evidence: Evidence) -> bool:
    """Tell whether the machine ran well enough: a dialer allows a fifth of the interval for its delays."""
    return evidence.worst_stall_ms <= min(LENIENCE_MS, evidence.scenario.interval_ms / 5)


def intervals_are_kept(evidence: Evidence) -> Iterator[str]:
    if not intervals_are_judged(evidence):
        return
    least = evidence.scenario.interval_ms
    invites = sorted(call.invite_ms for call in evidence.far_calls)
    for first, second in pairwise(invites):
        if second - first < least:
            yield f"two INVITEs are {second - first:.1f} ms apart instead of {least}, at {second:.0f}"


def each_invite_is_a_call(evidence: Evidence) -> Iterator[str]:
    """Each INVITE at the exchange is a call in the log at that time, and the other way round."""
    matched: set[UUID] = set()
    for far, mine in _pairs(evidence):
        if mine is None:
            yield f"the INVITE to {far.number} at {far.invite_ms:.0f} is no call in the log"
            continue
        matched.add(mine.call_id)
        listens = evidence.scenario.settings["successCondition"] == "PICKUP_AND_LISTEN_FULL"
        if listens and far.heard_all and mine.final is CallEventKind.ENDED and not mine.success:
            yield f"the call to {far.number} at {far.invite_ms:.0f} heard all, no success: {mine.reason}"
    for call in logged_calls(evidence):
        if call.call_id not in matched and not _may_lack_invite(call, evidence):
            yield f"the call to {call.number} at {call.start_ms:.0f} ({call.reason}) has no INVITE"


def _pairs(evidence: Evidence) -> list[tuple[FarCall, LoggedCall | None]]:
    """Return each call at the exchange, in the order of the INVITEs, with the call in the log that made it.

    A call in the log has one INVITE: the next call to a number may begin where the clocks still agree with
    the end of the last one.
    """
    calls: dict[str, list[LoggedCall]] = defaultdict(list)
    for call in logged_calls(evidence):
        calls[call.number].append(call)
    pairs = []
    for far in sorted(evidence.far_calls, key=lambda each: each.invite_ms):
        mine = next((call for call in calls[far.number] if _agree(far, call)), None)
        if mine is not None:
            calls[far.number].remove(mine)
        pairs.append((far, mine))
    return pairs


def _agree(far: FarCall, call: LoggedCall) -> bool:
    ends = call.end_ms if call.end_ms is not None else float("inf")
    return call.start_ms - CLOCK_MS <= far.invite_ms <= ends + CLOCK_MS


def _may_lack_invite(call: LoggedCall, evidence: Evidence) -> bool:
    """Tell whether the request of a call may never have arrived at the exchange."""
    if call.heard_of:
        return False
    if call.reason == CANCELLED or call.final is CallEventKind.INTERRUPTED or call.final is None:
        return True
    ends = call.end_ms if call.end_ms is not None else float("inf")
    return any(call.start_ms <= till and since <= ends for since, till in evidence.silences_ms)


def document_shows_the_log(evidence: Evidence) -> Iterator[str]:
    """Every call of the log is in the document, with its times and its success."""
    logged: dict[tuple[str, str], list[tuple[float, float | None, bool]]] = defaultdict(list)
    for call in logged_calls(evidence):
        key = (evidence.names[call.no], call.number)
        logged[key].append((call.start_ms, call.end_ms, call.success))
    shown: dict[tuple[str, str], list[tuple[float, float | None, bool]]] = defaultdict(list)
    for status in evidence.document.subscribers:
        for phone in status.phones:
            if phone.calls:
                key = (status.subscriber.full_name, phone.number)
                shown[key] = [_shown(call) for call in phone.calls]
    for key in sorted(logged.keys() | shown.keys()):
        if sorted(logged[key], key=lambda each: each[0]) != sorted(shown[key], key=lambda each: each[0]):
            yield f"calls to {key}: the log has {logged[key]}, the document {shown[key]}"
    total = sum(len(each) for each in logged.values())
    if evidence.document.report.calls_total != total:
        yield f"the report has {evidence.document.report.calls_total} calls, the log {total}"


def _shown(call: Call) -> tuple[float, float | None, bool]:
    return float(call.call_start), None if call.call_end is None else float(call.call_end), call.success


def answers_are_true(evidence: Evidence) -> Iterator[str]:
    for name, made in evidence.created.items():
        if evidence.found.get(name, ()) != (made,):
            yield f"{name} was created as {made}, and found as {evidence.found.get(name, ())}"
    kinds = {type(each.body) for each in evidence.log}
    wanted = {Order.PAUSE: RunPaused, Order.RESUME: RunResumed, Order.STOP: RunStopping}
    for given in evidence.orders:
        if given.accepted and wanted[given.order] not in kinds:
            yield f"{given.order.value} was accepted and is not in the log"
    if evidence.runs_of_task != 1:
        yield f"one start made {evidence.runs_of_task} runs"


def failures_can_be_mended(evidence: Evidence) -> Iterator[str]:
    """A request that fails is answered by 503 with Retry-After, or not at all."""
    for each in evidence.failed_tries:
        if each.status is not None and (each.status != 503 or each.retry_after is None):
            yield f"{each.request}: {each.status} {each.text}"


def reports_are_true(evidence: Evidence) -> Iterator[str]:
    yield from evidence.wrong_reports


def nothing_is_buried(evidence: Evidence) -> Iterator[str]:
    if evidence.dead_letters:
        yield f"{evidence.dead_letters} dead letters"


def users_have_their_permissions(evidence: Evidence) -> Iterator[str]:
    """The broker refuses no service what it needs."""
    yield from evidence.refused_subjects


def times_are_right(evidence: Evidence) -> Iterator[str]:
    """The log has the answer of each call when the exchange sent it; a frozen process notes it later."""
    if any(fault.kind in {Kind.FREEZE, Kind.FREEZE_WORKER} for fault in evidence.scenario.faults):
        return
    for far, mine in _pairs(evidence):
        if mine is None or mine.answered_ms is None or far.answer_ms is None:
            continue
        if abs(mine.answered_ms - far.answer_ms) > _LATE_MS:
            yield f"{far.number} answered at {far.answer_ms:.0f}, in the log at {mine.answered_ms:.0f}"


def harmless_faults_cost_no_call(evidence: Evidence) -> Iterator[str]:
    """Each person is rung once. A call that was cut off between its record and its request is not sent."""
    report = evidence.document.report
    sent = report.calls_total - sum(
        call.reason == CANCELLED and not call.heard_of for call in logged_calls(evidence)
    )
    counts = {sent, len(evidence.far_calls), report.calls_succeeded, report.subscriber_notified}
    if evidence.scenario.harmless and counts != {len(evidence.names)}:
        rung = len(evidence.far_calls)
        yield f"{len(evidence.names)} people would all be reached by one call each, {rung} calls: {report}"


def partitions_begin_in_calls(evidence: Evidence) -> Iterator[str]:
    """A partition of a busy dialer has tried nothing if no call was in progress."""
    wanted = sum(fault.kind is Kind.CUT_OFF and fault.target == BUSY for fault in evidence.scenario.faults)
    if evidence.cuts_in_calls < wanted:
        yield f"{evidence.cuts_in_calls} of {wanted} partitions began during an answered call"


TRUTHS: tuple[Callable[[Evidence], Iterator[str]], ...] = (
    run_ends,
    log_keeps_its_rules,
    each_has_one_final_result,
    nobody_is_on_two_calls,
    nobody_is_called_after_success,
    nobody_is_called_after_exclusion,
    calls_end_at_exchange,
    channels_are_kept,
    intervals_are_kept,
    each_invite_is_a_call,
    document_shows_the_log,
    times_are_right,
    answers_are_true,
    failures_can_be_mended,
    reports_are_true,
    harmless_faults_cost_no_call,
    partitions_begin_in_calls,
    nothing_is_buried,
    users_have_their_permissions,
)


def violations(evidence: Evidence) -> list[str]:
    """Return everything that is not true, each with the name of its truth."""
    return [f"{truth.__name__}: {what}" for truth in TRUTHS for what in truth(evidence)]


def _by_person(evidence: Evidence) -> dict[str, list[FarCall]]:
    """Return the calls of each person in the order of their INVITEs."""
    person = {
        number: name
        for name, numbers in zip(evidence.names, evidence.scenario.phones, strict=True)
        for number in numbers
    }
    calls: dict[str, list[FarCall]] = {name: [] for name in evidence.names}
    for call in sorted(evidence.far_calls, key=lambda each: each.invite_ms):
        calls[person[call.number]].append(call)
    return calls


def _span(call: FarCall) -> str:
    end = "now" if call.end_ms is None else f"{call.end_ms:.0f}"
    return f"from {call.invite_ms:.0f} till {end}"
