"""Calls are recorded so slowly that they miss the slots that a pacing rule gives them."""

import pytest

from cato_contracts.api.rules.pacing import PacingRule
from tests.simulation.test_takeovers import ANSWERS, run_history
from tests.simulation.world.faults import Faults
from tests.simulation.world.history import History

ONE_IN_FIVE_SECONDS = PacingRule(name="slow", prefixes=["5"], max_calls_per_s=0.2)


@pytest.mark.parametrize("seed", range(3))
def test_a_recorded_call_that_missed_its_slot_waits_for_the_next_one(seed: int) -> None:
    history = History(
        phones=(1, 1, 1),
        behaviours=(ANSWERS,),
        dial_replicas=2,
        seed=seed,
        faults=Faults(latency_s=0.3, slow=0.9, failing=0.0),
        pacing=(ONE_IN_FIVE_SECONDS,),
    )
    world = run_history(history)
    assert [result.notified for result in world.judge.rules.results.values()] == [True] * 3
