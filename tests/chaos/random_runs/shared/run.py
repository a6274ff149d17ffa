"""Carry out several runs at once on one system, and collect the evidence of each."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cato_client import AsyncClient, operations
from cato_client.models import NewTask, Person, Settings
from cato_runtime.process.tasks import end_tasks
from cato_stack.forked_process import ForkServerProcess
from tests.chaos.random_runs.evidence import Evidence, FailedTry
from tests.chaos.random_runs.exclusions import add_list
from tests.chaos.random_runs.run import Carried, client_of, collect
from tests.chaos.random_runs.scenario import Fault
from tests.chaos.random_runs.shared.scenario import CALLERS, SharedScenario
from tests.chaos.random_runs.system import System
from tests.support.tones import tone


async def carry_out_shared(
    scenario: SharedScenario, directory: Path, forks: ForkServerProcess
) -> tuple[Evidence, list[Evidence]]:
    """Return the evidence of all runs together, with all calls, and of each run with its own calls."""
    began = time.monotonic()
    failed: list[FailedTry] = []
    async with System(scenario, directory, forks) as system, client_of(system, failed) as client:
        runs = await _start(scenario, client, failed)
        ready = time.monotonic()
        await _break_and_wait(scenario, system, runs)
        found: list[Evidence] = []
        for place, carried in enumerate(runs):
            own = replace(scenario, phones=scenario.lists[place])
            evidence = await collect(own, system, carried)
            found.append(replace(evidence, start_s=ready - began))
    together = replace(found[0], scenario=scenario)
    return together, [_own(evidence, caller) for evidence, caller in zip(found, CALLERS, strict=True)]


def _own(evidence: Evidence, caller: str) -> Evidence:
    return replace(evidence, far_calls=tuple(call for call in evidence.far_calls if call.caller == caller))


async def _start(scenario: SharedScenario, client: AsyncClient, failed: list[FailedTry]) -> list[Carried]:
    audio = await client.do(operations.add_audio_file("tone", tone(scenario.prompt_s)))
    prompt = await client.do(operations.get_audio_content(audio.id, alaw=True))
    settings = await client.do(
        operations.add_notification_settings(Settings.model_validate({"name": "runs", **scenario.settings}))
    )
    excluded = await add_list(client) if scenario.exclusions else None
    tasks = []
    for place, people in enumerate(scenario.lists):
        group = await client.do(
            operations.add_subscriber_group(
                f"people {place}",
                [Person(full_name=f"P{no}", phones=list(phones)) for no, phones in enumerate(people)],
            )
        )
        wanted = NewTask(
            name=f"task {place}",
            settings=settings.id,
            files=[audio.id],
            groups=[group.id],
            caller_id=CALLERS[place],
        )
        tasks.append((await client.do(operations.add_task(wanted))).id)
    started = await asyncio.gather(*(client.do(operations.start_task(task)) for task in tasks))
    runs = []
    excluded_ms: dict[str, float] = {}
    for task_id, start in zip(tasks, started, strict=True):
        assert start.task_exec_id is not None
        carried = Carried(task_id, start.task_exec_id, client, prompt, failed, exclusion_list=excluded)
        carried.excluded_ms = excluded_ms
        runs.append(carried)
    return runs


async def _break_and_wait(scenario: SharedScenario, system: System, runs: Sequence[Carried]) -> None:
    """Apply the faults; return when all of them are past and all runs are over."""
    began = time.monotonic()

    async def break_at(fault: Fault) -> None:
        await asyncio.sleep(max(0.0, began + fault.at_s - time.monotonic()))
        await system.apply(fault)

    working = [asyncio.create_task(break_at(fault)) for fault in scenario.faults]
    working.append(asyncio.create_task(runs[0].exclude(scenario, began)))
    working += [asyncio.create_task(run.watch()) for run in runs]
    last_s = max((fault.over_s for fault in scenario.faults), default=0.0)
    try:
        async with asyncio.timeout(last_s + scenario.longest_s):
            await asyncio.gather(*working)
    except TimeoutError:
        late = [place for place, run in enumerate(runs) if not run.over.is_set()]
        runs[0].wrong_reports.append(
            f"the runs {late} have not ended {scenario.longest_s:.0f} s after the last fault"
        )
    finally:
        await end_tasks(*working)
