"""Mutation tests of the simulation: with a part of the system broken on purpose, a violation is found."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cato_contracts.messages.calls import CallEventKind
from cato_dialer.campaign.domain.run import next_step
from cato_dialer.campaign.domain.run.households import Households
from cato_dialer.campaign.domain.run.progress import Progress
from cato_dialer.campaign.handlers.coordinator.opt_outs import OptOuts
from cato_dialer.campaign.handlers.exclusions import numbers as exclusion_numbers
from cato_dialer.dial.domain.permission.pacing import PaceTable
from cato_dialer.dial.domain.subscriber import next_attempt
from cato_dialer.dial.domain.subscriber.call_gate import CallGate, Defer
from cato_dialer.dial.domain.subscriber.takeover import OwnerAnswer
from cato_dialer.dial.handlers import reach_subscriber
from cato_dialer.dial.handlers.contacts.number_claims import NumberClaims
from cato_dialer.exclusions.guard import ExclusionGuard
from cato_reporting.domain.live_run import ENDED, LiveRun, Phase
from tests.simulation.shards import Shard, run_shard
from tests.simulation.world import exchange

Mutation = Callable[[pytest.MonkeyPatch], None]

AT_MOST = 3_000
"""Histories until a fault is found; one in a hundred finds it."""


def calls_of_other_replicas_are_taken_over_without_proof(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reach_subscriber, "is_over", lambda *_arguments, **_named: True)


def silence_is_taken_for_proof(patch: pytest.MonkeyPatch) -> None:
    def hasty(_call: Any, answer: OwnerAnswer, **_named: Any) -> bool:
        return answer is not OwnerAnswer.UP

    patch.setattr(reach_subscriber, "is_over", hasty)


def calls_of_dead_replicas_are_not_repeated(patch: pytest.MonkeyPatch) -> None:
    def pass_over(wave: int, phones: int, stations: Any, calls: Any, result: Any, **rules: Any) -> Any:
        over = [call if call.ending else replace(call, ending=CallEventKind.INTERRUPTED) for call in calls]
        return next_attempt.next_attempt(wave, phones, stations, over, result, **rules)

    patch.setattr(reach_subscriber, "next_attempt", pass_over)


def notified_subscribers_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Progress, "is_settled", lambda self, no: self._decided[no] >= self.wave)


def runs_end_before_their_calls(patch: pytest.MonkeyPatch) -> None:
    hasty = tuple(rule for rule in next_step.RULES if rule.step is not next_step.await_calls_drained)
    patch.setattr(next_step, "RULES", hasty)


def pauses_are_ignored(patch: pytest.MonkeyPatch) -> None:
    refusal = CallGate.refusal

    def ignore(*arguments: Any, **named: Any) -> Any:
        found = refusal(*arguments, **named)
        return None if isinstance(found, Defer) and not found.whole_run else found

    patch.setattr(CallGate, "refusal", ignore)


def pacing_rules_are_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PaceTable, "pace_for", lambda *_: None)


def unsent_orders_are_faults(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(exchange, "UNSENT", exchange.ReleaseCause.FAULT)


def ends_of_calls_are_counted_twice(patch: pytest.MonkeyPatch) -> None:
    counting = LiveRun.note_call

    def count_twice(run: LiveRun, call_id: Any, marks: int, wave: int) -> None:
        counting(run, call_id, marks, wave)
        if marks & ENDED:
            run.phases[Phase.FAILED] += 1

    patch.setattr(LiveRun, "note_call", count_twice)


def exclusions_are_answered_at_once(patch: pytest.MonkeyPatch) -> None:
    async def answer(*_arguments: Any) -> None:
        return None

    patch.setattr(exclusion_numbers, "await_dialers", answer)


def calls_that_may_still_be_sent_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ExclusionGuard, "ordered", lambda *_arguments: None)


def opt_outs_do_not_end_the_attempts(patch: pytest.MonkeyPatch) -> None:
    def forget(wave: int, phones: int, stations: Any, calls: Any, result: Any, **rules: Any) -> Any:
        forgotten = [replace(call, opted_out=False) for call in calls]
        return next_attempt.next_attempt(wave, phones, stations, forgotten, result, **rules)

    patch.setattr(reach_subscriber, "next_attempt", forget)


def opt_outs_of_another_coordinator_are_not_read(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OptOuts, "note", lambda *_arguments: None)


def numbers_are_not_claimed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(NumberClaims, "concern", lambda *_: False)


def households_are_forgotten_when_a_run_expires(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Households, "members", lambda *_: [])


@pytest.mark.parametrize(
    ("share", "seed", "mutation"),
    [
        ("disordered", 5, calls_of_other_replicas_are_taken_over_without_proof),
        ("partitioned", 5, silence_is_taken_for_proof),
        ("crashes", 1, calls_of_dead_replicas_are_not_repeated),
        ("outcomes", 1, notified_subscribers_are_forgotten),
        ("outcomes", 1, runs_end_before_their_calls),
        ("controlled", 1, pauses_are_ignored),
        ("controlled", 1, unsent_orders_are_faults),
        ("outcomes", 1, ends_of_calls_are_counted_twice),
        ("paced", 1, pacing_rules_are_ignored),
        ("shared", 1, numbers_are_not_claimed),
        ("households", 1, households_are_forgotten_when_a_run_expires),
        ("excluded", 1, exclusions_are_answered_at_once),
        ("excluded", 1, calls_that_may_still_be_sent_are_forgotten),
        ("opted out", 1, opt_outs_do_not_end_the_attempts),
        ("opted out", 1, opt_outs_of_another_coordinator_are_not_read),
    ],
)
def test_mutation_is_detected(
    monkeypatch: pytest.MonkeyPatch, share: str, seed: int, mutation: Mutation
) -> None:
    mutation(monkeypatch)
    # What a seed stands for changes with the modules that are loaded: hypothesis draws from their constants.
    assert run_shard(Shard(share, seed=seed, size=AT_MOST), shrinks=False).failure is not None
