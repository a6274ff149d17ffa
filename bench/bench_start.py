"""The start of the whole system on this machine: time until ready, processor time, and what it uses idle.

A start is warm: the modules are compiled and in the page cache. The baseline is the processor time of the
same services in interpreters of their own, each of which imports everything itself. A line for each claim,
with the ratio to what is wanted or to the baseline; above 1 is better.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from telephony.cpu import descendants

from tests.support.live_system import LiveStack, free_port

STARTS = 5
IDLE_S = 20.0
WANTED_READY_S = 4.0
WANTED_IDLE = 0.05
PROGRAMS = ("media", "reporting", "dialer", "gateway")
RESULTS = Path("build/bench/start.json")
_TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process and its descendants, with those that have ended."""
    return sum(
        sum(map(int, Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split()[11:15])) / _TICKS
        for each in {pid, *descendants(pid)}
    )


def separate_imports() -> float:
    """Return the processor time of the imports of the four services, each in an interpreter of its own."""
    before = os.times()
    for name in PROGRAMS:
        subprocess.run(
            [sys.executable, "-c", f"import cato_{name}.bootstrap, cato_runtime.service"], check=True
        )
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def started(directory: Path, *, idle: bool) -> tuple[float, float, float]:
    """Return the seconds until ready, the processor seconds until then, and the cores in use when idle."""
    stack = LiveStack(directory, free_port(socket.SOCK_DGRAM))
    began = time.perf_counter()
    stack.start()
    try:
        assert stack.process is not None
        pid, seconds = stack.process.pid, time.perf_counter() - began
        used = processor_seconds(pid)
        cores = 0.0
        if idle:
            time.sleep(IDLE_S / 4)  # what follows a start
            before = processor_seconds(pid)
            time.sleep(IDLE_S)
            cores = (processor_seconds(pid) - before) / IDLE_S
    finally:
        stack.stop()
    return seconds, used, cores


def say(what: str, measured: str, ratio: float) -> None:
    print(f"{what:<52} {measured:>16}   {ratio:5.1f} x")


def main() -> None:
    separate = separate_imports()
    with tempfile.TemporaryDirectory() as directory:
        starts = [started(Path(directory) / str(n), idle=n == 0) for n in range(STARTS + 1)]
    cores = starts[0][2]
    # The first start is not counted: it fills the page cache.
    ready = statistics.median(seconds for seconds, _, _ in starts[1:])
    used = statistics.median(used for _, used, _ in starts[1:])
    say(f"ready after, of {WANTED_READY_S:g} s wanted", f"{ready:.2f} s", WANTED_READY_S / ready)
    say("processor time of a start, to separate imports", f"{used:.2f} s", separate / used)
    say(f"cores in use when idle, of {WANTED_IDLE:g} wanted", f"{cores:.3f}", WANTED_IDLE / max(cores, 0.001))
    load = os.getloadavg()[0]
    if load > 1:
        print(f"WARNING: the load of the machine is {load:.1f}; the first figure is for two quiet cores")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    figures = {"ready_s": ready, "processor_s": used, "separate_imports_s": separate, "idle_cores": cores}
    RESULTS.write_text(json.dumps(figures | {"starts": [start[:2] for start in starts]}, indent=2) + "\n")


if __name__ == "__main__":
    main()
