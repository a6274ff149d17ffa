"""The results as a table for people and as JSON for machines."""

import json
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from telephony.ramps import Ramp
from telephony.short_calls import CHANNELS, ShortRamp
from telephony.talking import MOST_DEVIATION_MS, Step

_NOISE_CORES = 0.3
_HEADINGS = ("", "streams", "packets/s", "p99 off 20 ms", "cores/1000", "receiver", "others")
_WIDTHS = (22, 9, 11, 15, 12, 10, 8)


@dataclass(frozen=True, slots=True)
class Results:
    about: dict[str, str]
    talking: list[Ramp]
    """One for each engine."""
    short: list[ShortRamp]
    c_floor: Ramp | None
    python_floor: Ramp
    seconds: float

    @property
    def ramps(self) -> list[Ramp]:
        return [ramp for ramp in (*self.talking, self.python_floor, self.c_floor) if ramp is not None]


def table(results: Results) -> str:
    lines = ["", "Calls on this machine", ""]
    lines += [f"  {name + ':':<18}{value}" for name, value in results.about.items()]
    lines += [
        "",
        f"Talking at once: 50.0 packets/s, nothing missing, p99 below {MOST_DEVIATION_MS:.0f} ms",
        "",
    ]
    lines.append(_row(_HEADINGS))
    for ramp in results.ramps:
        lines.append(_row(_cells(ramp.name, ramp.shown)))
    if results.c_floor is None:
        lines.append("  C floor       NOT MEASURED: there is no C compiler (cc, gcc, clang) on this machine")
    first = results.talking[0]
    lines += ["", f"  beside {first.name}:"]
    lines += [f"    {_ratio(first, ramp)}" for ramp in results.ramps[1:]]
    lines += ["", "  private memory that each call adds:"]
    lines += [f"    {ramp.name}, {ramp.kb_per_stream:.0f} kB" for ramp in results.talking]
    lines += ["", "  limited by:"]
    lines += [f"    {ramp.name}, {_limit(ramp)}" for ramp in results.ramps]
    for short in results.short:
        lines += ["", *_short(short)]
    lines += ["", *_noise(results)]
    lines.append(f"  measured in {results.seconds:.0f} s")
    return "\n".join(lines)


def as_json(results: Results) -> str:
    content: dict[str, Any] = {
        "machine": results.about,
        "seconds": round(results.seconds, 1),
        "talking": {
            ramp.name: {
                "clean_streams": ramp.best.streams if ramp.best else 0,
                "limited_by": ramp.limit,
                "steps": [_step_json(step) for step in ramp.steps],
            }
            for ramp in results.ramps
        },
        "short_calls": {
            ramp.name: {
                "channels": CHANNELS[ramp.name],
                "clean_rate": ramp.best.rate if ramp.best else 0,
                "steps": [
                    asdict(step)
                    | {"clean": step.clean, "faults": step.faults, "cpu_ms_per_call": step.cpu_ms}
                    for step in ramp.steps
                ],
            }
            for ramp in results.short
        },
    }
    return json.dumps(content, indent=1) + "\n"


def _step_json(step: Step) -> dict[str, Any]:
    return {
        "streams": step.streams,
        "clean": step.clean,
        "faults": step.faults,
        "cores_per_1000": step.per_thousand,
        "memory_kb": step.memory_kb,
        "keys": {"pressed": step.pressed, "taken": step.taken},
        "windows": [asdict(window) for window in step.windows],
    }


def _row(cells: tuple[str, ...]) -> str:
    first, *rest = zip(cells, _WIDTHS, strict=True)
    return "  " + f"{first[0]:<{first[1]}}" + "".join(f"{cell:>{width}}" for cell, width in rest)


def _cells(name: str, step: Step | None) -> tuple[str, ...]:
    if step is None:
        return (name, "none", *["-"] * (len(_WIDTHS) - 2))
    return (
        name,
        str(step.streams) if step.clean else f"({step.streams})",
        f"{step.of('rate_mean'):.2f}",
        f"{step.of('deviation_p99_ms'):.2f} ms",
        f"{step.per_thousand:.2f}",
        f"{step.part('receiver'):.2f}",
        f"{step.others:.2f}",
    )


def _ratio(ours: Ramp, floor: Ramp) -> str:
    if ours.shown is None or floor.shown is None:
        return f"{floor.name}: nothing to compare"
    cores = f"our cores per 1000 are {ours.shown.per_thousand / floor.shown.per_thousand:.1f} times its"
    if ours.best is None or floor.best is None:
        return f"{floor.name}: {cores}; the streams cannot be compared, (n) was not clean"
    more = "" if floor.limit else " or more"
    return f"{floor.name}: {floor.best.streams / ours.best.streams:.1f}{more} times our streams; {cores}"


def _limit(ramp: Ramp) -> str:
    if not ramp.limit:
        return f"{ramp.steps[-1].streams} streams: not reached, the ramp ended by its last step or its time"
    if ramp.steps[-1].clean:
        return f"{ramp.steps[-1].streams} streams: {ramp.limit}"
    return f"{ramp.steps[-1].streams} streams ({ramp.steps[-1].faults}): {ramp.limit}"


def _short(ramp: ShortRamp) -> list[str]:
    channels = CHANNELS[ramp.name]
    lines = [f"Short calls, {ramp.name}: set up, 0.2 s of prompt heard whole, BYE; {channels} channels", ""]
    best, last = ramp.best, ramp.steps[-1]
    waits = best.ours if best is not None else {}
    if best is None:
        lines.append("  highest clean rate: none")
    else:
        lines += [
            f"  highest clean rate  {best.rate:.0f}/s",
            f"  CPU of a call       {best.cpu_ms:.1f} ms (supervisor {_cpu_share(best.parts):.0%} of it)",
            f"  answered after      {waits['answered_p50_ms']:.0f} ms, p99 {waits['answered_p99_ms']:.0f} ms",
            f"  receiver            {best.parts['receiver']:.2f} of a core",
        ]
    if last.clean:
        lines.append(f"  limited by          not reached: the ramp ends at {last.rate:.0f}/s")
    else:
        lines += [
            f"  limited by          {last.limited_by}",
            f"                      at {last.rate:.0f}/s: {last.faults}",
        ]
    return lines


def _cpu_share(parts: dict[str, float]) -> float:
    return parts["supervisor"] / parts["senders"] if parts["senders"] else 0.0


def _noise(results: Results) -> list[str]:
    """Return a warning if other processes used the machine during the measurement."""
    others = [step.others for ramp in results.ramps for step in ramp.steps]
    others += [step.load.others for ramp in results.short for step in ramp.steps]
    if max(others, default=0.0) < _NOISE_CORES:
        return []
    most, usual = max(others), median(others)
    return [
        f"  NOISE: other work took {usual:.2f} cores (at most {most:.2f}): the machine can do more than this"
    ]
