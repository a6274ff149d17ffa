"""Runs whose calls wait for a gap between calls to a number."""

from datetime import timedelta
from typing import Any

import pytest

from cato_contracts.api.rules.contacts import ContactLimits
from cato_contracts.messages.runs import RunEnded, RunEnding, SubscriberResult
from tests.simulation.world.exchange import Behaviour
from tests.simulation.world.history import SharedNumbers
from tests.simulation.world.shared.many_runs import ManyRuns
from tests.support.virtual_time import run_virtually

BUSY = Behaviour(rejects=(0.5, 486))
EXPIRES_S = 60.0
GAP_S = 3_600
SETTLED_WITHIN_S = 10.0


def lived(**fields: Any) -> ManyRuns:
    """Return the world after a run of one list, whose second wave waits for a gap."""
    history = SharedNumbers(
        behaviours=(BUSY,),
        settings={"attempt_count": 2, "contact_limits": ContactLimits(min_gap_s=GAP_S)},
        expires_in_s=EXPIRES_S,
        **fields,
    )
    worlds: list[ManyRuns] = []

    async def main() -> None:
        worlds.append(ManyRuns(history))
        await worlds[0].live()

    run_virtually(main())
    assert not worlds[0].violations
    return worlds[0]


@pytest.mark.parametrize(
    ("people", "task", "results"),
    [(((0,),), {}, 2), (((0,), (0,)), {"share_phone": True}, 2)],
    ids=["person", "household"],
)
def test_run_that_waits_for_a_gap_ends_when_it_expires(
    people: tuple[tuple[int, ...], ...], task: dict[str, Any], results: int
) -> None:
    world = lived(lists=(people,), task=task)
    assert len(world.exchange.placed) == 1
    events = [envelope for _, reading in world.judge.readings() for envelope in reading.events]
    (end,) = [envelope for envelope in events if isinstance(envelope.body, RunEnded)]
    assert end.body.ending is RunEnding.EXPIRED
    late = end.occurred_at - world.clock.start - timedelta(seconds=EXPIRES_S)
    assert timedelta() <= late < timedelta(seconds=SETTLED_WITHIN_S)
    reasons = [envelope.body.reason for envelope in events if isinstance(envelope.body, SubscriberResult)]
    assert len(reasons) == results
    assert reasons[-1] == "expired"
