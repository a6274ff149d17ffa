"""Generated histories by the thousand, on all processors: a process for each shard lives through its part.

In CI there are 10,000, always the same ones; elsewhere 1,000, new ones every time. `CATO_HISTORIES` is
another number, `CATO_HISTORIES_SEED` the seed of a failure that is to be seen again.
"""

import multiprocessing
import os
import random
import traceback
from collections import Counter
from collections.abc import Collection
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, given, note, seed, settings

from tests.simulation import plans
from tests.simulation.counters import tally_of, unexpected_log_lines
from tests.simulation.world.world import History, World
from tests.support.virtual_time import run_virtually

SHARES = {
    "outcomes": (plans.outcomes, 0.26),
    "crashes": (plans.crashes, 0.31),
    "disordered": (plans.disordered, 0.11),
    "controlled": (plans.controlled, 0.21),
    "everything": (plans.everything, 0.11),
}
"""The kinds of histories, and how much of the whole each is."""

IN_CI = os.environ.get("CI") == "true"
WANTED = int(os.environ.get("CATO_HISTORIES", "10000" if IN_CI else "1000"))
SEED = int(
    os.environ.get("CATO_HISTORIES_SEED", "1" if IN_CI else str(random.SystemRandom().randrange(10**9)))
)


@dataclass(frozen=True)
class Shard:
    """A part of a share."""

    share: str
    seed: int
    size: int


@dataclass(frozen=True)
class Lived:
    """What came of a shard; `failure` is the smallest history that breaks a promise, and how it went."""

    counted: Counter[str] = field(default_factory=Counter)
    failure: str | None = None


def live(shard: Shard, *, shrinks: bool = True) -> Lived:
    """Live through a shard, in this process."""
    counted: Counter[str] = Counter()

    @seed(shard.seed)
    @settings(
        max_examples=shard.size,
        derandomize=False,
        database=None,
        deadline=None,
        print_blob=False,
        phases=(Phase.generate, Phase.shrink) if shrinks else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(history=SHARES[shard.share][0])
    def every_promise_holds(history: History) -> None:
        counted.update(live_through(history))

    try:
        every_promise_holds()
    except Exception as error:  # noqa: BLE001 - told to the process that waits for it
        failure = "".join(traceback.format_exception(error))
        again = f"{shard.share}: again with CATO_HISTORIES={WANTED} CATO_HISTORIES_SEED={shard.seed}"
        return Lived(counted, f"{again}\n{failure}")
    return Lived(counted)


def live_through(history: History) -> Counter[str]:
    """Live through one history.

    Raises:
        AssertionError: if a promise is broken.

    """
    worlds: list[World] = []

    async def main() -> None:
        world = World(history)
        worlds.append(world)
        await world.live()

    with unexpected_log_lines() as unexpected:
        run_virtually(main())
    broken = [*worlds[0].violations, *unexpected]
    if broken:
        for line in (repr(history), *worlds[0].told(), *broken):
            note(line)
    assert not broken, broken[0]
    return tally_of(worlds[0])


class Shards:
    """All shards of these shares, being lived through from now on."""

    def __init__(self, shares: Collection[str]) -> None:
        processes = os.cpu_count() or 1
        # A fresh process each: what other tests have started here, threads above all, stays out of them.
        self._pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))
        self._lived: dict[str, list[Future[Lived]]] = {}
        for share, (_, part) in SHARES.items():
            if share in shares:
                size = -(-WANTED * part // processes)
                shards = [Shard(share, SEED + place, round(size)) for place in range(processes)]
                self._lived[share] = [self._pool.submit(live, shard) for shard in shards]
        self.counted: Counter[str] = Counter()

    def outcome(self, share: str) -> list[str]:
        """Wait for a share; returns its failures."""
        lived = [future.result() for future in self._lived[share]]
        for each in lived:
            self.counted.update(each.counted)
        return [each.failure for each in lived if each.failure is not None]

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
