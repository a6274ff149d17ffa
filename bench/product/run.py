"""One run of the whole product against the receiver: from the upload of the list to the exact report."""

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telephony.child import Child
from telephony.cpu import Snapshot, load_between
from telephony.prompt import FRAME, write_prompt

from product.processes import Processes
from tests.support.live_system import Client, LiveStack

_POLL_S = 0.5
_PATIENCE_S = 600.0
_FULL = 0.9


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    subscribers: int
    channels: int
    prompt_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """`steady` are the samples from a quarter to three quarters of the calls; times are in seconds."""

    scenario: Scenario
    seconds: float
    steady_rate: float
    cores: dict[str, float]
    cpu_ms_per_call: dict[str, float]
    peak_calls: int
    limit: str
    others: float
    faults: list[str]

    @property
    def rate(self) -> float:
        """Calls per second from the start of the run to its end."""
        return self.scenario.subscribers / self.seconds


@dataclass(frozen=True, slots=True)
class _Sample:
    snapshot: Snapshot
    ended: int
    in_progress: int


def run(directory: Path, scenario: Scenario, receiver_log: Path) -> Outcome:
    return asyncio.run(_run(directory, scenario, receiver_log))


async def _run(directory: Path, scenario: Scenario, receiver_log: Path) -> Outcome:
    async with await Child.start_module("telephony.processes.receiver", log=receiver_log) as receiver:
        port = (await receiver.ask({"do": "start"}))["port"]
        await receiver.ask({"do": "open", "streams": scenario.channels + scenario.channels // 4})
        with _started(directory, scenario, port) as stack:
            assert stack.process is not None
            processes = Processes.of(stack.process.pid, stack.directory / "data", exchange=receiver.pid)
            client = stack.client()
            task, audio = await asyncio.to_thread(_prepare, client, directory, scenario)
            await receiver.ask({"do": "expect", "marks": audio[::FRAME].hex()})
            await receiver.ask({"do": "calls"})
            samples, run_id = await asyncio.to_thread(_follow, client, task, processes)
            document = await asyncio.to_thread(client.call, "GET", f"/task-execs/{run_id}")
        heard = await receiver.ask({"do": "calls"})
    return _outcome(scenario, samples, processes, _faults(scenario, document, heard))


@contextmanager
def _started(directory: Path, scenario: Scenario, port: int) -> Iterator[LiveStack]:
    config = {"license": {"maxChannels": scenario.channels}}
    stack = LiveStack(directory, port, channels=scenario.channels, config=config, engine="dense")
    stack.start()
    try:
        yield stack
    finally:
        stack.stop()


def _prepare(client: Client, directory: Path, scenario: Scenario) -> tuple[str, bytes]:
    """Return the id of a task, and the A-law audio that it plays."""
    prompt = client.add_prompt(
        "prompt", write_prompt(directory / "prompt.wav", scenario.prompt_s).read_bytes()
    )
    people = [
        {"fullName": f"Абонент {no:06}", "phones": [f"7343{no:07}"]} for no in range(scenario.subscribers)
    ]
    audio = client.http.get(f"/audio-files/{prompt['id']}/content", params={"format": "alaw"}).content
    return client.make_task(people, files=[prompt["id"]]), audio


def _follow(client: Client, task: str, processes: Processes) -> tuple[list[_Sample], str]:
    """Start the task; return samples until its report says that it has ended, and the id of the run."""
    samples = [_Sample(processes.snapshot([os.getpid()]), 0, 0)]
    run_id = client.start(task)
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        report = client.report(run_id)
        ended = report["callsSucceeded"] + report["callsFailed"]
        samples.append(_Sample(processes.snapshot([os.getpid()]), ended, report["callsInProgress"]))
        if not report["activePhase"]:
            return samples, run_id
        assert time.monotonic() < deadline, f"the run has not ended after {_PATIENCE_S} s: {report}"
        time.sleep(_POLL_S)


def _faults(scenario: Scenario, document: dict[str, Any], heard: dict[str, Any]) -> list[str]:
    """Return what differs between the report, the list and the far end."""
    count = scenario.subscribers
    report = document["report"]
    wanted = {
        "subscriberCount": count,
        "subscriberNotified": count,
        "subscriberFailed": 0,
        "callsTotal": count,
        "callsSucceeded": count,
        "callsInProgress": 0,
    }
    found = [f"{key} is {report[key]}, not {value}" for key, value in wanted.items() if report[key] != value]
    calls = Counter(
        len(phone["calls"]) for subscriber in document["subscribers"] for phone in subscriber["phones"]
    )
    ended = Counter(
        str(call.get("reason"))
        for subscriber in document["subscribers"]
        for phone in subscriber["phones"]
        for call in phone["calls"]
        if not call["success"]
    )
    if ended:
        found.append(f"calls that failed, by reason: {dict(ended)}")
    if calls != {1: count}:
        found.append(f"calls per subscriber in the report: {dict(calls)}")
    far_end = {"invites": count, "ended": count, "heard_whole": count, "refused": 0, "repeated": 0}
    far_end |= {"numbers": count, "most_of_a_number": 1}
    found += [
        f"{key} at the far end is {heard[key]}, not {value}"
        for key, value in far_end.items()
        if heard[key] != value
    ]
    return found


def _outcome(scenario: Scenario, samples: list[_Sample], processes: Processes, faults: list[str]) -> Outcome:
    first, last = samples[0], samples[-1]
    count = scenario.subscribers
    begin = next(sample for sample in samples if sample.ended >= count // 4)
    end = next(sample for sample in samples if sample.ended >= count * 3 // 4)
    load = load_between(begin.snapshot, end.snapshot) if end is not begin else None
    used = processes.seconds(first.snapshot, last.snapshot)
    seconds = last.snapshot.at - first.snapshot.at
    peak = max(sample.in_progress for sample in samples)
    return Outcome(
        scenario=scenario,
        seconds=seconds,
        steady_rate=(end.ended - begin.ended) / max(end.snapshot.at - begin.snapshot.at, 0.001),
        cores={name: each / seconds for name, each in used.items()},
        cpu_ms_per_call={name: each / count * 1000 for name, each in used.items()},
        peak_calls=peak,
        limit=_limit(scenario, processes, begin, end, peak),
        others=load.others if load is not None else 0.0,
        faults=faults,
    )


def _limit(scenario: Scenario, processes: Processes, begin: _Sample, end: _Sample, peak: int) -> str:
    if begin is end:
        return "too short to tell"
    load = load_between(begin.snapshot, end.snapshot)
    name, cores = processes.hottest(begin.snapshot, end.snapshot)
    busy = f"the machine {load.machine / load.cores:.0%} busy, other programs {load.others:.2f} cores"
    if peak >= scenario.channels * _FULL:
        return f"the channels ({busy}; the busiest process is {name}, {cores:.2f} cores)"
    if cores >= _FULL:
        return f"one process: {name}, {cores:.2f} cores ({busy})"
    if load.machine / load.cores >= _FULL:
        return f"the machine ({busy}; the busiest process is {name}, {cores:.2f} cores)"
    return f"waiting ({busy}; the busiest process is {name}, {cores:.2f} cores)"


def as_dict(outcome: Outcome) -> dict[str, Any]:
    fields = {key: getattr(outcome, key) for key in outcome.__slots__ if key != "scenario"}
    scenario = {key: getattr(outcome.scenario, key) for key in outcome.scenario.__slots__}
    return json.loads(json.dumps({"scenario": scenario, "rate": outcome.rate, **fields}))
