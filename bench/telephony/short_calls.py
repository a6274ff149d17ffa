"""The highest rate of short calls: set up, 0.2 s of prompt, BYE."""

from dataclasses import dataclass, field
from typing import Any

from telephony.cpu import Load, descendants, load_between, snapshot
from telephony.prompt import write_prompt
from telephony.ramps import Bench

RATES = {
    "pjsua2": (10, 20, 40, 60, 80, 100, 130, 160, 200, 250, 300),
    "dense": (100, 200, 300, 400, 500, 600, 700, 800, 900, 1_000),
}
CHANNELS = {"pjsua2": 96, "dense": 1_000}
_SECONDS = 3.0
_PROMPT_S = 0.2
_TIMEOUT_S = 60.0
_LATEST_START_MS = 250.0
_FULL = 0.9


@dataclass(frozen=True, slots=True)
class ShortStep:
    """`ours` are the caller's results, `theirs` the receiver's; `parts` are cores."""

    rate: float
    ours: dict[str, Any]
    theirs: dict[str, Any]
    load: Load
    parts: dict[str, float]

    @property
    def clean(self) -> bool:
        return not self.faults

    @property
    def faults(self) -> str:
        placed, found = self.ours["placed"], []
        if self.ours["failures"]:
            found += [f"{count} x {why}" for why, count in sorted(self.ours["failures"].items())]
        if self.theirs["heard_whole"] != placed:
            found.append(f"{placed - self.theirs['heard_whole']} of {placed} not heard whole")
        if self.theirs["repeated"]:
            found.append(f"{self.theirs['repeated']} requests repeated")
        if self.ours["latest_start_ms"] > _LATEST_START_MS:
            found.append(f"calls started up to {self.ours['latest_start_ms']:.0f} ms late")
        return "; ".join(found)

    @property
    def cpu_ms(self) -> float:
        """Processor time of our processes for one call."""
        seconds = float(self.ours["seconds"])
        return self.parts["senders"] / int(self.ours["placed"]) * seconds * 1_000

    @property
    def limited_by(self) -> str:
        parts, load = self.parts, self.load
        if parts["receiver"] >= _FULL:
            found = "the receiver, a full core"
        elif parts["supervisor"] >= _FULL:
            found = f"the supervisor, {parts['supervisor']:.0%} of a core"
        elif load.machine / load.cores >= _FULL:
            found = f"the machine, {load.machine / load.cores:.0%} busy"
        elif any("no free" in why for why in self.ours["failures"]):
            found = "the channels"
        else:
            found = f"late wake-ups: something waited for a core {load.waiting:.0%} of the time"
        return (
            f"{found} (supervisor {parts['supervisor']:.2f}, workers {parts['workers']:.2f}, receiver "
            f"{parts['receiver']:.2f}, others {load.others:.2f} of {load.cores} cores)"
        )


@dataclass(slots=True)
class ShortRamp:
    name: str
    steps: list[ShortStep] = field(default_factory=list)

    @property
    def best(self) -> ShortStep | None:
        return next((step for step in reversed(self.steps) if step.clean), None)


async def ramp_short_calls(bench: Bench, calls_per_worker: int, engine: str) -> ShortRamp:
    ramp, channels = ShortRamp(engine), CHANNELS[engine]
    audio = write_prompt(bench.directory / "short.wav", _PROMPT_S)
    await bench.receiver.ask({"do": "open", "streams": 4 * channels})
    await bench.receiver.ask({"do": "expect", "frames": round(_PROMPT_S * 50)})
    async with await bench.caller(calls_per_worker, engine) as caller:
        await caller.ask({"do": "open", "channels": channels})
        for rate in RATES[engine]:
            request = {"do": "short", "rate": rate, "seconds": _SECONDS, "audio": str(audio)}
            step = await _step(bench, caller.pid, rate, request, caller.ask)
            if not step.clean:
                # Repeat the step before the verdict: another process may have interfered.
                step = await _step(bench, caller.pid, rate, request, caller.ask)
            ramp.steps.append(step)
            bench.tell(
                f"  {engine}, short calls: {rate}/s, {step.cpu_ms:.1f} ms of CPU a call, answered after "
                f"{step.ours['answered_p50_ms']:.0f} ms, p99 {step.ours['answered_p99_ms']:.0f} ms"
                + ("" if step.clean else f": {step.faults}")
            )
            if not step.clean:
                break
    await bench.receiver.ask({"do": "expect", "frames": 0})
    return ramp


async def _step(bench: Bench, supervisor: int, rate: float, request: dict[str, Any], ask: Any) -> ShortStep:
    workers = descendants(supervisor)
    pids = {supervisor, *workers, bench.receiver.pid, bench.leader}
    await bench.receiver.ask({"do": "calls"})
    before = snapshot(pids)
    ours = await ask(request, timeout=_TIMEOUT_S)
    load = load_between(before, snapshot(pids))
    theirs = await bench.receiver.ask({"do": "calls"})
    parts = {
        "supervisor": load.of([supervisor]),
        "workers": load.of(workers),
        "senders": load.of({supervisor, *workers}),
        "receiver": load.of([bench.receiver.pid]),
    }
    return ShortStep(rate, ours, theirs, load, parts)
