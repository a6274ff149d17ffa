"""One step of a ramp: a number of streams, measured in a few short windows."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

from telephony.child import Child
from telephony.cpu import Load, load_between, snapshot
from telephony.memory import private_kb

WINDOW_S = 1.5
_WINDOWS = 3
_AT_MOST = 5
_QUIET_CORES = 0.3
"A window in which other processes used more than this is measured again, if time allows."
_TELL_S = 20.0

MOST_DEVIATION_MS = 5.0
_SLOWEST = 49.5
"Packets a second; the two ends of a window may move by some ms."


@dataclass(frozen=True, slots=True)
class Window:
    """The packets received and processor time used. `parts`: cores of each group of processes, by name."""

    reception: dict[str, Any]
    load: Load
    parts: dict[str, float]

    def faults(self, streams: int) -> list[str]:
        """Return the faults of the audio, if any."""
        seen = self.reception
        found = []
        if seen["streams"] != streams:
            found.append(f"{streams - seen['streams']} streams silent")
        if seen["missing"] or seen["wrong"]:
            found.append(f"{seen['missing']} packets missing, {seen['wrong']} wrong")
        if round(seen["rate_mean"], 1) != 50.0 or seen["rate_slowest"] < _SLOWEST:
            found.append(f"{seen['rate_mean']:.1f} packets/s, slowest stream {seen['rate_slowest']:.1f}")
        if seen["deviation_p99_ms"] >= MOST_DEVIATION_MS:
            found.append(f"p99 {seen['deviation_p99_ms']:.1f} ms")
        return found


@dataclass(frozen=True, slots=True)
class Step:
    streams: int
    windows: list[Window]
    memory_kb: int = 0
    "Private memory of the measured processes."
    pressed: int = 0
    "Keys of the far end, of which the engine reported `taken`."
    taken: int = 0

    @property
    def keys_lost(self) -> int:
        """The two counts are up to half a second apart, in which a tenth of the far ends presses a key."""
        return max(0, self.pressed - self.taken - self.streams // 10)

    @property
    def clean(self) -> bool:
        return not self.keys_lost and sum(
            not window.faults(self.streams) for window in self.windows
        ) * 2 > len(self.windows)

    @property
    def noisy(self) -> bool:
        """Whether other processes used so much that the figures are not meaningful."""
        return self.others >= _QUIET_CORES

    @property
    def faults(self) -> str:
        """Of the worst window."""
        worst: list[str] = max((window.faults(self.streams) for window in self.windows), key=len)
        if self.keys_lost:
            worst = [*worst, f"{self.taken} of {self.pressed} keys taken"]
        return "; ".join(worst)

    def of(self, key: str) -> float:
        """Return the median of the windows."""
        return median(float(window.reception[key]) for window in self.windows)

    def part(self, name: str) -> float:
        return median(window.parts.get(name, 0.0) for window in self.windows)

    @property
    def senders(self) -> float:
        """Cores used by the measured processes, without the receiver and other processes."""
        return median(window.parts["senders"] for window in self.windows)

    @property
    def others(self) -> float:
        return median(window.load.others for window in self.windows)

    @property
    def machine(self) -> float:
        return median(window.load.machine for window in self.windows)

    @property
    def waiting(self) -> float:
        return median(window.load.waiting for window in self.windows)

    @property
    def dropped(self) -> int:
        return sum(window.load.dropped for window in self.windows)

    @property
    def per_thousand(self) -> float:
        return self.senders / self.streams * 1_000


async def measure(
    receiver: Child, streams: int, groups: dict[str, Iterable[int]], known: Iterable[int]
) -> Step:
    """Measure the streams that are being sent now.

    `groups`: the sending processes by name; `known`: processes that are neither senders nor other work.
    """
    senders = [pid for pids in groups.values() for pid in pids]
    pids = {*senders, receiver.pid, *known}
    await receiver.ask({"do": "listen"})
    times: list[tuple[int, int]] = []
    loads: list[Load] = []
    while len(loads) < _WINDOWS or (
        len(loads) < _AT_MOST and sum(load.others < _QUIET_CORES for load in loads) < _WINDOWS
    ):
        before, begin = snapshot(pids), time.time_ns()
        await asyncio.sleep(WINDOW_S)
        times.append((begin, time.time_ns()))
        loads.append(load_between(before, snapshot(pids)))
    answer = await receiver.ask({"do": "examine", "windows": times}, timeout=_TELL_S + streams / 100)
    windows = [
        Window(
            reception,
            load,
            {name: load.of(members) for name, members in groups.items()}
            | {
                "senders": load.of(senders),
                "hottest": load.hottest(senders),
                "receiver": load.of([receiver.pid]),
            },
        )
        for reception, load in zip(answer["windows"], loads, strict=True)
    ]
    quietest = sorted(windows, key=lambda window: window.load.others)[:_WINDOWS]
    return Step(streams, quietest, private_kb(senders))
