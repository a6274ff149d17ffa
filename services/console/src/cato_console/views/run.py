"""The charts of one execution, from the statistics of its calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cato_client.analysis_models import CallStatistics, Statistics

GOOD = frozenset({"answered", "heard-enough", "heard-to-the-end", "confirmed"})


@dataclass(frozen=True, slots=True)
class Wave:
    """The calls of a wave."""

    number: int
    calls: int
    succeeded: int
    failed: int
    in_progress: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many calls ended for a reason."""

    reason: str
    calls: int
    good: bool


@dataclass(frozen=True, slots=True)
class RunCharts:
    """What the charts show; empty lists: there is nothing yet."""

    waves: tuple[Wave, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    reached: tuple[tuple[datetime, int], ...] = ()
    """By minute: how many calls that began in it have reached somebody."""


def run_charts(by_wave: Statistics, by_reason: Statistics, by_minute: Statistics) -> RunCharts:
    waves = tuple(
        Wave(int(group.key), group.attempts, group.succeeded, group.failed, group.in_progress)
        for group in by_wave.groups
        if group.key is not None
    )
    outcomes = tuple(
        Outcome(group.key, group.attempts, group.key in GOOD)
        for group in by_reason.groups
        if group.key is not None
    )
    return RunCharts(waves, outcomes, tuple(_reached(by_minute.groups)))


def _reached(groups: Sequence[CallStatistics]) -> list[tuple[datetime, int]]:
    return [(datetime.fromisoformat(group.key), group.succeeded) for group in groups if group.key]
