"""Whatever the outcomes, whatever dies, comes late or twice, whatever people do: every promise holds.

The real campaign role, the real dial role and the real fold of the reports live through each history
together, in virtual time, on a log in memory.
"""

import pytest
from hypothesis import given, note

from tests.histories import plans, tally
from tests.histories.virtual_time import run_virtually
from tests.histories.world import History, World

pytestmark = pytest.mark.timeout(1_800)


def live_through(history: History) -> None:
    worlds: list[World] = []

    async def main() -> None:
        world = World(history)
        worlds.append(world)
        await world.live()

    with tally.unexpected_log_lines() as unexpected:
        run_virtually(main())
    tally.count(worlds[0])
    broken = [*worlds[0].violations, *unexpected]
    if broken:
        for line in [repr(history), *worlds[0].told(), *broken]:
            note(line)
    assert not broken


@tally.settings_of("outcomes")
@given(history=plans.outcomes)
def test_any_list_with_any_outcomes(history: History) -> None:
    live_through(history)


@tally.settings_of("crashes")
@given(history=plans.crashes)
def test_processes_die_at_any_step(history: History) -> None:
    live_through(history)


@tally.settings_of("disorder")
@given(history=plans.disordered)
def test_deliveries_are_late_lost_or_repeated(history: History) -> None:
    live_through(history)


@tally.settings_of("people")
@given(history=plans.controlled)
def test_people_pause_resume_and_stop(history: History) -> None:
    live_through(history)


@tally.settings_of("everything")
@given(history=plans.everything)
def test_everything_at_once(history: History) -> None:
    live_through(history)
