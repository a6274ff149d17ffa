"""A run ends as expected with results in any order, repeated, and with any number of takeovers."""

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cato_contracts.messages.runs import RunEnding
from cato_dialer.campaign.domain.run.next_step import (
    AwaitCallsDrained,
    AwaitStation,
    BeginWave,
    CloseWave,
    Dial,
    EndRun,
    Expire,
    ExpireApproval,
    FailRemaining,
    GiveUp,
    GoOn,
    Release,
    Wait,
    next_step,
)
from cato_dialer.campaign.domain.run.progress import Progress
from cato_dialer.campaign.domain.run.run import Run
from cato_dialer.campaign.domain.run.transitions import Mode
from services.dialer.tests.support.campaign_world import NOW, snapshot

MOST_STEPS = 5_000
STATION_WAIT = timedelta(hours=1)

Result = tuple[int, int, bool]


@dataclass
class World:
    """A run, its log of results, and a coordinator that may be replaced at any moment."""

    run: Run
    reached_in: list[int]
    """By subscriber: the wave in which they are reached, 0 for never."""
    chance: random.Random
    crashes: bool
    now = NOW
    log: list[Result] = field(default_factory=list)
    on_the_way: list[Result] = field(default_factory=list)
    jobs: dict[int, set[int]] = field(default_factory=dict)
    calls_up: bool = True
    outages: bool = False
    no_station: bool | None = None
    waited: bool = False

    def __post_init__(self) -> None:
        self.progress = self.rebuilt()

    def rebuilt(self) -> Progress:
        """Replay the log, in any order."""
        progress = Progress(len(self.reached_in))
        progress.turn_to(self.run.wave if self.chance.random() < 0.5 else 0)
        for no, wave, notified in self.chance.sample(self.log, len(self.log)):
            progress.record(no, wave, notified=notified, sequence=0)
        self.on_the_way = []
        return progress

    def answer(self, wave: int, no: int) -> None:
        result = (no, wave, self.reached_in[no] == wave)
        self.log.append(result)
        self.on_the_way.append(result)

    def disturb(self) -> None:
        if self.outages and self.chance.random() < 0.2:
            self.no_station = self.chance.choice((None, False, True))
        roll = self.chance.random()
        if self.crashes and roll < 0.1:
            self.progress = self.rebuilt()
        elif roll < 0.3 and self.log:
            self.on_the_way.append(self.chance.choice(self.log))
        elif self.on_the_way:
            index = self.chance.randrange(len(self.on_the_way))
            no, wave, notified = self.on_the_way.pop(index)
            self.progress.record(no, wave, notified=notified, sequence=0)

    def step(self) -> bool:
        """Carry out the next step. Return whether the run is over."""
        self.progress.turn_to(self.run.wave)
        step = next_step(
            self.run,
            self.progress,
            self.now,
            drained=not self.calls_up,
            no_station=self.no_station,
            station_wait=STATION_WAIT,
        )
        match step:
            case BeginWave(wave=wave, size=size):
                assert size == self.progress.not_notified
                self.run.begin_wave(wave, size, timestamp=self.now)
                self.progress.turn_to(wave)
                self.jobs[wave] = set(self.progress.unsettled())
                assert len(self.jobs[wave]) == size
            case Dial(wave=wave):
                self.dial(wave)
            case CloseWave(wave=wave, notified=notified, failed=failed):
                assert notified + failed == len(self.jobs[wave])
                self.run.close_wave(wave, notified, failed, timestamp=self.now)
            case Wait(until=until):
                assert until is not None
                self.now = until
            case ExpireApproval():
                self.run.expire_approval(timestamp=self.now)
            case Expire():
                self.run.expire(timestamp=self.now)
            case AwaitCallsDrained():
                self.calls_up = self.chance.random() < 0.5
            case FailRemaining(wave=wave):
                for no in list(self.progress.unsettled()):
                    self.log.append((no, wave, False))
                    self.on_the_way.append((no, wave, False))
            case EndRun(ending=ending):
                self.run.end(ending, timestamp=self.now)
            case Release():
                return True
            case AwaitStation() | GoOn() | GiveUp():
                self.decide_about_stations(step)
        return False

    def dial(self, wave: int) -> None:
        if self.no_station and self.run.mode is Mode.NO_STATION:
            self.now += timedelta(minutes=self.chance.randrange(1, 40))
            return
        answered = {no for no, result_wave, _ in self.log if result_wave == wave}
        if left := self.jobs[wave] - answered:
            self.answer(wave, self.chance.choice(sorted(left)))

    def decide_about_stations(self, step: AwaitStation | GoOn | GiveUp) -> None:
        match step:
            case AwaitStation():
                assert self.no_station
                self.waited = True
                self.run.await_station(timestamp=self.now)
            case GoOn():
                assert self.no_station is False
                self.run.go_on(timestamp=self.now)
            case GiveUp():
                assert self.run.awaits_station_since is not None
                assert self.now - self.run.awaits_station_since >= STATION_WAIT
                self.run.give_up(timestamp=self.now)


def begin(reached_in: list[int], attempts: int, seed: int, crashes: bool, **changes: Any) -> World:
    run = Run.begin(snapshot(len(reached_in), attempts=attempts, **changes), timestamp=NOW)
    return World(run, reached_in, random.Random(seed), crashes)


def go_to_the_end(world: World) -> None:
    for _ in range(MOST_STEPS):
        world.disturb()
        if world.step():
            return
    raise AssertionError("the run does not end")


def story(run: Run) -> list[tuple]:
    return [
        (message["type"], message["body"].get("wave"), message["body"].get("failed"))
        for message in run.unpublished()
    ]


lists = st.lists(st.integers(0, 4), max_size=12)


@settings(max_examples=1_500, deadline=None)
@given(reached_in=lists, attempts=st.integers(1, 4), seed=st.integers(0, 2**32), delay_s=st.integers(0, 100))
def test_a_run_with_repeated_and_reordered_results_ends_like_one_without(reached_in, attempts, seed, delay_s):
    disturbed = begin(reached_in, attempts, seed, crashes=True, delay_s=delay_s)
    go_to_the_end(disturbed)

    left = set(range(len(reached_in)))
    expected: list[tuple] = [("RunStarted", None, None)]
    waves: dict[int, set[int]] = {}
    for wave in range(1, attempts + 1):
        if not left:
            break
        waves[wave] = left
        left = {no for no in left if reached_in[no] != wave}
        expected += [("WaveStarted", wave, None), ("WaveEnded", wave, len(left))]
    expected.append(("RunEnded", None, None))

    assert story(disturbed.run) == expected
    assert disturbed.jobs == waves
    assert disturbed.run.wave <= attempts
    assert disturbed.run.ending is RunEnding.FINISHED


@settings(max_examples=500, deadline=None)
@given(
    reached_in=lists,
    attempts=st.integers(1, 3),
    seed=st.integers(0, 2**32),
    after=st.integers(0, 60),
    how=st.sampled_from(["stop", "expire", "pause and stop"]),
)
def test_a_stopped_or_expired_run_ends(reached_in, attempts, seed, after, how):
    world = begin(reached_in, attempts, seed, crashes=True, expires_at=NOW + timedelta(hours=1))
    over = False
    for _ in range(after):
        world.disturb()
        over = over or world.step()
    if not world.run.ended and world.run.ending is None:
        if how == "expire":
            world.now += timedelta(hours=2)
        else:
            if how == "pause and stop":
                world.run.pause(hangup=False, timestamp=world.now)
            world.run.stop(hangup=False, timestamp=world.now)
    waves_before = world.run.wave
    if not over:
        go_to_the_end(world)
    assert world.run.ended
    if how != "expire":
        assert world.run.wave == waves_before or over
    if world.run.ending is RunEnding.EXPIRED and world.run.wave:
        decided = {no for no, wave, notified in world.log if wave == world.run.wave or notified}
        assert decided >= world.jobs[world.run.wave]


@settings(max_examples=500, deadline=None)
@given(reached_in=lists, attempts=st.integers(1, 3), seed=st.integers(0, 2**32))
def test_a_run_waits_for_stations_and_then_goes_on_or_gives_up_s3(reached_in, attempts, seed):
    world = begin(reached_in, attempts, seed, crashes=True)
    world.outages = True
    go_to_the_end(world)
    told = [kind for kind, _, _ in story(world.run)]
    waits = [kind for kind in told if kind.startswith("RunStations")]
    # A wait also ends with its wave, but it goes on only if it has begun.
    ups = [index for index, kind in enumerate(waits) if kind == "RunStationsUp"]
    assert all(waits[index - 1] == "RunStationsDown" for index in ups if index)
    assert 0 not in ups
    assert bool(waits) == world.waited
    if world.run.ending is RunEnding.STATION_DOWN:
        assert told[-3:] == ["RunStopping", "WaveEnded", "RunEnded"]
        decided = {no for no, wave, notified in world.log if wave == world.run.wave or notified}
        assert decided >= world.jobs[world.run.wave]
        return
    assert world.run.ending is RunEnding.FINISHED
    undisturbed = begin(reached_in, attempts, seed, crashes=False)
    go_to_the_end(undisturbed)
    without_waits = [event for event in story(world.run) if not event[0].startswith("RunStations")]
    assert without_waits == story(undisturbed.run)
