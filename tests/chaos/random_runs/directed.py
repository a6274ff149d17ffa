"""Runs whose faults follow what has happened, not a clock: for tests of a single fault."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.chaos.random_runs.evidence import Evidence
from tests.chaos.random_runs.processes import fork_server
from tests.chaos.random_runs.run import Carried, collect, started
from tests.chaos.random_runs.scenario import Scenario
from tests.chaos.random_runs.system import System
from tests.chaos.random_runs.truths import violations

_ENDS_WITHIN_S = 120.0


class DirectedRun:
    """A run that the test watches and disturbs."""

    def __init__(self, scenario: Scenario, system: System, carried: Carried) -> None:
        self.scenario = scenario
        self.system = system
        self._carried = carried
        self._watching = asyncio.create_task(carried.watch())

    async def until(self, true: Callable[[], bool], within_s: float = 40.0) -> None:
        """Wait for something at the exchange, which tells of each change."""
        await self.system.exchange.wait_until(true, within_s)

    async def over(self) -> Evidence:
        """Wait for the end of the run; everything must be true of it."""
        async with asyncio.timeout(_ENDS_WITHIN_S):
            await self._watching
        evidence = await collect(self.scenario, self.system, self._carried)
        assert violations(evidence) == []
        return evidence

    def cancel(self) -> None:
        self._watching.cancel()


@asynccontextmanager
async def directed(scenario: Scenario, directory: Path) -> AsyncIterator[DirectedRun]:
    forks = fork_server()
    try:
        async with started(scenario, directory, forks) as (system, carried):
            run = DirectedRun(scenario, system, carried)
            try:
                yield run
            finally:
                run.cancel()
    finally:
        await forks.aclose()


def now_ms() -> float:
    return time.time() * 1000
