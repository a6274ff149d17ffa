"""Processor time by process."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Processor time used so far by the machine and by processes, in seconds of one core."""

    at: float
    idle_s: float
    cores: int
    waited_s: float
    processes: dict[int, float]
    dropped: int


@dataclass(frozen=True, slots=True)
class Load:
    """Cores in use between two snapshots.

    `waiting`: the share of the time in which something was ready to run and had no core. `dropped`: datagrams
    that found their socket full, on the whole machine.
    """

    machine: float
    cores: int
    waiting: float
    processes: dict[int, float]
    dropped: int

    def of(self, pids: Iterable[int]) -> float:
        return sum(self.processes.get(pid, 0.0) for pid in pids)

    def hottest(self, pids: Iterable[int]) -> float:
        return max((self.processes.get(pid, 0.0) for pid in pids), default=0.0)

    @property
    def others(self) -> float:
        """Cores used by all other processes, kernel threads included."""
        return max(self.machine - self.of(self.processes), 0.0)


def snapshot(pids: Iterable[int]) -> Snapshot:
    first, *rest = (_PROC / "stat").read_text().splitlines()
    fields = [int(field) for field in first.split()[1:]]
    cores = sum(line.startswith("cpu") for line in rest)
    times = {}
    for pid in pids:
        try:
            # The clock of another process's time, to the nanosecond and over all its threads: what
            # clock_getcpuclockid(3) returns on Linux.
            times[pid] = time.clock_gettime(~pid << 3 | 2)
        except OSError:
            continue
    return Snapshot(
        at=time.monotonic(),
        # Idle time is measured by the clock; busy time is sampled and misses work that timers start.
        idle_s=(fields[3] + fields[4]) / _TICKS,
        cores=cores,
        waited_s=_waited_s(),
        processes=times,
        dropped=_dropped(),
    )


def load_between(before: Snapshot, after: Snapshot) -> Load:
    seconds = after.at - before.at
    return Load(
        machine=max(after.cores - (after.idle_s - before.idle_s) / seconds, 0.0),
        cores=after.cores,
        waiting=min((after.waited_s - before.waited_s) / seconds, 1.0),
        processes={
            pid: (total - before.processes[pid]) / seconds
            for pid, total in after.processes.items()
            if pid in before.processes
        },
        dropped=after.dropped - before.dropped,
    )


def descendants(pid: int) -> set[int]:
    """Return the processes under this one, without it."""
    parents: dict[int, int] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            # The name in parentheses may hold anything.
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found: set[int] = set()
    border = {pid}
    while border:
        border = {child for child, parent in parents.items() if parent in border} - found
        found |= border
    return found


def _dropped() -> int:
    """Datagrams that the machine has dropped because a socket was full."""
    names, values = (
        line.split() for line in (_PROC / "net/snmp").read_text().splitlines() if line.startswith("Udp:")
    )
    return int(values[names.index("RcvbufErrors")])


def _waited_s() -> float:
    """Time in which a process was ready but had no core; 0 where the kernel does not measure it."""
    try:
        pressure = (_PROC / "pressure/cpu").read_text()
    except OSError:
        return 0.0
    return int(pressure.split("\n", 1)[0].rpartition("total=")[2]) / 1e6
