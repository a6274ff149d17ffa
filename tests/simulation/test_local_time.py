"""Whole runs on a virtual clock with subscribers in several zones: each is called in its own hours only."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cato_contracts.api.status import Report, RunState
from cato_contracts.messages.runs import RunEnding
from tests.simulation import counters
from tests.simulation.test_calling_hours import SLOW_AUDIT, SLOW_RENEWAL, Hours
from tests.simulation.world.exchange import Behaviour
from tests.simulation.world.history import History
from tests.simulation.world.world import World
from tests.support.virtual_time import run_virtually

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("slow_heartbeats")]

OPENS, CLOSES = 9 * 60, 20 * 60
DEFAULT = "Europe/Moscow"
ZONES = ("Asia/Kolkata", "Europe/Berlin", "America/St_Johns", None)
CHANGE_OF_CLOCKS = datetime(2026, 10, 24, 20, 0, tzinfo=UTC)
"""The evening before the clocks of Berlin go back; everywhere but in St. John's it is after hours."""
SAMPLE_S = 600


def hours_of(zone: str | None, opens: int = OPENS, closes: int = CLOSES) -> Hours:
    return Hours(ZoneInfo(zone or DEFAULT), opens, closes)


def live(when_unknown: str, people: int, start: datetime) -> tuple[World, list[tuple[datetime, Report]]]:
    """Run three waves a few hours apart; nobody is reached."""
    history = History(
        phones=(1,) * people,
        zones=ZONES,
        behaviours=(Behaviour(rings=1.0, rejects=(2.0, 486)),),
        settings={
            "attempt_count": 3,
            "attempt_delay_s": 4 * 3_600,
            "time_zone": DEFAULT,
            "time_restrictions": {"from_hour": 9, "till_hour": 20},
            "local_time": {"when_unknown": when_unknown},
        },
        channels=2,
    )
    worlds: list[World] = []
    samples: list[tuple[datetime, Report]] = []

    async def sample(world: World) -> None:
        while True:
            await asyncio.sleep(SAMPLE_S)
            report = world.judge.reports.report() if world.judge.reports else None
            if report is not None and report.active_phase:
                samples.append((world.clock.now(), report))

    async def main() -> None:
        world = World(history, start, pace=SLOW_AUDIT, lease_pace=SLOW_RENEWAL, longest_s=5 * 86_400)
        worlds.append(world)
        sampling = asyncio.create_task(sample(world))
        await world.live()
        sampling.cancel()

    with counters.unexpected_log_lines() as unexpected:
        run_virtually(main())
    assert not worlds[0].violations
    assert not unexpected
    assert worlds[0].judge.rules.ending is RunEnding.FINISHED
    return worlds[0], samples


def called_in(world: World, zone: str | None) -> list[datetime]:
    return [call.at for call in world.exchange.placed if ZONES[call.no % len(ZONES)] == zone]


def test_each_subscriber_is_called_in_its_own_hours_only_and_the_run_goes_on_for_the_others() -> None:
    people = 40
    world, samples = live("DEFAULT", people, CHANGE_OF_CLOCKS)
    for zone in ZONES:
        calls = called_in(world, zone)
        assert len(calls) == 3 * people // len(ZONES)
        assert all(hours_of(zone).allow(call) for call in calls), zone
    first = {zone: min(called_in(world, zone)).astimezone(ZoneInfo(zone or DEFAULT)) for zone in ZONES}
    # It is half past five in St. John's; the others are called from nine in the morning on, two in UTC+1.
    assert first["America/St_Johns"].astimezone(UTC) - CHANGE_OF_CLOCKS < timedelta(seconds=30)
    for zone in ("Asia/Kolkata", "Europe/Berlin", None):
        assert (first[zone].hour, first[zone].minute) == (9, 0)
    assert first["Europe/Berlin"].utcoffset() == timedelta(hours=1)
    assert {report.state for _, report in samples} >= {RunState.CALLING, RunState.OUT_OF_HOURS}
    for at, report in samples:
        somebody = any(hours_of(zone).allow(at) for zone in ZONES)
        assert report.state is not RunState.OUT_OF_HOURS or not somebody, at


def test_without_a_zone_a_subscriber_is_called_while_all_zones_are_in_hours() -> None:
    world, _ = live("ALL_ZONES", 8, CHANGE_OF_CLOCKS)
    calls = called_in(world, None)
    known = [zone for zone in ZONES if zone is not None]
    assert len(calls) == 6
    assert all(hours_of(zone).allow(call) for zone in known for call in calls)


def test_without_a_zone_a_subscriber_is_skipped_if_the_settings_say_so() -> None:
    world, samples = live("SKIP", 8, CHANGE_OF_CLOCKS)
    assert not called_in(world, None)
    without = [
        result for (no, _), result in world.judge.rules.results.items() if ZONES[no % len(ZONES)] is None
    ]
    assert len(without) == 6
    assert {result.reason for result in without} == {"no-time-zone"}
    assert [report.subscriber_failed_by_rule for _, report in samples if report.wave_current == 2][-1] == {
        "no-time-zone": 2
    }
