"""What comes of a call, by what the far end does: each row one subscriber of the dial role.

Everything is real but the broker: the role's handlers, the trunk on PJSIP, SIP and RTP to two simulated
exchanges. All rows are called at once.
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4, uuid5

import pytest

from cato_contracts.calls import FINAL_KINDS, CallEvent, CallEventKind
from cato_contracts.jobs import DialJob, RunDispatchState, RunMode
from cato_contracts.objects import Bucket, ObjectRef
from cato_contracts.resources import NotificationSettings, SuccessCondition
from cato_contracts.runs import Prompt, RunSubscriber, SubscriberResult
from cato_dialer.dial.adapters.pjsua2.supervisor.trunk import Pjsua2Trunk
from cato_dialer.dial.handlers.deps import Deps
from cato_dialer.dial.role import DialRole
from cato_exchange.exchange import Exchange
from cato_exchange.plan import Plan
from cato_exchange.record import CallRecord
from cato_runtime.clock import SystemClock
from cato_runtime.config import DialingConfig
from cato_runtime.station_config import DigitWay, StationAuth
from services.dialer.tests.support.memory_dial import (
    MemoryCallJournal,
    MemoryChannelBoard,
    MemoryChannelSource,
    MemoryJobQueue,
    MemoryJobSource,
)
from services.dialer.tests.support.stations import make_station
from services.dialer.tests.trunk_kit import every_code, write_wav

PROMPT_MS = 1_500
WHOLE = range(PROMPT_MS, PROMPT_MS + 1)
NOTHING = range(1)
AT_ONCE = range(200)
LIMIT_S = 50

FULL = SuccessCondition.PICKUP_AND_LISTEN_FULL
SOME = SuccessCondition.PICKUP_AND_LISTEN_SOME
CODE = SuccessCondition.PICKUP_AND_CONFIRM
"The code is 12; of `SOME`, 1 s has to be heard."

SECRET = "username: cato, password: secret"
SPACE = UUID("4b6f6f6b-0000-4000-8000-000000000000")
FIRST, SECOND = uuid5(SPACE, "first"), uuid5(SPACE, "second")


@dataclass(frozen=True)
class Case:
    """A row: what the stations do, and what is to be on record.

    `calls`: the reason of each call, the last decides; `code` and `heard` are of the last. `final` and
    `by`: the last answer to the INVITE and who ended the call, as the exchange has it.
    """

    name: str
    does: str
    calls: tuple[str, ...]
    code: int | None
    heard: range = NOTHING
    final: int | None = None
    by: str = "exchange"
    wants: SuccessCondition = FULL
    digits: str = ""
    kinds: tuple[CallEventKind, ...] = ()
    never: tuple[CallEventKind, ...] = ()
    then: str = "behaviour: not_found"
    "What the second station does."


_TRYING, _ANSWERED = CallEventKind.TRYING, CallEventKind.ANSWERED
_ALL = ("heard-to-the-end",)
_EARLY = ("hung-up-early",)

CASES = (
    Case("busy", "behaviour: busy", ("busy",), 486, final=486, kinds=(_TRYING,)),
    Case("busy after ringing", "behaviour: busy, ring_s: 0.5", ("busy",), 486, final=486),
    Case("not found", "behaviour: not_found", ("not-found",), 404, final=404),
    Case("declined", "behaviour: reject, code: 603, ring_s: 0.3", ("declined",), 603, final=603),
    Case("moved", "behaviour: redirect, contacts: ['sip:2@127.0.0.1:9']", ("moved",), 302, final=302),
    Case("no answer", "behaviour: no_answer", ("no-answer",), None, final=487, by="caller"),
    Case(
        "503 and failover",
        "behaviour: reject, code: 503",
        ("service-unavailable", *_ALL),
        200,
        WHOLE,
        final=200,
        by="caller",
        then="behaviour: answer",
    ),
    Case(
        "503 everywhere",
        "behaviour: reject, code: 503",
        ("service-unavailable", "service-unavailable"),
        503,
        final=503,
        then="behaviour: reject, code: 503",
    ),
    *(
        Case(
            f"{status} with {algorithm}",
            f"behaviour: answer, challenge: {{status: {status}, algorithm: {algorithm}, {SECRET}}}",
            _ALL,
            200,
            WHOLE,
            final=200,
            by="caller",
        )
        for status, algorithm in ((401, "MD5"), (407, "MD5"), (401, "SHA-256"), (407, "SHA-256"))
    ),
    Case(
        "credentials refused, and failover",
        "behaviour: answer, challenge: {username: cato, password: other}",
        ("authentication-failed", "not-found"),
        404,
        final=404,
    ),
    Case(
        "early media without answer",
        "behaviour: early_media",
        ("no-answer",),
        None,
        final=487,
        by="caller",
        kinds=(CallEventKind.SESSION_PROGRESS,),
        never=(_ANSWERED, CallEventKind.PLAYBACK_STARTED),
    ),
    Case(
        "early media, then refused",
        "behaviour: early_media, reject_after_s: 0.6",
        ("unavailable",),
        480,
        final=480,
        never=(_ANSWERED,),
    ),
    Case(
        "early media, then answered",
        "behaviour: early_media, answer_after_s: 0.6",
        _ALL,
        200,
        WHOLE,
        final=200,
        by="caller",
    ),
    Case(
        "immediate BYE",
        "behaviour: answer, immediate_bye: true",
        _EARLY,
        200,
        AT_ONCE,
        final=200,
        kinds=(CallEventKind.REMOTE_HANGUP,),
        never=(CallEventKind.PLAYBACK_FINISHED,),
    ),
    Case(
        "BYE in the middle of the prompt",
        "behaviour: answer, hang_up_after_s: 0.7",
        _EARLY,
        200,
        range(500, 900),
        final=200,
        kinds=(CallEventKind.REMOTE_HANGUP,),
    ),
    Case(
        "BYE after enough was heard",
        "behaviour: answer, hang_up_after_s: 1.25",
        ("heard-enough",),
        200,
        range(1_000, 1_450),
        final=200,
        wants=SOME,
    ),
    Case(
        "code during the prompt",
        "behaviour: answer, digits: [{digits: '12', after_s: 0.3}]",
        ("confirmed",),
        200,
        range(300, 1_300),
        final=200,
        by="caller",
        wants=CODE,
        digits="12",
        kinds=(CallEventKind.CONFIRMED,),
    ),
    Case(
        "code after the prompt",
        "behaviour: answer, digits: [{digits: '12', after_s: 2.0}]",
        ("confirmed",),
        200,
        WHOLE,
        final=200,
        by="caller",
        wants=CODE,
        digits="12",
        kinds=(CallEventKind.PLAYBACK_FINISHED, CallEventKind.CONFIRMED),
    ),
    Case(
        "wrong code, then right code",
        "behaviour: answer, digits: [{digits: '9*', after_s: 0.2}, {digits: '12', after_s: 1.0}]",
        ("confirmed",),
        200,
        range(900, PROMPT_MS + 1),
        final=200,
        by="caller",
        wants=CODE,
        digits="9*12",
    ),
    Case(
        "wrong code, then BYE",
        "behaviour: answer, digits: [{digits: '21', after_s: 0.2}], hang_up_after_s: 1.2",
        _EARLY,
        200,
        range(900, 1_450),
        final=200,
        wants=CODE,
        digits="21",
        never=(CallEventKind.CONFIRMED,),
    ),
    *(
        Case(
            f"code by INFO, {kind}",
            f"behaviour: answer, digits: [{{digits: '12', by: {kind}, after_s: 0.3}}]",
            ("confirmed",),
            200,
            range(300, 1_300),
            final=200,
            by="caller",
            wants=CODE,
            digits="12",
        )
        for kind in ("dtmf-relay", "dtmf")
    ),
    *(
        Case(
            f"code by tones, {beside}",
            f"behaviour: answer, {beside}, digits: [{{digits: '712', by: inband, after_s: 0.2}}]",
            ("confirmed",),
            200,
            range(300, PROMPT_MS),
            final=200,
            by="caller",
            wants=CODE,
            digits="712",
        )
        for beside in ("talk: false", "talk: true")
    ),
    Case(
        "no 100 at all",
        "behaviour: answer, no_trying: true, ring_s: 0.2",
        _ALL,
        200,
        WHOLE,
        final=200,
        by="caller",
        never=(_TRYING,),
    ),
    Case(
        "neither 100 nor 180",
        "behaviour: answer, no_trying: true, ringing: false, delay_s: 0.7",
        _ALL,
        200,
        WHOLE,
        final=200,
        by="caller",
        never=(_TRYING, CallEventKind.RINGING),
    ),
    Case(
        "no word at all, and failover",
        "behaviour: no_reply",
        ("no-ringing", *_ALL),
        200,
        WHOLE,
        final=200,
        by="caller",
        then="behaviour: answer",
    ),
    Case(
        "CANCEL crossing 200",
        "behaviour: cancel_crossing",
        ("no-answer",),
        None,
        final=200,
        by="caller",
        kinds=(CallEventKind.ANSWER_TIMEOUT,),
        never=(CallEventKind.PLAYBACK_STARTED,),
    ),
    Case(
        "hold in the middle of the prompt",
        "behaviour: answer, reinvite_after_s: 0.4, resume_after_s: 0.4",
        _ALL,
        200,
        WHOLE,
        final=200,
        by="caller",
    ),
    Case(
        "hold by inactive, and BYE on hold",
        "behaviour: answer, reinvite_after_s: 0.4, hold: inactive, resume_after_s: null, hang_up_after_s: 1",
        _EARLY,
        200,
        range(300, 700),
        final=200,
    ),
    Case(
        "never BYE, nor an answer to ours",
        "behaviour: answer, never_bye: true",
        _ALL,
        200,
        WHOLE,
        final=200,
        by="caller",
    ),
    Case("RTP never received", "behaviour: answer, no_rtp: true", _ALL, 200, WHOLE, final=200, by="caller"),
    Case("a person who talks", "behaviour: answer, talk: true", _ALL, 200, WHOLE, final=200, by="caller"),
)


@dataclass(frozen=True)
class Outcome:
    """What is on record of one row; `seen` by the exchanges, in the order of the calls."""

    result: SubscriberResult
    events: list[CallEvent]
    seen: list[CallRecord]

    @property
    def ends(self) -> list[CallEvent]:
        return [event for event in self.events if event.kind in FINAL_KINDS]


class OnePrompt:
    def __init__(self, path: Path) -> None:
        self._path = path

    async def file(self, _prompt: Prompt) -> Path:
        return self._path


def job(run_id: UUID, no: int, case: Case) -> DialJob:
    settings = NotificationSettings(
        id=uuid4(),
        user_id="user",
        name=case.name,
        attempt_count=1,
        success_condition=case.wants,
        success_playback_duration_s=1,
        max_answer_delay_s=2,
        confirm_code="12",
    )
    return DialJob(
        run_id=run_id,
        wave=1,
        subscriber=RunSubscriber(no=no, id=uuid4(), full_name=case.name, phones=[number(no)]),
        settings=settings,
        time_zone="Europe/Moscow",
        prompt=Prompt(audio=ObjectRef(bucket=Bucket.PROMPTS, name="p", size=8), duration_ms=PROMPT_MS),
        priority=0,
        expires_at=None,
    )


def number(no: int) -> str:
    return f"55{no:03}"


def plan(behaviours: list[str]) -> Plan:
    rules = (f"  - {{number: '{number(no)}', {does}}}\n" for no, does in enumerate(behaviours))
    return Plan.parse("rules:\n" + "".join(rules))


async def call_all(directory: Path) -> tuple[list[Outcome], bytes]:
    audio = every_code(PROMPT_MS // 20)
    clock = SystemClock()
    run_id = uuid4()
    journal, queue = MemoryCallJournal(), MemoryJobQueue(clock)
    queue.set_state(RunDispatchState(run_id=run_id, priority=0, mode=RunMode.CALLING))
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(Exchange(plan([case.does for case in CASES])))
        second = await stack.enter_async_context(Exchange(plan([case.then for case in CASES])))
        common = partial(
            make_station,
            channels=len(CASES),
            max_setup_delay_s=4,
            auth=StationAuth.model_validate(_AUTH),
            dtmf=tuple(DigitWay),
        )
        stations = (
            common(id=FIRST, name="first", uri=first.uri, priority=0),
            common(id=SECOND, name="second", uri=second.uri, priority=1),
        )
        source = MemoryJobSource(queue)
        deps = Deps(
            stations=stations,
            trunk=Pjsua2Trunk(DialingConfig(bind_address="127.0.0.1"), workers_for=len(CASES)),
            journal=journal,
            channels=MemoryChannelSource(MemoryChannelBoard(stations, len(CASES)), clock),
            prompts=OnePrompt(write_wav(directory / "prompt.wav", audio)),
            clock=clock,
            run_states=source.run_states,
        )
        role = DialRole(deps, source)
        await role.start()
        stack.push_async_callback(role.stop)
        changed = asyncio.Event()
        queue.listeners.append(changed.set)
        for no, case in enumerate(CASES):
            queue.put(job(run_id, no, case))
        async with asyncio.timeout(LIMIT_S):
            while queue.jobs:
                await changed.wait()
                changed.clear()
        exchanges = (first, second)
        for exchange in exchanges:
            settled = partial(_settled, exchange)
            await exchange.wait_until(settled, 5)
        bodies = [entry.body for entry in journal.entries]
        return [
            Outcome(
                next(body for body in bodies if isinstance(body, SubscriberResult) and body.no == no),
                [body for body in bodies if isinstance(body, CallEvent) and body.no == no],
                [call for exchange in exchanges for call in exchange.calls if call.number == number(no)],
            )
            for no in range(len(CASES))
        ], audio


_AUTH = {"username": "cato", "password": "secret"}


def _settled(exchange: Exchange) -> bool:
    """Whether only what never got a word from the exchange is not over there."""
    return all(call.ended or call.behaviour == "no_reply" for call in exchange.calls)


@pytest.fixture(scope="module")
def called(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Outcome], bytes]:
    return asyncio.run(call_all(tmp_path_factory.mktemp("cases")))


@pytest.mark.timeout(90)
@pytest.mark.parametrize("no", range(len(CASES)), ids=[case.name.replace(" ", "-") for case in CASES])
def test_a_call_comes_to(called: tuple[list[Outcome], bytes], no: int):
    case, outcome = CASES[no], called[0][no]
    success = case.calls[-1] in {"heard-to-the-end", "heard-enough", "confirmed"}
    assert (outcome.result.reason, outcome.result.notified) == (case.calls[-1], success)
    assert tuple(end.reason for end in outcome.ends) == case.calls
    last = outcome.ends[-1]
    assert (last.kind, last.sip_code, last.success) == (CallEventKind.ENDED, case.code, success)
    assert last.heard_ms is not None
    assert last.heard_ms in case.heard
    of_last = [event for event in outcome.events if event.call_id == last.call_id]
    keyed = [event.digit or "" for event in of_last if event.kind is CallEventKind.DIGIT]
    assert "".join(keyed) == case.digits
    kinds = [event.kind for event in of_last]
    order = [kind for kind in kinds if kind in case.kinds]
    assert tuple(order) == case.kinds
    assert not set(case.never) & set(kinds)
    seen = outcome.seen[-1]
    assert (seen.final_code, seen.ended_by) == (case.final, case.by)


def row(called: tuple[list[Outcome], bytes], name: str) -> Outcome:
    return next(outcome for case, outcome in zip(CASES, called[0], strict=True) if case.name == name)


def test_each_prompt_that_counts_as_heard_was_heard_byte_for_byte(called: tuple[list[Outcome], bytes]):
    outcomes, audio = called
    for case, outcome in zip(CASES, outcomes, strict=True):
        if case.calls[-1] == "heard-to-the-end" and "hold" not in case.name:
            assert outcome.seen[-1].contains_prompt(audio), case.name


def test_both_sides_agree_on_how_much_was_heard(called: tuple[list[Outcome], bytes]):
    for name in ("BYE in the middle of the prompt", "BYE after enough was heard"):
        outcome = row(called, name)
        assert outcome.ends[-1].heard_ms is not None
        assert abs(outcome.ends[-1].heard_ms - outcome.seen[-1].rtp.audio_bytes / 8) <= 60


def test_the_far_end_saw_what_the_rows_speak_of(called: tuple[list[Outcome], bytes]):
    assert row(called, "hold in the middle of the prompt").seen[0].held == 1
    assert row(called, "early media without answer").seen[0].early_media_ms is not None
    assert row(called, "never BYE, nor an answer to ours").seen[0].bye_answered is False
    crossing = row(called, "CANCEL crossing 200").seen[0]
    assert crossing.cancel_ms is not None
    assert (crossing.answer_ms is not None, crossing.bye_answered) == (True, True)
    assert row(called, "no word at all, and failover").seen[0].invite_repeats > 0
