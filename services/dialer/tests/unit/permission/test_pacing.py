"""Which pacing rule applies, when it allows a start, and how jobs that it holds up wait."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cato_contracts.api.rules.pacing import PacingBounds, PacingRule
from cato_contracts.instants import from_unix_ms
from cato_dialer.dial.domain.permission.pacing import AHEAD, HeldJobs, Pace, PaceTable, paced_start
from cato_dialer.dial.domain.station import Station
from services.dialer.tests.support.dial_world import Kit, World
from services.dialer.tests.support.memory_pacing import MemoryPacing

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ONE, OTHER = uuid4(), uuid4()


def rule(name: str, *prefixes: str, calls: int | None = 1, **more: Any) -> PacingRule:
    return PacingRule(name=name, prefixes=list(prefixes), max_calls=calls, **more)


TABLE = PaceTable(
    [
        rule("russia", "+7", calls=7),
        rule("moscow", "+7495", "8495", calls=5),
        rule("moscow by one", "+7495", calls=3, station_id=ONE),
        rule("centre by other", "+749512", calls=2, station_id=OTHER),
    ]
)


@pytest.mark.parametrize(
    ("number", "station", "calls"),
    [
        ("+79161234567", ONE, 7),
        ("84951234567", OTHER, 5),
        ("+74951234567", ONE, 3),
        ("+74951234567", OTHER, 2),
        ("+74953234567", OTHER, 5),
        ("+7", ONE, 7),
        ("776413", ONE, None),
        ("+", ONE, None),
    ],
)
def test_the_longest_prefix_wins_and_of_the_same_the_rule_of_the_station(number, station, calls):
    pace = TABLE.pace_for(number, station)
    assert (pace.bound.channels if pace is not None and pace.bound is not None else None) == calls


@pytest.mark.parametrize("prefixes", [[], ["495 12"], ["+"], ["abc"], ["+7*"], ["1" * 33]])
def test_prefixes_are_the_first_characters_of_numbers(prefixes):
    with pytest.raises(ValidationError):
        PacingBounds(prefixes=prefixes, max_calls=1)


def test_a_rule_bounds_something():
    with pytest.raises(ValidationError, match="maxCalls"):
        PacingBounds(prefixes=["1"])


@given(
    per_s=st.floats(0.01, 500, allow_nan=False),
    asked=st.lists(st.integers(0, 400), min_size=1, max_size=60),
    late=st.lists(st.integers(0, 100), min_size=60, max_size=60),
)
def test_no_second_has_more_starts_than_a_rule_allows(per_s, asked, late):
    """Each start is up to 50 ms late at the reservation, and again on its way to the wire."""
    pace = Pace.of(rule("r", "1", calls=None, max_calls_per_s=per_s))
    assert pace.step_ms is not None
    now, next_free, starts = NOON, None, []
    for gap, delay in zip(asked, late, strict=False):
        now += timedelta(milliseconds=gap)
        start = paced_start(pace.step_ms, now, next_free)
        if start.at - now > AHEAD:
            continue  # the job goes back to the queue
        next_free = start.next_free
        assert start.at >= now
        starts.append(start.at + timedelta(milliseconds=delay))
    # With 1.5 in a second, it is three in two seconds.
    most = math.ceil(per_s)
    window = timedelta(seconds=most / per_s)
    for first in starts:
        assert sum(first <= other < first + window for other in starts) <= most


def test_a_start_that_a_wrong_clock_has_reserved_is_passed_over():
    start = paced_start(1100, NOON, next_free=int((NOON + timedelta(hours=1)).timestamp() * 1000))
    assert start.at == NOON
    assert from_unix_ms(start.next_free) == NOON + timedelta(milliseconds=1100)


def test_each_further_job_that_a_rule_holds_up_returns_later():
    held = HeldJobs()
    delays = [held.hold(0.0) for _ in range(100)]
    assert delays[0] == pytest.approx(1.0)
    assert delays[-1] == pytest.approx(1.0 + 99 / 50)
    assert held.hold(2.0) < delays[-1]
    assert HeldJobs([1e9] * 1_000_000).hold(0.0) == pytest.approx(300)


@dataclass
class Watched:
    """A world of three replicas whose calls last five seconds, and the starts of calls to a prefix."""

    world: World
    starts: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, kit: Kit, stations: Sequence[Station], **bounds: Any) -> "Watched":
        script = kit.script(answers_at=0.1)

        def choose(number: str, _station: UUID, _nth: int) -> Any:
            if number.startswith("100"):
                watched.starts.append(watched.world.starts[-1][1])
            return script

        watched = cls(kit.world(choose, tuple(stations)))
        rule = PacingRule(name="r", prefixes=["100"], **bounds)
        watched.world.pacing = MemoryPacing(watched.world.clock, [rule])
        return watched

    def run(self, kit: Kit, paced: int, others: int = 0) -> None:
        """Call this many people with numbers of the prefix, and then others."""

        async def main() -> None:
            for no in range(paced + others):
                self.world.queue.put(self.world.job(no, ["100/" if no < paced else "200/"]))
            replicas = [await self.world.replica().start() for _ in range(3)]
            await self.world.until_empty()
            for replica in replicas:
                await replica.role.stop()

        kit.run(main())
        assert len(self.world.results()) == paced + others


@pytest.fixture
def kit() -> Kit:
    return Kit()


def test_calls_to_a_prefix_stay_within_their_rule_while_others_go_on(kit: Kit) -> None:
    watched = Watched.of(kit, [kit.station(channels=6)], max_calls=2)
    watched.run(kit, paced=12, others=12)
    assert watched.world.most_up["100"] == 2
    assert watched.world.most_up["200"] >= 4


def test_starts_to_a_prefix_keep_their_rule(kit: Kit) -> None:
    watched = Watched.of(kit, [kit.station(channels=6)], max_calls_per_s=1)
    watched.run(kit, paced=8)
    assert all(later - sooner >= 1.0 for sooner, later in pairwise(watched.starts))
    assert watched.starts[-1] - watched.starts[0] < 20


def test_starts_keep_the_interval_of_the_station_and_the_rule(kit: Kit) -> None:
    watched = Watched.of(
        kit, [kit.station(channels=6, min_call_interval_ms=300)], max_calls_per_s=2, max_calls=6
    )
    watched.run(kit, paced=8, others=8)
    assert all(later - sooner >= 0.5 for sooner, later in pairwise(watched.starts))
    every = sorted(at for _, at in watched.world.starts)
    assert all(later - sooner >= 0.3 for sooner, later in pairwise(every))


def test_a_rule_of_one_station_leaves_the_other_one_to_the_number(kit: Kit) -> None:
    stations = [kit.station(name, channels=2) for name in ("main", "spare")]
    watched = Watched.of(kit, stations, max_calls=1, station_id=stations[0].id)
    watched.run(kit, paced=12)
    assert watched.world.most_up["100"] == 3
