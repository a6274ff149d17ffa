"""A run that waits because no station responds."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from cato_contracts.api.rules.hours import TimeRestrictions
from cato_contracts.api.stations import StationState
from cato_contracts.messages.campaign_commands import PauseRun, ResumeRun
from cato_contracts.messages.runs import RunEnding
from cato_contracts.messages.stations import StationSight
from cato_dialer.campaign.domain.run.next_step import (
    AwaitCallsDrained,
    AwaitStation,
    CloseWave,
    Dial,
    EndRun,
    FailRemaining,
    GiveUp,
    GoOn,
    Step,
    next_step,
)
from cato_dialer.campaign.domain.run.progress import Progress
from cato_dialer.campaign.domain.run.run import Run
from cato_dialer.campaign.domain.run.transitions import Mode
from cato_runtime.configuration.config import DialingConfig
from services.dialer.tests.support.campaign_world import (
    CONFIG,
    NOW,
    USER,
    World,
    answer_from_memory,
    ended,
    life_of,
    people,
    snapshot,
    until,
)

HOUR = timedelta(hours=1)
UP, DOWN = StationState.UP, StationState.DOWN


def in_wave(**changes: Any) -> Run:
    run = Run.begin(snapshot(3, **changes), timestamp=NOW)
    run.begin_wave(1, 3, timestamp=NOW)
    return run


def step(run: Run, no_station: bool | None, *, at=NOW, results: int = 0, drained=False, wait=HOUR) -> Step:
    progress = Progress(3)
    progress.turn_to(run.wave)
    for no in range(results):
        progress.record(no, 1, notified=False, sequence=1)
    return next_step(run, progress, at, drained=drained, no_station=no_station, station_wait=wait)


def test_a_wave_waits_while_no_station_responds_s3():
    run = in_wave()
    assert step(run, no_station=None) == step(run, no_station=False) == Dial(1, None)
    assert step(run, no_station=True) == AwaitStation()
    run.await_station(timestamp=NOW)
    assert run.mode is Mode.NO_STATION
    assert step(run, no_station=True) == Dial(1, NOW + HOUR)
    # A coordinator that has just taken over has not heard of the dialers yet.
    assert step(run, no_station=None) == Dial(1, NOW + HOUR)
    assert step(run, no_station=False) == GoOn()
    run.go_on(timestamp=NOW)
    assert run.mode is Mode.RUNNING


def test_a_run_without_the_setting_does_not_wait_s3():
    assert step(in_wave(), no_station=True, wait=timedelta()) == Dial(1, None)


def test_a_run_that_has_waited_too_long_gives_up_with_a_result_for_each_subscriber_s3():
    run = in_wave()
    run.await_station(timestamp=NOW)
    late = NOW + HOUR
    assert step(run, no_station=True, at=late) == GiveUp()
    run.give_up(timestamp=late)
    assert step(run, no_station=True, at=late) == AwaitCallsDrained()
    assert step(run, no_station=True, at=late, drained=True) == FailRemaining(1, "station-down")
    assert step(run, no_station=True, at=late, drained=True, results=3) == CloseWave(1, 0, 3)
    run.close_wave(1, 0, 3, timestamp=late)
    assert step(run, no_station=False, drained=True, results=3) == EndRun(RunEnding.STATION_DOWN)


def test_the_time_outside_the_calling_hours_does_not_count_s3():
    # 12:00 UTC is 15:00 in Moscow.
    run = in_wave()
    hours = run.snapshot.settings.model_copy(
        update={"time_restrictions": TimeRestrictions(from_hour=9, till_hour=18)}
    )
    run.snapshot = run.snapshot.model_copy(update={"settings": hours})
    evening = NOW + timedelta(hours=4)
    assert step(run, no_station=True, at=evening) == Dial(1, None)
    run.await_station(timestamp=NOW + timedelta(hours=2, minutes=30))
    assert step(run, no_station=True, at=evening) == GoOn()


@pytest.mark.parametrize("decide", [Run.pause, Run.stop])
def test_orders_of_users_end_the_wait_s3(decide: Callable[..., None]):
    run = in_wave()
    run.await_station(timestamp=NOW)
    decide(run, hangup=False, timestamp=NOW)
    assert run.awaits_station_since is None


def test_a_stored_run_of_an_earlier_version_does_not_wait():
    run = in_wave()
    vars(run).pop("station_wait_began", None)
    assert (run.awaits_station_since, run.mode) == (None, Mode.RUNNING)


class ToldSightings:
    """The sightings of one dial replica, which the test sets."""

    def __init__(self) -> None:
        self.state: StationState | None = UP
        self._listeners: list[Callable[[], None]] = []

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        assert self._listeners == []

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def sights(self) -> Sequence[StationSight]:
        if self.state is None:
            return ()
        (station,) = CONFIG.stations
        return [StationSight(station_id=station.id, name=station.name, state=self.state)]

    def turn(self, state: StationState | None) -> None:
        self.state = state
        for listener in self._listeners:
            listener()


def make_world(sightings: ToldSightings, wait_s: int = 3_600) -> World:
    config = CONFIG.model_copy(update={"dialing": DialingConfig(station_down_wait_s=wait_s)})
    world = World(config)
    world.stations = sightings
    return world


async def kinds(world: World, run_id) -> list[str]:
    return [message["type"] for message in await life_of(world.runs, run_id)]


async def test_a_run_waits_and_goes_on_by_itself_within_moments_s3():
    sightings = ToldSightings()
    world = make_world(sightings)
    sightings.state = DOWN
    async with world.running() as client, asyncio.TaskGroup() as group:
        run_id = await client.start(await client.add_task([people(3)], attempt_count=1))
        await until(lambda: world.queue.jobs)

        async def waits() -> bool:
            return (await kinds(world, run_id))[-1] == "RunStationsDown"

        await until(waits)
        # A user can pause and resume it meanwhile; it waits again.
        await client.ask(PauseRun(actor=USER, id=run_id))
        await client.ask(ResumeRun(actor=USER, id=run_id))
        await until(waits)
        sightings.turn(UP)
        dialling = group.create_task(answer_from_memory(world, lambda _: True))
        await until(lambda: ended(world.runs, run_id))
        dialling.cancel()
    assert await kinds(world, run_id) == [
        "RunStarted",
        "WaveStarted",
        "RunStationsDown",
        "RunPaused",
        "RunResumed",
        "RunStationsDown",
        "RunStationsUp",
        "WaveEnded",
        "RunEnded",
    ]


async def test_a_run_gives_up_after_the_configured_time_s3():
    sightings = ToldSightings()
    world = make_world(sightings, wait_s=1)
    sightings.state = DOWN
    async with world.running() as client:
        run_id = await client.start(await client.add_task([people(3)], attempt_count=5))
        await until(lambda: ended(world.runs, run_id))
    life = await life_of(world.runs, run_id)
    assert [message["type"] for message in life[-4:]] == [
        "RunStationsDown",
        "RunStopping",
        "WaveEnded",
        "RunEnded",
    ]
    assert life[-2]["body"]["failed"] == 3
    assert life[-1]["body"]["ending"] == "STATION_DOWN"
