"""Five runs whose lists share numbers, while dialers, campaign dialers and the gateway are killed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.chaos.random_runs.exclusions import Excluded
from tests.chaos.random_runs.scenario import CAMPAIGNS, DIALERS, Fault, Kind, Scenario, possible

RUNS = 5
CALLERS = tuple(f"9900{place}" for place in range(RUNS))
"""The caller id of each run: by it the exchange tells whose a call is."""

_FIRST_S, _LAST_S = 0.5, 15.0
_KINDS = ("10", "10", "10", "10", "11", "13", "20", "21", "23")
_LIMITS: tuple[dict[str, object] | None, ...] = (
    None,
    {"minGapS": 2},
    {"limits": [{"maxCalls": 3, "perS": 3600}]},
    {"limits": [{"maxCalls": 4, "perS": 3600}], "minGapS": 1},
)


@dataclass(frozen=True, slots=True)
class SharedScenario(Scenario):
    """Several runs at once; `lists` has the numbers of the people of each, `phones` all of them."""

    lists: tuple[tuple[tuple[str, ...], ...], ...] = ()


def draw_shared(seed: int, *, engine: str | None = None, brokers: int | None = None) -> SharedScenario:
    """Return the scenario of a seed."""
    chance = random.Random(f"{seed} shared")
    pool = [f"{chance.choice(_KINDS)}{no:03}0" for no in range(chance.randint(8, 14))]
    lists = tuple(tuple(_people(chance, pool)) for _ in range(RUNS))
    settings = {
        "attemptCount": chance.choice((1, 2)),
        "attemptDelayS": 0,
        "successCondition": chance.choice(("PICKUP_AND_LISTEN_FULL", "PICKUP_PHONE")),
        "maxAnswerDelayS": 2,
        "maxCallDurationS": 20,
    }
    limits = chance.choice(_LIMITS)
    drawn_engine = chance.choice(("dense", "pjsua2"))
    return SharedScenario(
        seed=seed,
        brokers=brokers or 1,
        clickhouse_server=False,
        engine=engine or drawn_engine,
        channels=chance.randint(4, 10),
        interval_ms=0,
        options_interval_s=0,
        phones=tuple(person for people in lists for person in people),
        settings=settings if limits is None else {**settings, "contactLimits": limits},
        prompt_s=chance.choice((1.0, 1.5, 2.5)),
        faults=_kills(chance),
        orders=(),
        exclusions=tuple(
            Excluded(chance.uniform(0.5, 8.0), number)
            for number in chance.sample(pool, chance.choice((0, 1, 2)))
        ),
        caller_ids=CALLERS,
        lists=lists,
    )


def _people(chance: random.Random, pool: list[str]) -> Iterator[tuple[str, ...]]:
    """Draw the people of one list: most numbers of the pool, each of them of one person."""
    left = chance.sample(pool, len(pool) - chance.randint(0, 2))
    while left:
        count = min(len(left), chance.choice((1, 1, 2)))
        yield tuple(left.pop() for _ in range(count))


def _kills(chance: random.Random) -> tuple[Fault, ...]:
    names = (*DIALERS, *DIALERS, *CAMPAIGNS, "api-gateway")
    drawn = sorted(
        (
            Fault(chance.uniform(_FIRST_S, _LAST_S), Kind.KILL, chance.choice(names), chance.uniform(0.2, 3))
            for _ in range(chance.randint(3, 7))
        ),
        key=lambda fault: fault.at_s,
    )
    kept: list[Fault] = []
    for fault in drawn:
        if possible(fault, kept):
            kept.append(fault)
    return tuple(kept)
