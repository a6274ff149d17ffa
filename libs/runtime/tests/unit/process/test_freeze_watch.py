"""Freezes of a process are counted by two clocks."""

import asyncio
from datetime import UTC, datetime, timedelta

from cato_runtime.process.freeze_watch import FreezeWatch


class WallClock:
    def __init__(self) -> None:
        self.time = datetime(2026, 3, 2, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


async def test_a_pause_longer_than_the_limit_is_one_freeze():
    clock = WallClock()
    watch = FreezeWatch(clock, longest_s=5)
    assert watch.count() == 0
    clock.time += timedelta(seconds=4.9)
    assert watch.count() == 0
    clock.time += timedelta(seconds=25)
    assert watch.count() == 1
    assert watch.count() == 1


async def test_a_wall_clock_that_was_set_back_hides_no_freeze():
    clock = WallClock()
    watch = FreezeWatch(clock, longest_s=0.05)
    watch.count()
    clock.time -= timedelta(hours=1)
    await asyncio.sleep(0.1)
    assert watch.count() == 1
