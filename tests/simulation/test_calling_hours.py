"""Whole runs on a virtual clock: calls start in all allowed minutes and in no others.

The allowed minutes are computed here minute by minute, independently of the services.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cato_contracts.messages.campaign_commands import PauseRun, ResumeRun
from cato_contracts.messages.runs import RunEnding
from cato_dialer.campaign.handlers.pace import LeasePace, Pace
from tests.simulation import counters
from tests.simulation.world.exchange import Behaviour
from tests.simulation.world.history import Control, History
from tests.simulation.world.world import World
from tests.support.virtual_time import run_virtually

pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("slow_heartbeats")]

BERLIN = ZoneInfo("Europe/Berlin")
DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
MINUTE = timedelta(minutes=1)
CALL_S = 50.0
SLACK_S = 3.0
"""Longest delay from the opening, or from the end of a call, to the next call."""
SLOW_AUDIT = Pace(audit_s=600.0)
SLOW_RENEWAL = LeasePace(renew_s=60.0)


@dataclass(frozen=True)
class Hours:
    """A daily window in minutes of the local day, `closes` exclusive; it opens on `days`."""

    zone: ZoneInfo
    opens: int
    closes: int
    days: frozenset[str] = frozenset(DAYS)

    def allow(self, minute: datetime) -> bool:
        local = minute.astimezone(self.zone)
        clock = local.hour * 60 + local.minute
        today, yesterday = DAYS[local.weekday()], DAYS[local.weekday() - 1]
        if self.opens == self.closes:
            return today in self.days
        if self.opens < self.closes:
            return self.opens <= clock < self.closes and today in self.days
        return (clock >= self.opens and today in self.days) or (
            clock < self.closes and yesterday in self.days
        )

    @property
    def settings(self) -> dict[str, Any]:
        (from_hour, from_min), (till_hour, till_min) = divmod(self.opens, 60), divmod(self.closes, 60)
        return {
            "time_zone": self.zone.key,
            "weekdays": sorted(self.days),
            "time_restrictions": {
                "from_hour": from_hour,
                "from_min": from_min,
                "till_hour": till_hour,
                "till_min": till_min,
            },
        }


@dataclass(frozen=True)
class Span:
    """A time in which calls may start, `ends` exclusive."""

    begins: datetime
    ends: datetime


@dataclass
class Run:
    """A run with `people` busy subscribers, called one after another from `start`."""

    hours: Hours
    start: datetime
    people: int
    days: int
    controls: tuple[Control, ...] = ()
    interval_ms: int = 0
    crashes: dict[str, Any] = field(default_factory=dict)
    attempts: int = 1
    channels: int = 1

    def live(self) -> World:
        history = History(
            phones=(1,) * self.people,
            behaviours=(Behaviour(rings=1.0, rejects=(CALL_S, 486)),),
            settings={"attempt_count": self.attempts, "max_answer_delay_s": 60, **self.hours.settings},
            channels=self.channels,
            interval_ms=self.interval_ms,
            controls=self.controls,
            **self.crashes,
        )
        worlds: list[World] = []

        async def main() -> None:
            world = World(
                history,
                self.start,
                pace=SLOW_AUDIT,
                lease_pace=SLOW_RENEWAL,
                longest_s=self.days * 86_400,
            )
            worlds.append(world)
            await world.live()

        with counters.unexpected_log_lines() as unexpected:
            run_virtually(main())
        assert not worlds[0].violations
        assert not unexpected
        return worlds[0]

    def spans(self, until: datetime) -> list[Span]:
        """Return the times in which calls may start, without pauses."""
        minute = self.start.astimezone(UTC).replace(second=0, microsecond=0)
        spans: list[Span] = []
        while minute <= until:
            if self.hours.allow(minute):
                begins = max(minute, self.start.astimezone(UTC))
                if spans and spans[-1].ends == minute:
                    spans[-1] = Span(spans[-1].begins, minute + MINUTE)
                else:
                    spans.append(Span(begins, minute + MINUTE))
            minute += MINUTE
        for pause, resume in zip(self.controls[::2], self.controls[1::2], strict=True):
            spans = [part for span in spans for part in _without(span, self._at(pause), self._at(resume))]
        return spans

    def _at(self, control: Control) -> datetime:
        return self.start.astimezone(UTC) + timedelta(seconds=control.at)


def _without(span: Span, begins: datetime, ends: datetime) -> list[Span]:
    before = Span(span.begins, min(span.ends, begins))
    after = Span(max(span.begins, ends), span.ends)
    return [part for part in (before, after) if part.begins < part.ends]


def assert_in_all_allowed_minutes_and_no_other(run: Run, world: World) -> None:
    starts = [call.at for call in world.exchange.placed]
    assert len(starts) == run.people * run.attempts
    spans = run.spans(starts[-1])
    outside = [start for start in starts if not any(span.begins <= start < span.ends for span in spans)]
    assert not outside
    within = [[start for start in starts if span.begins <= start < span.ends] for span in spans]
    for span, calls in zip(spans, within, strict=True):
        if span.ends - span.begins <= timedelta(seconds=CALL_S + SLACK_S) and not calls:
            continue  # an earlier call was still up
        assert (calls[0] - span.begins).total_seconds() <= CALL_S + SLACK_S
        gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(calls)]
        assert max(gaps, default=0) <= CALL_S + SLACK_S
        if calls[-1] != starts[-1]:
            assert (span.ends - calls[-1]).total_seconds() <= CALL_S + SLACK_S
    assert world.judge.rules.ending is RunEnding.FINISHED


def local(*when: int, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime(*when, tzinfo=zone)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize("interval_ms", [0, 7_000])
def test_no_call_starts_in_the_missing_hour_in_spring(interval_ms: int) -> None:
    run = Run(
        Hours(BERLIN, opens=1 * 60 + 30, closes=3 * 60 + 30),
        local(2026, 3, 28, 23, 10),
        people=110,
        days=3,
        interval_ms=interval_ms,
    )
    world = run.live()
    assert_in_all_allowed_minutes_and_no_other(run, world)
    first_night = [call for call in world.exchange.placed if call.at < local(2026, 3, 29, 12)]
    hour = timedelta(hours=1)
    assert first_night[-1].at - first_night[0].at < hour, "the window is an hour shorter that night"
    assert len(first_night) > 65


def test_window_within_the_missing_hour_is_skipped() -> None:
    run = Run(Hours(BERLIN, opens=2 * 60, closes=3 * 60), local(2026, 3, 28, 23, 0), people=5, days=3)
    world = run.live()
    assert_in_all_allowed_minutes_and_no_other(run, world)
    assert world.exchange.placed[0].at == local(2026, 3, 30, 2)


def test_calls_start_in_both_passes_of_the_repeated_hour() -> None:
    run = Run(
        Hours(BERLIN, opens=2 * 60 + 15, closes=2 * 60 + 45),
        local(2026, 10, 25, 0, 30),
        people=60,
        days=3,
    )
    world = run.live()
    assert_in_all_allowed_minutes_and_no_other(run, world)
    offsets = [call.at.astimezone(BERLIN).utcoffset() for call in world.exchange.placed]
    assert len(run.spans(world.exchange.placed[-1].at)) == 2
    assert {offset.total_seconds() / 3600 for offset in offsets if offset} == {1, 2}


def test_window_over_midnight_belongs_to_its_opening_day() -> None:
    hours = Hours(BERLIN, opens=23 * 60, closes=60, days=frozenset({"FRI", "SUN"}))
    run = Run(hours, local(2026, 5, 7, 23, 30), people=250, days=6)  # a Thursday
    world = run.live()
    assert_in_all_allowed_minutes_and_no_other(run, world)
    days = {call.at.astimezone(BERLIN).strftime("%a %H") for call in world.exchange.placed}
    assert days == {"Fri 23", "Sat 00", "Sun 23", "Mon 00"}


def test_pause_starts_no_call_and_loses_none() -> None:
    run = Run(
        Hours(BERLIN, opens=9 * 60, closes=12 * 60),
        local(2026, 5, 7, 8, 50),
        people=100,
        days=1,
        controls=(Control(2_400.0, PauseRun), Control(4_200.0, ResumeRun)),
    )
    world = run.live()
    assert_in_all_allowed_minutes_and_no_other(run, world)
    assert len(run.spans(world.exchange.placed[-1].at)) == 2


def test_pause_that_ends_outside_the_window_waits_for_the_opening() -> None:
    run = Run(
        Hours(BERLIN, opens=9 * 60, closes=10 * 60),
        local(2026, 5, 7, 8, 50),
        people=50,
        days=2,
        controls=(Control(1_800.0, PauseRun, hangup=False), Control(7_200.0, ResumeRun)),
    )
    world = run.live()
    assert_in_all_allowed_minutes_and_no_other(run, world)
    assert world.exchange.placed[-1].at > local(2026, 5, 8, 9)


quarter_hours = st.integers(0, 95).map(lambda quarters: quarters * 15)


@settings(
    max_examples=10, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    opens=quarter_hours,
    minutes=st.integers(1, 16).map(lambda quarters: quarters * 15),
    # The clocks change in Berlin, New York and on Lord Howe Island (by half an hour).
    day=st.sampled_from(
        [(2026, 3, 28), (2026, 10, 24), (2026, 3, 7), (2026, 10, 31), (2026, 4, 4), (2026, 10, 3)]
    ),
    hour=st.integers(0, 23),
    people=st.integers(1, 120),
)
def test_windows_around_changes_of_the_clock(zone, opens, minutes, day, hour, people) -> None:
    run = Run(
        Hours(ZoneInfo(zone), opens, (opens + minutes) % 1_440),
        datetime(*day, hour, 7, tzinfo=UTC),
        people,
        days=12,
    )
    assert_in_all_allowed_minutes_and_no_other(run, run.live())


@pytest.mark.parametrize("late_ms", [-60, -30, -1, 0, 1, 30, 60])
def test_call_waiting_for_its_slot_does_not_start_after_the_window_closed(late_ms) -> None:
    # The station's next start is reserved an interval and twice the lenience after the first.
    interval_s, lenience_s = 60, 0.05
    closing = local(2026, 5, 7, 10)
    run = Run(
        Hours(BERLIN, opens=9 * 60, closes=10 * 60),
        closing - timedelta(seconds=interval_s + 2 * lenience_s) + timedelta(milliseconds=late_ms),
        people=2,
        days=2,
        interval_ms=interval_s * 1000,
        channels=2,
    )
    second = run.live().exchange.placed[1]
    if late_ms < -1000 * lenience_s:
        assert second.at < closing
    else:
        assert second.at >= closing + timedelta(hours=23)
