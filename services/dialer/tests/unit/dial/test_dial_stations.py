"""Stations that are down, and the reports of calls about them; in virtual time."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from cato_dialer.dial.domain.station import NumberRule, Station


class ToldWatch:
    """A `StationWatch` whose state the test sets."""

    def __init__(self) -> None:
        self.down: set[UUID] = set()
        self.heard: list[UUID] = []
        self.suspected: list[UUID] = []
        self.changed: Callable[[], None] = lambda: None

    async def open(self, stations: Sequence[Station], on_change: Callable[[], None]) -> None:
        assert stations
        self.changed = on_change

    def is_up(self, station_id: UUID) -> bool:
        return station_id not in self.down

    def answered(self, station_id: UUID) -> None:
        self.heard.append(station_id)

    def unanswered(self, station_id: UUID) -> None:
        self.suspected.append(station_id)

    async def close(self) -> None:
        self.changed = lambda: None


def _world(kit: Any, script: Any, watch: ToldWatch, channels: int = 1) -> Any:
    stations = (
        kit.station("first", priority=0, channels=channels),
        kit.station("second", priority=1, channels=channels),
    )
    return kit.world(lambda *_: script, stations, watch=watch)


def test_a_station_that_is_down_is_left_out_until_it_is_up_again(kit: Any) -> None:
    async def story() -> None:
        watch = ToldWatch()
        world = _world(kit, kit.script(answers_at=2), watch)
        first, second = (station.id for station in world.stations)
        replica = await world.replica().start()
        watch.down = {first}
        world.queue.put(world.job(0, ["a"]))
        await world.until_empty()
        watch.down = set()
        world.queue.put(world.job(1, ["b"]))
        await world.until_empty()
        assert [station for station, _ in world.starts] == [second, first]
        assert watch.heard == [second, first]
        await replica.role.stop()

    kit.run(story())


def test_with_every_station_down_all_are_tried(kit: Any) -> None:
    async def story() -> None:
        watch = ToldWatch()
        world = _world(kit, kit.script(unreachable=True), watch)
        watch.down = {station.id for station in world.stations}
        replica = await world.replica().start()
        world.queue.put(world.job(0, ["a"]))
        await world.until_empty()
        both = [station.id for station in world.stations]
        assert [station for station, _ in world.starts] == both
        assert watch.suspected == both
        assert watch.heard == []
        await replica.role.stop()

    kit.run(story())


def test_a_subscriber_waiting_for_a_channel_uses_a_station_that_came_up(kit: Any) -> None:
    async def story() -> None:
        watch = ToldWatch()
        world = _world(kit, kit.script(rings_at=1.0), watch)
        first, second = (station.id for station in world.stations)
        watch.down = {first}
        replica = await world.replica().start()
        world.queue.put(world.job(0, ["a"]))
        world.queue.put(world.job(1, ["b"]))
        await asyncio.sleep(10)
        assert [station for station, _ in world.starts] == [second]
        watch.down = set()
        watch.changed()
        await asyncio.sleep(1)
        assert [station for station, _ in world.starts] == [second, first]
        await replica.role.stop()

    kit.run(story())


def test_changed_stations_apply_to_the_next_calls_and_lose_no_job(kit: Any) -> None:
    async def story() -> None:
        watch = ToldWatch()
        world = _world(kit, kit.script(answers_at=2), watch)
        first, second = world.stations
        replica = await world.replica().start()
        for no in range(4):
            world.queue.put(world.job(no, [f"n{no}"]))
        await asyncio.sleep(1)
        before = [station for station, _ in world.starts]
        assert sorted(before) == sorted([first.id, second.id])
        rules = (NumberRule(re.compile("n(.)"), r"9\1"),)
        await replica.role.change_stations(
            [replace(station, number_rules=rules) for station in world.stations]
        )
        await world.until_empty()
        assert len(world.results()) == 4
        assert sorted(number[0] for number in world.calls_to) == ["9", "9", "n", "n"]
        world.assert_consistent()
        await replica.role.stop()

    kit.run(story())
