"""The ramps: each raises the load in steps until the audio has faults, or until the last step."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from telephony.child import Child
from telephony.cpu import descendants
from telephony.limits import limited_by
from telephony.prompt import write_prompt
from telephony.talking import Step, measure

CALLS = {
    "pjsua2": (25, 50, 100, 150, 200, 300, 400, 500, 600, 800, 1_000),
    "dense": (500, 1_000, 1_500, 2_000, 2_500, 3_000),
}
FAR_END_CALLS = (500, 1_000, 1_500, 2_000, 2_500)
C_STREAMS = (500, 1_000, 2_000, 3_000, 4_000)
PYTHON_STREAMS = (500, 1_000, 1_500, 2_000, 3_000)

_SETTLE_S = 0.7
_PROMPT_S = 600.0
"Longer than the whole ramp: the calls talk until the end."
_START_S = 40.0
_FIRST_START_S = 90.0
_RAMP_S = 130.0
"No step begins later than this: starting the workers of many calls takes long on a busy machine."

Tell = Callable[[str], None]


@dataclass(slots=True)
class Ramp:
    """The steps of one ramp, the last of them with faults unless the ramp ended first."""

    name: str
    steps: list[Step] = field(default_factory=list)
    limit: str = ""

    @property
    def best(self) -> Step | None:
        return next((step for step in reversed(self.steps) if step.clean), None)

    @property
    def kb_per_stream(self) -> float:
        """Private memory that each stream adds, from the first step to the last."""
        first, last = self.steps[0], self.steps[-1]
        more = last.streams - first.streams
        return (last.memory_kb - first.memory_kb) / more if more else 0.0

    @property
    def shown(self) -> Step | None:
        """The best clean step, or else the one with the steadiest packets."""
        return self.best or min(self.steps, key=lambda step: step.of("deviation_p99_ms"), default=None)


@dataclass(frozen=True, slots=True)
class Bench:
    """The environment of a ramp: the receiver, its SIP port, a directory for files, a progress callback."""

    receiver: Child
    sip_port: int
    leader: int
    directory: Path
    tell: Tell

    @classmethod
    async def open(cls, stack: AsyncExitStack, directory: Path, leader: int, tell: Tell) -> Self:
        receiver = await stack.enter_async_context(
            await Child.start_module("telephony.processes.receiver", log=directory / "receiver.log")
        )
        port = (await receiver.ask({"do": "start"}))["port"]
        return cls(receiver, port, leader, directory, tell)

    async def caller(self, calls_per_worker: int, engine: str) -> Child:
        log = self.directory / "caller.log"
        return await Child.start_module(
            "telephony.processes.caller", str(self.sip_port), str(calls_per_worker), engine, log=log
        )

    async def judge(self, ramp: Ramp, step: Step, lags: dict[str, float] | None = None) -> bool:
        """Add the step; return whether to go on.

        A step that failed while other processes used the machine is inconclusive: the next one decides.
        """
        broken_before = bool(ramp.steps) and not ramp.steps[-1].clean
        ramp.steps.append(step)
        self.tell(
            f"  {ramp.name}: {step.streams} streams, {step.of('rate_mean'):.1f} packets/s, "
            f"p99 {step.of('deviation_p99_ms'):.2f} ms, {step.per_thousand:.2f} cores per 1000"
            + ("" if step.clean else f": {step.faults}")
        )
        ramp.limit = "" if step.clean else limited_by(step, lags=lags)
        return step.clean or (step.noisy and not broken_before)


async def ramp_far_end(bench: Bench, calls_per_worker: int) -> Ramp | None:
    """Ramp up calls of the dense engine whose far ends talk and press keys; None without a C compiler."""
    program = await _compiled(bench, "far_end")
    return None if program is None else await ramp_calls(bench, calls_per_worker, "dense", far_end=program)


async def ramp_calls(bench: Bench, calls_per_worker: int, engine: str, *, far_end: str | None = None) -> Ramp:
    """Ramp up the number of talking calls through one of our engines."""
    ramp = Ramp(f"{engine}, far end talks" if far_end else engine)
    audio = write_prompt(bench.directory / "long.wav", _PROMPT_S)
    talking = 0
    began = time.monotonic()
    async with await bench.caller(calls_per_worker, engine) as caller:
        for calls in FAR_END_CALLS if far_end else CALLS[engine]:
            if time.monotonic() - began > _RAMP_S:
                break
            await bench.receiver.ask({"do": "open", "streams": calls})
            added = {"do": "add", "calls": calls - talking, "audio": str(audio)}
            try:
                await caller.ask(added, timeout=_START_S if ramp.steps else _FIRST_START_S)
            except TimeoutError:
                ramp.limit = f"the workers for {calls} calls were not up after {_START_S:.0f} s"
                bench.tell(f"  {ramp.name}: {ramp.limit}")
                break
            talking = calls
            known = [bench.leader]
            if far_end:
                known.append((await bench.receiver.ask({"do": "talk", "program": far_end}))["pid"])
            groups = {"supervisor": [caller.pid], "workers": descendants(caller.pid)}
            step, state = await _measure_calls(bench, caller, calls, groups, known)
            if not step.clean:
                # Repeat the step before the verdict: another process may have interfered.
                step, state = await _measure_calls(bench, caller, calls, groups, known)
            lags = {
                "workers' loops late by": state["loop_lag_ms"],
                "playback behind by": state["media_lag_ms"],
            }
            if state["ended"]:
                bench.tell(f"  {len(state['ended'])} calls ended, the first with: {state['ended'][0]}")
            if not await bench.judge(ramp, step, lags):
                break
        await bench.receiver.ask({"do": "hush"})
    return ramp


async def _measure_calls(
    bench: Bench, caller: Child, calls: int, groups: dict[str, Any], known: Sequence[int]
) -> tuple[Step, dict[str, Any]]:
    await asyncio.sleep(_SETTLE_S)
    await bench.receiver.ask({"do": "keys"})
    before = await caller.ask({"do": "state"})
    step = await measure(bench.receiver, calls, groups, known)
    pressed = (await bench.receiver.ask({"do": "keys"})).get("keys", 0)
    state = await caller.ask({"do": "state"})
    return replace(step, pressed=pressed, taken=state["keys"] - before["keys"]), state


async def ramp_floor(bench: Bench, name: str, steps: Sequence[int], start: Callable[[], Any]) -> Ramp:
    """Ramp up the number of streams of a baseline sender."""
    ramp = Ramp(name)
    for streams in steps:
        ports = (await bench.receiver.ask({"do": "open", "streams": streams}))["ports"]
        async with await start() as sender:
            await sender.ask({"ports": ports})
            await asyncio.sleep(_SETTLE_S)
            step = await measure(bench.receiver, streams, {"sender": [sender.pid]}, [bench.leader])
            if not step.clean:
                step = await measure(bench.receiver, streams, {"sender": [sender.pid]}, [bench.leader])
            lags = {"sender late by": (await sender.ask({}))["late_ms"]}
            if not await bench.judge(ramp, step, lags):
                break
    return ramp


async def ramp_python_floor(bench: Bench) -> Ramp:
    async def start() -> Child:
        return await Child.start_module("telephony.processes.floor_sender", log=bench.directory / "floor.log")

    return await ramp_floor(bench, "Python floor", PYTHON_STREAMS, start)


async def ramp_c_floor(bench: Bench) -> Ramp | None:
    """Return None if there is no C compiler."""
    program = await _compiled(bench, "floor_sender")
    if program is None:
        return None

    async def start() -> Child:
        return await Child.start(program, log=bench.directory / "floor.log")

    return await ramp_floor(bench, "C floor", C_STREAMS, start)


async def _compiled(bench: Bench, name: str) -> str | None:
    """Compile a program of this directory; return its path, or None if there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    source, program = Path(__file__).with_name(f"{name}.c"), bench.directory / name
    await asyncio.to_thread(
        subprocess.run,
        [compiler, "-O2", "-pthread", "-o", str(program), str(source)],
        check=True,
        timeout=60,
    )
    return str(program)
