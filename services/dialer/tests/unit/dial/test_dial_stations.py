"""Stations that are down, and the reports of calls about them; in virtual time."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from cato_contracts.api.stations import StationFailure, StationState
from cato_dialer.dial.domain.station import NumberRule, Station
from cato_dialer.dial.domain.station_health import StationHealth


class ToldWatch:
    """A `StationWatch` whose state the test sets."""

    def __init__(self) -> None:
        self.down: set[UUID] = set()
        self.heard: list[UUID] = []
        self.suspected: list[UUID] = []
        self.failures: list[tuple[UUID, str, int | None, str | None]] = []
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

    def health(self, station_id: UUID) -> StationHealth:
        return StationHealth(StationState.DOWN if station_id in self.down else StationState.UP)

    def failed(self, station_id: UUID, failure: StationFailure) -> None:
        self.failures.append((station_id, failure.reason, failure.sip_code, failure.text))

    async def responds(self, station_id: UUID, _since: datetime) -> bool:
        return station_id not in self.down

    def take_trial(self, station_id: UUID) -> bool:
        return False

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
        assert replica.role.stations_down() == ["first"]
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


def test_failures_of_the_station_are_reported_and_answers_about_people_are_not(kit: Any) -> None:
    async def story() -> None:
        watch = ToldWatch()
        scripts = {
            "a": kit.script(final=(503, "Overloaded")),
            "b": kit.script(final=(486, "Busy Here")),
            "c": kit.script(rings_at=None),
        }
        stations = (kit.station("only"),)
        world = kit.world(lambda number, *_: scripts[number], stations, watch=watch)
        replica = await world.replica().start()
        for no, number in enumerate(scripts):
            world.queue.put(world.job(no, [number]))
        await world.until_empty()
        (station,) = stations
        assert sorted(watch.failures) == [
            (station.id, "no-ringing", 487, None),
            (station.id, "service-unavailable", 503, "Overloaded"),
        ]
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


def test_the_sip_call_id_is_on_the_first_event_after_the_invite_and_on_the_last(kit: Any) -> None:
    async def main() -> None:
        busy = kit.script(final=(486, "Busy Here"))
        world = kit.world(lambda *_: busy, (kit.station(),))
        replica = await world.replica().start()
        world.queue.put(world.job(7, ["a"]))
        await world.until_empty()
        await replica.role.stop()
        events = world.events()
        named = {event.seq: event.sip_call_id for event in events if event.sip_call_id}
        assert named == dict.fromkeys((2, events[-1].seq), f"{events[0].call_id}@scripted")

    kit.run(main())
