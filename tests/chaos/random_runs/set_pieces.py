"""Scenarios that are written down, not drawn: one kind of fault, many times or in a certain order."""

import random
from dataclasses import replace

from tests.chaos.random_runs.exclusions import Excluded
from tests.chaos.random_runs.scenario import BUSY, CLUSTER_ROLL_S, DIALERS, LEADER, Fault, Kind, Scenario


def listeners(
    people: int, *, dialers: tuple[str, ...], channels: int, prompt_s: float, faults: tuple[Fault, ...]
) -> Scenario:
    """Return a run in which everybody listens to the end, with these faults."""
    return Scenario(
        seed=0,
        brokers=1,
        clickhouse_server=False,
        engine="dense",
        channels=channels,
        interval_ms=0,
        options_interval_s=0,
        phones=tuple((f"10{no:04}",) for no in range(people)),
        settings={
            "attemptCount": 1,
            "successCondition": "PICKUP_AND_LISTEN_FULL",
            "maxCallDurationS": 60,
        },
        prompt_s=prompt_s,
        faults=faults,
        orders=(),
        dialers=dialers,
    )


def partitions(count: int, seed: int) -> Scenario:
    """Return a run with that many partitions of 5 to 40 s, each of a dialer with an answered call.

    There are eight dialers, so that others have calls while some are cut off.
    """
    chance = random.Random(seed)
    next_s = [chance.uniform(4, 10) for _ in range(4)]
    cuts: list[Fault] = []
    for _ in range(count):
        place = next_s.index(min(next_s))
        cut = Fault(next_s[place], Kind.CUT_OFF, BUSY, chance.uniform(5, 40))
        cuts.append(cut)
        next_s[place] = cut.over_s + chance.uniform(1, 4)
    dialers = tuple(f"dial-{number}" for number in range(8))
    run = listeners(15 * count, dialers=dialers, channels=40, prompt_s=10, faults=tuple(cuts))
    return replace(run, seed=seed, harmless=True)


def rolling(people: int, seed: int, brokers: int) -> Scenario:
    """Return a run of that many people in which everything is restarted in turn."""
    run = listeners(people, dialers=DIALERS, channels=20, prompt_s=2, faults=(Fault(3.0, Kind.ROLL),))
    return replace(run, seed=seed, brokers=brokers, harmless=True)


def cluster(seed: int) -> Scenario:
    """Return a run on three brokers: the leader is killed, one is partitioned, all are restarted in turn."""
    faults = (
        Fault(1.0, Kind.BROKER_KILL, LEADER, 1.0),
        Fault(5.0, Kind.BROKER_PARTITION, LEADER, 6.0),
        Fault(13.0, Kind.BROKER_ROLL, "", CLUSTER_ROLL_S),
    )
    run = listeners(40, dialers=DIALERS, channels=5, prompt_s=2, faults=faults)
    return replace(run, seed=seed, brokers=3)


def excluding(seed: int) -> Scenario:
    """Return a run of which the last half of the people are excluded in turn, while dialers are killed."""
    chance = random.Random(seed)
    kills = (
        Fault(at + chance.uniform(0, 1.5), Kind.KILL, name, chance.uniform(0.2, 1.0))
        for at, name in ((0.5, "dial-0"), (2.5, "dial-1"))
    )
    run = listeners(24, dialers=DIALERS[:2], channels=6, prompt_s=1, faults=tuple(kills))
    numbers = [number for (number,) in run.phones[len(run.phones) // 2 :]]
    chance.shuffle(numbers)
    exclusions = tuple(Excluded(0.3 * place, number) for place, number in enumerate(numbers))
    return replace(run, seed=seed, exclusions=exclusions)
