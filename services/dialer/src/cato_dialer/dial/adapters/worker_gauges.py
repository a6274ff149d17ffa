"""Metrics of the processes that carry the calls: their ends, memory and processor time, by engine."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from cato_dialer.dial.adapters.engine_choice import EngineChoice

_PROC = Path("/proc")
_UTIME, _RSS = 11, 21
"""The fields of `/proc/PID/stat` after the name of the program, from 0 (proc(5))."""


class Usage(NamedTuple):
    """What a process uses: resident memory, and processor time since its start."""

    resident_bytes: int
    cpu_seconds: float


class WorkerGauges:
    """Reads the processes at each scrape. Where there is no `/proc`, their memory and time are left out."""

    def __init__(self, trunk: EngineChoice, proc: Path = _PROC) -> None:
        self._trunk = trunk
        self._proc = proc
        self._seen: dict[str, dict[int, float]] = {}
        self._ended: dict[str, float] = {}

    def read(self) -> Iterable[Metric]:
        alive = GaugeMetricFamily(
            "cato_sip_worker_processes", "Processes of the engine that are alive.", labels=["engine"]
        )
        deaths = CounterMetricFamily(
            "cato_sip_worker_deaths",
            "Processes of the engine that ended unasked; each is replaced.",
            labels=["engine"],
        )
        resident = GaugeMetricFamily(
            "cato_sip_worker_resident_bytes", "Their resident memory in all.", labels=["engine"]
        )
        cpu = CounterMetricFamily(
            "cato_sip_worker_cpu_seconds",
            "Their processor time, those that ended included.",
            labels=["engine"],
        )
        for engine, trunk in self._trunk.engines.items():
            used = {pid: usage for pid in trunk.worker_pids if (usage := usage_of(pid, self._proc))}
            alive.add_metric([engine], len(trunk.worker_pids))
            deaths.add_metric([engine], trunk.worker_deaths)
            if (self._proc / "self").exists():
                resident.add_metric([engine], sum(usage.resident_bytes for usage in used.values()))
                cpu.add_metric([engine], self._cpu_of(engine, used))
        yield from (alive, deaths, resident, cpu)

    def _cpu_of(self, engine: str, used: dict[int, Usage]) -> float:
        """A counter must not fall: the time of processes that have ended is kept."""
        before = self._seen.get(engine, {})
        gone = sum(seconds for pid, seconds in before.items() if pid not in used)
        self._ended[engine] = self._ended.get(engine, 0.0) + gone
        self._seen[engine] = {pid: usage.cpu_seconds for pid, usage in used.items()}
        return self._ended[engine] + sum(self._seen[engine].values())


def usage_of(pid: int, proc: Path = _PROC) -> Usage | None:
    """Return what a process uses; None if it has ended."""
    try:
        fields = (proc / str(pid) / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return None
    ticks = int(fields[_UTIME]) + int(fields[_UTIME + 1])
    return Usage(int(fields[_RSS]) * os.sysconf("SC_PAGE_SIZE"), ticks / os.sysconf("SC_CLK_TCK"))
