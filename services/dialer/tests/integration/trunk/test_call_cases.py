"""Call every row of the table of cases: each is one subscriber of the dial role.

Everything is real but the broker: the role's handlers, the trunk on each engine, SIP and RTP to two
simulated exchanges. All rows are called at once.
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from cato_contracts.messages.calls import FINAL_KINDS, CallEvent, CallEventKind
from cato_contracts.messages.runs import SubscriberResult
from cato_exchange.exchange import Exchange
from cato_exchange.plan import Plan
from cato_exchange.record import CallRecord
from cato_runtime.configuration.station_config import DigitWay, StationAuth
from services.dialer.tests.integration.trunk.call_cases import CASES, FIRST, PROMPT_MS, SECOND, Case
from services.dialer.tests.support.stations import make_station
from services.dialer.tests.support.trunk.dial_bench import DialBench
from services.dialer.tests.support.trunk.trunk_kit import every_code, write_wav

LIMIT_S = 50
MOST_LATE_MS = 1_500


@dataclass(frozen=True)
class Outcome:
    """The records of one row; `seen` by the exchanges, in the order of the calls."""

    result: SubscriberResult
    events: list[CallEvent]
    ended_at_ms: float
    seen: list[CallRecord]

    @property
    def ends(self) -> list[CallEvent]:
        return [event for event in self.events if event.kind in FINAL_KINDS]


@dataclass(frozen=True)
class Called:
    """All rows as one engine has called them."""

    engine: str
    outcomes: list[Outcome]
    audio: bytes

    def expected(self, no: int) -> Case:
        """Return the row as it is for this engine: the dense one does not hear tones."""
        case = CASES[no]
        if self.engine == "dense" and "by tones" in case.name:
            heard = range(PROMPT_MS, PROMPT_MS + 1)
            return replace(case, calls=("not-confirmed",), digits="", kinds=(), heard=heard)
        return case

    def row(self, name: str) -> Outcome:
        return next(outcome for case, outcome in zip(CASES, self.outcomes, strict=True) if case.name == name)


def number(no: int) -> str:
    return f"55{no:03}"


def plan(behaviours: list[str]) -> Plan:
    rules = (f"  - {{number: '{number(no)}', {does}}}\n" for no, does in enumerate(behaviours))
    return Plan.parse("rules:\n" + "".join(rules))


async def call_all(directory: Path, engine: str) -> Called:
    audio = every_code(PROMPT_MS // 20)
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(Exchange(plan([case.does for case in CASES])))
        second = await stack.enter_async_context(Exchange(plan([case.then for case in CASES])))
        common = partial(
            make_station,
            channels=len(CASES),
            max_setup_delay_s=4,
            auth=StationAuth.model_validate(_AUTH),
            dtmf=tuple(DigitWay) if engine == "pjsua2" else (DigitWay.RTP_EVENTS, DigitWay.INFO),
        )
        stations = (
            common(id=FIRST, name="first", uri=first.uri, priority=0),
            common(id=SECOND, name="second", uri=second.uri, priority=1),
        )
        prompt = write_wav(directory / "prompt.wav", audio)
        bench = DialBench(stations, len(CASES), prompt, PROMPT_MS, engine=engine)
        await stack.enter_async_context(bench)
        for no, case in enumerate(CASES):
            bench.put(no, number(no), success_condition=case.wants)
        await bench.until_empty(LIMIT_S)
        exchanges = (first, second)
        for exchange in exchanges:
            await exchange.wait_until(partial(_settled, exchange), 5)
        outcomes = [
            Outcome(
                bench.result(no),
                bench.events(no),
                bench.ended_at_ms(no),
                [call for exchange in exchanges for call in exchange.calls if call.number == number(no)],
            )
            for no in range(len(CASES))
        ]
        return Called(engine, outcomes, audio)


_AUTH = {"username": "cato", "password": "secret"}


def _settled(exchange: Exchange) -> bool:
    """Whether all calls have ended at the exchange, except those that it never answers."""
    return all(call.ended or call.behaviour == "no_reply" for call in exchange.calls)


@pytest.fixture(scope="module", params=["dense", "pjsua2"])
def called(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Called:
    return asyncio.run(call_all(tmp_path_factory.mktemp("cases"), request.param))


def may_have_heard(case: Case, outcome: Outcome) -> range:
    """Return the range of the row. A far end whose BYE a busy machine holds up hears more."""
    if case.by != "exchange" or len(case.heard) <= 1:
        return case.heard
    seen = outcome.seen[-1]
    assert seen.answer_ms
    assert seen.end_ms
    assert outcome.ended_at_ms - seen.end_ms < MOST_LATE_MS
    return range(case.heard.start, max(case.heard.stop, int(outcome.ended_at_ms - seen.answer_ms)))


@pytest.mark.timeout(90)
@pytest.mark.parametrize("no", range(len(CASES)), ids=[case.name.replace(" ", "-") for case in CASES])
def test_a_call_comes_to(called: Called, no: int):
    case, outcome = called.expected(no), called.outcomes[no]
    success = case.calls[-1] in {"heard-to-the-end", "heard-enough", "confirmed"}
    assert (outcome.result.reason, outcome.result.notified) == (case.calls[-1], success)
    assert tuple(end.reason for end in outcome.ends) == case.calls
    last = outcome.ends[-1]
    assert (last.kind, last.sip_code, last.success) == (CallEventKind.ENDED, case.code, success)
    assert last.heard_ms is not None
    assert last.heard_ms in may_have_heard(case, outcome)
    of_last = [event for event in outcome.events if event.call_id == last.call_id]
    keyed = [event.digit or "" for event in of_last if event.kind is CallEventKind.DIGIT]
    assert "".join(keyed) == case.digits
    kinds = [event.kind for event in of_last]
    order = [kind for kind in kinds if kind in case.kinds]
    assert tuple(order) == case.kinds
    assert not set(case.never) & set(kinds)
    seen = outcome.seen[-1]
    assert (seen.final_code, seen.ended_by) == (case.final, case.by)


def test_each_prompt_that_counts_as_heard_was_heard_byte_for_byte(called: Called):
    for case, outcome in zip(CASES, called.outcomes, strict=True):
        if case.calls[-1] == "heard-to-the-end" and "hold" not in case.name:
            assert outcome.seen[-1].contains_prompt(called.audio), case.name


def test_both_sides_agree_on_how_much_was_heard(called: Called):
    for name in ("BYE in the middle of the prompt", "BYE after enough was heard"):
        outcome = called.row(name)
        assert outcome.ends[-1].heard_ms is not None
        assert abs(outcome.ends[-1].heard_ms - outcome.seen[-1].rtp.audio_bytes / 8) <= 60


def test_the_exchange_saw_the_behaviour_of_each_row(called: Called):
    assert called.row("hold in the middle of the prompt").seen[0].held == 1
    assert called.row("early media without answer").seen[0].early_media_ms is not None
    assert called.row("never BYE, nor an answer to ours").seen[0].bye_answered is False
    crossing = called.row("CANCEL crossing 200").seen[0]
    assert crossing.cancel_ms is not None
    assert (crossing.answer_ms is not None, crossing.bye_answered) == (True, True)
    assert called.row("no word at all, and failover").seen[0].invite_repeats > 0
