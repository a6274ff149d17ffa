"""The start of the whole system with 10 and with 1,000 finished runs: time until ready, and memory.

The 1,000 runs are measured twice: all of them in the log, and all but the last moved to the archive. A line
for each process: the seconds from the start of the system until it is ready, the processor time and the
private memory that it has taken a few seconds later.
"""

import asyncio
import json
import os
import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.runs.finished_runs import write_finished_runs
from bench.soak.processes import SERVICES, processes_of, use_of
from cato_contracts.subjects import RUNS
from cato_runtime.broker import connect, make_broker
from tests.support.live_system import LiveStack, free_port

FEW, MANY = 10, 1_000
SETTLE_S = 8.0
ARCHIVED_S = 1_200.0
RESULTS = Path("build/bench/old_runs.json")
TABLES = {
    "ready_s": "ready after, s",
    "processor_s": "processor time, s",
    "private_mb": "private memory, MB",
}
WAYS = (f"{FEW} runs", f"{MANY} in the log", f"{MANY} archived")

Figures = dict[str, dict[str, float]]


def stack_on(directory: Path, *, archive: bool) -> LiveStack:
    retention = {"logDays": 30 if archive else None}
    return LiveStack(directory, free_port(socket.SOCK_DGRAM), config={"retention": retention})


class ReadyWatch(threading.Thread):
    """Notes when each service of a starting system is ready, in seconds from now."""

    def __init__(self, stack: LiveStack) -> None:
        super().__init__(daemon=True)
        self.ready: dict[str, float] = {}
        self._stack = stack
        self._ports = stack.directory / "data" / "metrics"
        for file in self._ports.glob("*.port"):
            file.unlink()
        self._began = time.monotonic()

    def run(self) -> None:
        with httpx.Client(timeout=5) as client:
            while len(self.ready) < len(SERVICES):
                for name in SERVICES:
                    if name not in self.ready and self._is_ready(client, name):
                        self.ready[name] = time.monotonic() - self._began
                time.sleep(0.01)

    def _is_ready(self, client: httpx.Client, name: str) -> bool:
        address = self._stack.url
        if name != "api-gateway":
            port = self._ports / f"{name}.port"
            if not port.exists() or not (number := port.read_text().strip()):
                return False
            address = f"http://127.0.0.1:{number}"
        try:
            return client.get(f"{address}/readyz").is_success
        except httpx.TransportError:
            return False


def started(directory: Path, *, archive: bool) -> Figures:
    """Start the system once; return what each of its processes took and has."""
    stack = stack_on(directory, archive=archive)
    watch = ReadyWatch(stack)
    watch.start()
    stack.start()
    try:
        watch.join()
        time.sleep(SETTLE_S)
        return {
            name: {"ready_s": watch.ready.get(name, 0.0), **asdict(use_of(pid))}
            for name, pid in processes_of(stack).items()
            if "child" not in name
        }
    finally:
        stack.stop()


async def messages_in_log(url: str) -> int:
    broker = make_broker(url, "bench")
    try:
        info = await (await connect(broker)).jetstream().stream_info(RUNS.name)
        return int(info.state.messages)
    finally:
        await broker.stop()


def archive_all(directory: Path) -> float:
    """Run the system until all runs but the last are in the archive; return the seconds that it took."""
    stack = stack_on(directory, archive=True)
    stack.start()
    try:
        whole = asyncio.run(messages_in_log(stack.broker_url))
        began = time.monotonic()
        while asyncio.run(messages_in_log(stack.broker_url)) > 2 * whole / MANY:
            assert time.monotonic() < began + ARCHIVED_S, "the runs have not left the log"
            time.sleep(1)
        return time.monotonic() - began
    finally:
        stack.stop()


def filled(directory: Path, count: int) -> None:
    """Write the runs, and start the system once, which fills its tables."""
    asyncio.run(write_finished_runs(directory / "data" / "nats", count))
    started(directory, archive=False)


def median(starts: list[Figures]) -> Figures:
    return {
        name: {what: statistics.median(start[name][what] for start in starts) for what in starts[0][name]}
        for name in starts[0]
    }


def main() -> None:
    starts = int(os.environ.get("CATO_BENCH_STARTS", "3"))
    with tempfile.TemporaryDirectory() as home:
        few, many, archived = (Path(home) / name for name in ("few", "many", "archived"))
        filled(few, FEW)
        filled(many, MANY)
        shutil.copytree(many, archived, symlinks=True)
        moved_s = archive_all(archived)
        ways = ((few, False), (many, False), (archived, True))
        measured = [
            median([started(directory, archive=archive) for _ in range(starts)])
            for directory, archive in ways
        ]
    print(f"{MANY - 1} runs were archived in {moved_s:.0f} s, of which up to 60 s pass before the first")
    for what, title in TABLES.items():
        print(f"{title:<24}" + "".join(f"{way:>14}" for way in WAYS) + f"{'archived / ten':>16}")
        for name in measured[0]:
            cells = [figures[name][what] for figures in measured]
            ratio = f"{cells[2] / cells[0]:.2f} x" if cells[0] else ""
            print(f"  {name:<22}" + "".join(f"{cell:>14.2f}" for cell in cells) + f"{ratio:>16}")
    load = os.getloadavg()[0]
    if load > 1:
        print(f"WARNING: the load of the machine is {load:.1f}; the times are for two quiet cores")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps({"archived_s": moved_s} | dict(zip(WAYS, measured, strict=True)), indent=2))


if __name__ == "__main__":
    main()
