"""What happens in one random run: the system, the people, the faults and the orders, drawn from a seed."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tests.chaos.random_runs.exclusions import Excluded, draw_exclusions

CAMPAIGNS = ("campaign-0", "campaign-1")
DIALERS = ("dial-0", "dial-1", "dial-2")
LEADER = "leader"
"""The server that leads the stream of the runs at that time."""
BUSY = "busy"
"""The dial replica that has had a call answered for longest at that time, and reaches the broker."""
OTHERS = ("api-gateway", "media", "reporting")

_FIRST_FAULT_S, _LAST_FAULT_S = 0.5, 9.0
_ROLLS = 0.05
CLUSTER_ROLL_S = 15.0
"""Three servers are restarted in turn within this time."""
_SLOWEST_S = 120.0
_BESIDE_PROMPT_S = 15.0
"""The parts of a call that are not the prompt: ringing, the wait for the code, the release."""
_HANG_UP_S = 4.0
"""How long after a fault of a dialer, its worker or the station the BYE of a call may still be on its way."""


def caller_id(name: str) -> str:
    """Return the number that calls of this process come from."""
    return f"77640{name.rsplit('-', 1)[-1]}"


class Kind(StrEnum):
    """The faults. `lasts_s` of a kill is the time until the process is started again."""

    KILL = "kill"
    FREEZE = "freeze"
    KILL_WORKER = "kill worker"
    FREEZE_WORKER = "freeze worker"
    CUT_OFF = "cut off"
    BROKER_KILL = "kill broker"
    BROKER_RESTART = "restart broker"
    BROKER_FREEZE = "freeze broker"
    BROKER_PARTITION = "partition broker"
    """A server of a cluster is cut off from the others; its clients still reach it."""
    BROKER_ROLL = "restart the brokers in turn"
    DISK_FULL = "disk full"
    CLICKHOUSE_KILL = "kill clickhouse"
    CLICKHOUSE_FREEZE = "freeze clickhouse"
    STATION_SILENT = "station silent"
    STATION_REFUSES = "station refuses"
    ROLL = "restart everything in turn"
    """Each process and each server of a cluster drains and ends, and is started again; then the next one."""


class Order(StrEnum):
    """What the client asks for during a run."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that breaks `at_s` seconds after the start of the run and works again `lasts_s` later."""

    at_s: float
    kind: Kind
    target: str = ""
    lasts_s: float = 0.0

    @property
    def over_s(self) -> float:
        return self.at_s + self.lasts_s

    def __str__(self) -> str:
        return f"{self.at_s:.1f} s: {self.kind.value} {self.target} for {self.lasts_s:.1f} s"


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order of the client, with the moment of its request."""

    at_s: float
    order: Order

    def __str__(self) -> str:
        return f"{self.at_s:.1f} s: {self.order.value}"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One random run. The same seed gives the same scenario; the interleaving of processes differs."""

    seed: int
    brokers: int
    clickhouse_server: bool
    engine: str
    channels: int
    interval_ms: int
    options_interval_s: int
    phones: tuple[tuple[str, ...], ...]
    """The numbers of each person; their first digits choose what the person does (`number_plan.yaml`)."""
    settings: dict[str, Any]
    prompt_s: float
    faults: tuple[Fault, ...]
    orders: tuple[Ordered, ...]
    exclusions: tuple[Excluded, ...] = ()
    dialers: tuple[str, ...] = DIALERS
    caller_ids: tuple[str, ...] = ()
    """The numbers that a task may have as its `callerId`."""
    harmless: bool = False
    """Nothing of what breaks may cost a call: everybody is reached at the first one."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the people."""
        return tuple(f"P{no}" for no in range(len(self.phones)))

    @property
    def cut_off(self) -> frozenset[str]:
        """The dial replicas that have a proxy between them and the broker."""
        cut = frozenset(fault.target for fault in self.faults if fault.kind is Kind.CUT_OFF)
        return frozenset(self.dialers) if BUSY in cut else cut

    @property
    def longest_s(self) -> float:
        """The time that the run may take after its last fault, if every number is called in every wave."""
        calls = sum(len(numbers) for numbers in self.phones) * int(self.settings["attemptCount"])
        return _SLOWEST_S + calls * (self.prompt_s + _BESIDE_PROMPT_S) / self.channels

    def describe(self) -> str:
        happens = [*self.faults, *self.orders, *self.exclusions]
        happens.sort(key=lambda each: each.at_s)
        return (
            f"seed {self.seed}: {self.engine}, {self.brokers} brokers,"
            f" ClickHouse {'server' if self.clickhouse_server else 'embedded'}, {len(self.phones)} people,"
            f" {self.channels} channels, {self.interval_ms} ms, OPTIONS {self.options_interval_s} s,"
            f" {self.settings['successCondition']} x{self.settings['attemptCount']}; "
            + "; ".join(str(each) for each in happens)
        )


def draw(seed: int, *, disk: bool = True, engine: str | None = None, brokers: int | None = None) -> Scenario:
    """Return the scenario of a seed; `disk` tells whether a disk can be filled on this machine.

    `engine` and `brokers` replace what is drawn.
    """
    chance = random.Random(seed)
    drawn = chance.choice((1, 1, 3))
    brokers = brokers or drawn
    server = chance.random() < 0.3
    drawn_engine = chance.choice(("dense", "dense", "pjsua2"))
    engine = engine or drawn_engine
    options_s = chance.choice((0, 2))
    people = tuple(_people(chance))
    settings = {
        "attemptCount": chance.choice((1, 2, 2, 3)),
        "attemptDelayS": chance.choice((0, 0, 1)),
        "successCondition": chance.choice(
            ("PICKUP_AND_LISTEN_FULL", "PICKUP_AND_LISTEN_FULL", "PICKUP_AND_CONFIRM", "PICKUP_PHONE")
        ),
        "maxAnswerDelayS": 2,
        "maxCallDurationS": 20,
    }
    return Scenario(
        seed=seed,
        brokers=brokers,
        clickhouse_server=server,
        engine=engine,
        channels=chance.randint(3, 9),
        interval_ms=chance.choice((0, 0, 60)),
        options_interval_s=options_s,
        phones=people,
        settings=settings,
        prompt_s=chance.choice((1.5, 2.5, 4.0)),
        faults=_faults(chance, brokers=brokers, server=server, disk=disk and brokers == 1),
        orders=_orders(chance),
        exclusions=draw_exclusions(seed, people),
    )


def _people(chance: random.Random) -> Iterator[tuple[str, ...]]:
    kinds = ("10", "10", "10", "11", "12", "13", "20", "21", "22", "23")
    for no in range(chance.randint(12, 40)):
        count = chance.choice((1, 1, 1, 2))
        yield tuple(f"{chance.choice(kinds)}{no:03}{index}" for index in range(count))


def _faults(chance: random.Random, *, brokers: int, server: bool, disk: bool) -> tuple[Fault, ...]:
    makers: list[Callable[[random.Random, float], Fault]] = [
        _kill_of(CAMPAIGNS),
        _kill_of(DIALERS),
        _kill_of(DIALERS),
        _kill_of(OTHERS),
        _freeze_of(CAMPAIGNS),
        _freeze_of(DIALERS),
        _freeze_of(DIALERS),
        _freeze_of(OTHERS),
        lambda dice, at: Fault(at, Kind.CUT_OFF, dice.choice(DIALERS), dice.uniform(5, 20)),
        lambda dice, at: Fault(at, Kind.CUT_OFF, dice.choice(DIALERS), dice.uniform(5, 20)),
        _of_broker(Kind.BROKER_KILL, brokers, 0.5, 3),
        _of_broker(Kind.BROKER_RESTART, brokers, 0.5, 3),
        _of_broker(Kind.BROKER_FREEZE, brokers, 5, 12),
        lambda dice, at: Fault(at, Kind.STATION_SILENT, "", dice.uniform(2, 8)),
        lambda dice, at: Fault(at, Kind.STATION_REFUSES, "", dice.uniform(2, 8)),
    ]
    if brokers > 1:
        makers.append(_of_broker(Kind.BROKER_PARTITION, brokers, 3, 12))
        makers.append(lambda _, at: Fault(at, Kind.BROKER_ROLL, "", CLUSTER_ROLL_S))
    makers.append(lambda dice, at: Fault(at, Kind.KILL_WORKER, dice.choice(DIALERS)))
    makers.append(lambda dice, at: Fault(at, Kind.FREEZE_WORKER, dice.choice(DIALERS), dice.uniform(5, 12)))
    if chance.random() < _ROLLS:
        return (Fault(chance.uniform(_FIRST_FAULT_S, 4.0), Kind.ROLL),)
    if server:
        makers.append(lambda dice, at: Fault(at, Kind.CLICKHOUSE_KILL, "", dice.uniform(3, 12)))
        makers.append(lambda dice, at: Fault(at, Kind.CLICKHOUSE_FREEZE, "", dice.uniform(5, 12)))
    if disk:
        makers.append(lambda dice, at: Fault(at, Kind.DISK_FULL, "", dice.uniform(5, 12)))
    drawn = sorted(
        (
            chance.choice(makers)(chance, chance.uniform(_FIRST_FAULT_S, _LAST_FAULT_S))
            for _ in range(chance.randint(2, 5))
        ),
        key=lambda fault: fault.at_s,
    )
    kept: list[Fault] = []
    for fault in drawn:
        if possible(fault, kept):
            kept.append(fault)
    return tuple(kept)


def _kill_of(names: Sequence[str]) -> Callable[[random.Random, float], Fault]:
    return lambda dice, at: Fault(at, Kind.KILL, dice.choice(names), dice.uniform(0.2, 3))


def _freeze_of(names: Sequence[str]) -> Callable[[random.Random, float], Fault]:
    return lambda dice, at: Fault(
        at, Kind.FREEZE, dice.choice(names), dice.uniform(5, dice.choice((9, 15, 30)))
    )


def _of_broker(
    kind: Kind, brokers: int, least_s: float, most_s: float
) -> Callable[[random.Random, float], Fault]:
    return lambda dice, at: Fault(at, kind, str(dice.randrange(brokers)), dice.uniform(least_s, most_s))


def possible(fault: Fault, before: Sequence[Fault]) -> bool:
    """Tell whether software can keep its promises under this fault beside the earlier ones.

    - A call has to be hung up by a process that runs: its dialer, or, if that died, its worker. If both are
      dead or stopped, or the station hears nothing, the line stays up until the station ends it.
    - Nothing is asked of a cluster without a majority, or of a broker with two faults at once.
    """
    at_once = [each for each in before if _together(fault, each)]
    if fault.kind in _OF_BROKER:
        return not any(each.kind in _OF_BROKER for each in at_once)
    same = [each for each in at_once if each.target == fault.target]
    if fault.kind in _OF_DIALER and any(each.kind in _OF_DIALER for each in same):
        return False
    if fault.kind in {Kind.KILL, Kind.FREEZE} and any(each.kind in {Kind.KILL, Kind.FREEZE} for each in same):
        return False
    if fault.kind in _SILENCES and any(each.kind in _LEAVES_CALLS for each in at_once):
        return False
    if fault.kind in _LEAVES_CALLS and any(each.kind in _SILENCES for each in at_once):
        return False
    return not any(each.kind is fault.kind for each in same)


def _together(one: Fault, other: Fault) -> bool:
    return one.at_s < other.over_s + _HANG_UP_S and other.at_s < one.over_s + _HANG_UP_S


_OF_BROKER = frozenset(
    {
        Kind.BROKER_KILL,
        Kind.BROKER_RESTART,
        Kind.BROKER_FREEZE,
        Kind.BROKER_PARTITION,
        Kind.BROKER_ROLL,
        Kind.DISK_FULL,
    }
)
_OF_DIALER = frozenset({Kind.KILL_WORKER, Kind.FREEZE_WORKER, Kind.KILL, Kind.FREEZE})
_SILENCES = frozenset({Kind.STATION_SILENT})
_LEAVES_CALLS = frozenset({Kind.KILL, Kind.KILL_WORKER, Kind.FREEZE, Kind.FREEZE_WORKER})


def _orders(chance: random.Random) -> tuple[Ordered, ...]:
    orders: list[Ordered] = []
    if chance.random() < 0.3:
        at = chance.uniform(0.5, 8)
        orders += [Ordered(at, Order.PAUSE), Ordered(at + chance.uniform(1, 5), Order.RESUME)]
    if chance.random() < 0.15:
        orders.append(Ordered(chance.uniform(2, 12), Order.STOP))
    return tuple(sorted(orders, key=lambda each: each.at_s))
