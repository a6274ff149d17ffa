"""Generated histories in processes of their own.

They start with the session and run in the background at low priority, because most tests of the whole system
wait for the wall clock. The histories that are left when a test waits for them run at normal priority.

In CI there are 10,000 histories, always the same ones; elsewhere 1,000 new ones in each session.
`CATO_HISTORIES` sets another number, `CATO_HISTORIES_SEED` the seed that repeats a failure.
"""

import multiprocessing
import os
import random
import traceback
from collections import Counter
from collections.abc import Collection
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, given, note, seed, settings

from cato_runtime.process.child_process import die_with_parent
from cato_runtime.process.garbage import tune_gc
from tests.simulation import plans
from tests.simulation.counters import count, unexpected_log_lines
from tests.simulation.world.history import History, SharedNumbers
from tests.simulation.world.shared.approved_runs import ApprovedRuns, WaitingRun
from tests.simulation.world.shared.many_runs import ManyRuns
from tests.simulation.world.world import World
from tests.support.virtual_time import run_virtually

SHARES = {
    "outcomes": (plans.outcomes, 0.18),
    "crashes": (plans.crashes, 0.19),
    "paced": (plans.paced, 0.04),
    "disordered": (plans.disordered, 0.11),
    "controlled": (plans.controlled, 0.16),
    "opted out": (plans.opted_out, 0.03),
    "partitioned": (plans.partitioned, 0.05),
    "excluded": (plans.excluded, 0.05),
    "shared": (plans.shared, 0.02),
    "waiting": (plans.waiting, 0.03),
    "households": (plans.households, 0.03),
    "everything": (plans.everything, 0.11),
}
"""The kinds of histories, and how much of the whole each is."""

LARGEST_SHARD = 250
"""Small enough that a shard in the background does not delay the end of the session."""
BACKGROUND_NICE = 10

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
class ShardResult:
    """The result of a shard; `failure` has the smallest history that breaks a promise, and its events."""

    counted: Counter[str] = field(default_factory=Counter)
    failure: str | None = None


def run_shard(shard: Shard, *, shrinks: bool = True) -> ShardResult:
    """Run a shard in this process."""
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
        counted.update(run_history(history))

    try:
        every_promise_holds()
    except Exception as error:  # noqa: BLE001 - reported by the process that waits for it
        failure = "".join(traceback.format_exception(error))
        again = f"{shard.share}: repeat with CATO_HISTORIES={WANTED} CATO_HISTORIES_SEED={shard.seed}"
        return ShardResult(counted, f"{again}\n{failure}")
    return ShardResult(counted)


def world_of(history: History) -> World:
    """Return the world for a kind of history."""
    if isinstance(history, SharedNumbers):
        return ManyRuns(history)
    return ApprovedRuns(history) if isinstance(history, WaitingRun) else World(history)


def run_history(history: History) -> Counter[str]:
    """Run one history.

    Raises:
        AssertionError: if a promise is broken.

    """
    worlds: list[World] = []

    async def main() -> None:
        world = world_of(history)
        worlds.append(world)
        await world.live()

    with unexpected_log_lines() as unexpected:
        run_virtually(main())
    broken = [*worlds[0].violations, *unexpected]
    if broken:
        for line in (repr(history), *worlds[0].told(), *broken):
            note(line)
    assert not broken, broken[0]
    return count(worlds[0])


class Shards:
    """Runs all shards of these shares in the background, and in the foreground once a test waits for them."""

    def __init__(self, shares: Collection[str]) -> None:
        self.counted: Counter[str] = Counter()
        self._pools = [_pool(in_background=True)]
        self._results = {
            share: [(shard, self._pools[0].submit(run_shard, shard)) for shard in _shards_of(share)]
            for share in shares
        }

    def outcome(self, share: str) -> list[str]:
        """Wait for a share; return its failures."""
        if len(self._pools) == 1:
            self._move_to_foreground()
        results = [future.result() for _, future in self._results[share]]
        for each in results:
            self.counted.update(each.counted)
        return [each.failure for each in results if each.failure is not None]

    def close(self) -> None:
        for pool in self._pools:
            pool.shutdown(cancel_futures=True)

    def _move_to_foreground(self) -> None:
        """Run the shards that have not started at normal priority."""
        pool = _pool(in_background=False)
        self._pools.append(pool)
        for results in self._results.values():
            for index, (shard, future) in enumerate(results):
                if future.cancel():
                    results[index] = shard, pool.submit(run_shard, shard)


def _shards_of(share: str) -> list[Shard]:
    size = round(WANTED * SHARES[share][1])
    count = -(-size // LARGEST_SHARD)
    return [Shard(share, SEED + index, -(-size // count)) for index in range(count)]


def _pool(*, in_background: bool) -> ProcessPoolExecutor:
    # Spawned, not forked: threads of other tests must not be copied.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(
        os.cpu_count(), mp_context=context, initializer=_begin, initargs=(in_background,)
    )


def _begin(in_background: bool) -> None:
    die_with_parent()
    tune_gc()
    if in_background:
        os.nice(BACKGROUND_NICE)
