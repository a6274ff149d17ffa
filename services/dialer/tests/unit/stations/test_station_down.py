"""Calls while stations are down: nobody fails because of it, and nobody is called twice. In virtual time."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cato_contracts.api.stations import StationFailure, StationState
from cato_contracts.messages.calls import CallEvent, CallEventKind
from cato_contracts.messages.jobs import RunDispatchState, RunMode
from cato_dialer.dial.domain.station import Station
from cato_dialer.dial.domain.station_health import StationHealth
from services.dialer.tests.support.trunk.scripted_line import START
from tests.support.virtual_time import LoopClock

NOTICED_AFTER_S = 8.0


class OutageWatch:
    """A `StationWatch` that notices an outage after eight seconds, as OPTIONS requests do."""

    def __init__(self) -> None:
        self.dead: set[UUID] = set()
        self.known: set[UUID] = set()
        self.trials: list[UUID] = []
        self._down_until: dict[UUID, datetime] = {}
        self._noticed = asyncio.Event()
        self._changed: Callable[[], None] = lambda: None

    def fall(self, station: Station) -> None:
        self.dead.add(station.id)
        asyncio.get_running_loop().call_later(NOTICED_AFTER_S, self._notice)

    def rise(self, station: Station) -> None:
        self.dead.discard(station.id)
        self._notice()

    def _notice(self) -> None:
        for station_id in self.known - self.dead:
            self._down_until[station_id] = LoopClock(START).now()
        self.known = set(self.dead)
        self._noticed.set()
        self._noticed = asyncio.Event()
        self._changed()

    async def open(self, stations: Sequence[Station], on_change: Callable[[], None]) -> None:
        assert stations
        self._changed = on_change

    def is_up(self, station_id: UUID) -> bool:
        return station_id not in self.known

    def health(self, station_id: UUID) -> StationHealth:
        return StationHealth(StationState.UP if self.is_up(station_id) else StationState.DOWN)

    def answered(self, station_id: UUID) -> None:
        pass

    def unanswered(self, station_id: UUID) -> None:
        pass

    def failed(self, station_id: UUID, failure: StationFailure) -> None:
        pass

    async def responds(self, station_id: UUID, since: datetime) -> bool:
        while station_id in self.dead and station_id not in self.known:
            await self._noticed.wait()
        return station_id not in self.dead and self._down_until.get(station_id, since) <= since

    def take_trial(self, station_id: UUID) -> bool:
        if station_id in self.trials:
            self.trials.remove(station_id)
            return True
        return False

    async def close(self) -> None:
        self._changed = lambda: None


def make_world(kit: Any, watch: OutageWatch, stations: int = 1, **fields: Any) -> Any:
    def choose(_number: str, station_id: UUID, _nth: int) -> Any:
        return kit.script(unreachable=True) if station_id in watch.dead else kit.script(answers_at=2.0)

    all_stations = tuple(kit.station(f"s{n}", priority=n, channels=3) for n in range(stations))
    return kit.world(choose, all_stations, watch=watch, await_stations=True, **fields)


def ends(world: Any) -> list[CallEvent]:
    return [event for event in world.events() if event.kind is CallEventKind.ENDED]


def test_a_wave_waits_while_its_only_station_is_down_s3(kit: Any) -> None:
    async def story() -> None:
        watch = OutageWatch()
        world = make_world(kit, watch)
        watch.fall(world.stations[0])
        replica = await world.replica().start()
        for no in range(7):
            world.queue.put(world.job(no, [f"n{no}"]))
        await asyncio.sleep(600)
        # The three calls that were begun before the outage was noticed, and none since.
        assert [end.reason for end in ends(world)] == ["station-down"] * 3
        assert world.results() == []
        watch.rise(world.stations[0])
        began = world.clock.now()
        await world.until_empty(60)
        assert (world.clock.now() - began).total_seconds() < 40
        assert sorted(result.no for result in world.results() if result.notified) == list(range(7))
        assert sum(end.success for end in ends(world)) == 7
        world.assert_consistent()
        await replica.role.stop()

    kit.run(story())


def test_a_person_who_is_not_reached_through_a_station_that_responds_has_failed_s3(kit: Any) -> None:
    async def story() -> None:
        watch = OutageWatch()
        world = make_world(kit, watch)
        world.choose = lambda *_: kit.script(unreachable=True)
        replica = await world.replica().start()
        world.queue.put(world.job(0, ["a"]))
        await world.until_empty()
        assert [result.reason for result in world.results()] == ["no-ringing"]
        assert world.calls_to == {"a": 1}
        await replica.role.stop()

    kit.run(story())


def test_a_call_to_a_station_that_has_gone_down_goes_through_another_s3(kit: Any) -> None:
    async def story() -> None:
        watch = OutageWatch()
        world = make_world(kit, watch, stations=2)
        first, second = world.stations
        watch.fall(first)
        replica = await world.replica().start()
        world.queue.put(world.job(0, ["a"]))
        await world.until_empty()
        assert [station for station, _ in world.starts] == [first.id, second.id]
        assert [end.reason for end in ends(world)] == ["station-down", "heard-to-the-end"]
        await replica.role.stop()

    kit.run(story())


def test_a_run_that_ends_while_it_waits_gives_the_reason_of_its_calls_s3(kit: Any) -> None:
    async def story() -> None:
        watch = OutageWatch()
        world = make_world(kit, watch)
        watch.fall(world.stations[0])
        replica = await world.replica().start()
        for no in range(4):
            world.queue.put(world.job(no, [f"n{no}"]))
        await asyncio.sleep(100)
        world.queue.set_state(RunDispatchState(run_id=kit.run_id, priority=0, mode=RunMode.STOPPING))
        await world.until_empty()
        # The fourth was never called: the coordinator decides about them.
        assert [result.reason for result in world.results()] == ["station-down"] * 3
        world.assert_consistent()
        await replica.role.stop()

    kit.run(story())


def test_one_call_finds_out_whether_a_station_that_ignores_options_is_back_s3(kit: Any) -> None:
    async def story() -> None:
        watch = OutageWatch()
        world = make_world(kit, watch)
        (station,) = world.stations
        watch.fall(station)
        replica = await world.replica().start()
        await asyncio.sleep(NOTICED_AFTER_S + 1)
        for no in range(5):
            world.queue.put(world.job(no, [f"n{no}"]))
        await asyncio.sleep(50)
        assert world.starts == []
        watch.trials = [station.id]
        watch._changed()
        await asyncio.sleep(50)
        assert len(world.starts) == 1
        watch.rise(station)
        await world.until_empty(100)
        assert sorted(result.no for result in world.results() if result.notified) == list(range(5))
        world.assert_consistent()
        await replica.role.stop()

    kit.run(story())


outages = st.lists(st.tuples(st.integers(0, 120), st.integers(0, 1), st.integers(9, 200)), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(outages=outages, stations=st.integers(1, 2), people=st.integers(1, 8), replicas=st.integers(1, 2))
def test_outages_cost_nobody_an_attempt_and_nobody_is_called_twice_s3(
    kit: Any, outages: list[tuple[int, int, int]], stations: int, people: int, replicas: int
) -> None:
    async def story() -> None:
        watch = OutageWatch()
        world = make_world(kit, watch, stations)
        running = [await world.replica().start() for _ in range(replicas)]
        for no in range(people):
            world.queue.put(world.job(no, [f"n{no}"]))
        loop = asyncio.get_running_loop()
        for begins, which, lasts in outages:
            station = world.stations[which % stations]
            loop.call_later(begins, watch.fall, station)
            loop.call_later(begins + lasts, watch.rise, station)
        await world.until_empty(5_000)
        assert sorted((result.no, result.notified) for result in world.results()) == [
            (no, True) for no in range(people)
        ]
        assert sum(end.success for end in ends(world)) == people
        assert {end.reason for end in ends(world)} <= {"heard-to-the-end", "station-down"}
        world.assert_consistent()
        for replica in running:
            await replica.role.stop()

    kit.run(story())
