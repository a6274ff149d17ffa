"""The processes of a system on this machine, and what each of them has: memory, descriptors, threads."""

import os
from dataclasses import dataclass
from pathlib import Path

from telephony.cpu import descendants

from tests.support.live_system import LiveStack

_TICKS = os.sysconf("SC_CLK_TCK")

SERVICES = ("media", "reporting", "dialer", "api-gateway")


@dataclass(frozen=True, slots=True)
class Use:
    """What a process uses: processor time in s, memory that it alone has written, PSS, descriptors, threads.

    PSS, and clean pages of files, depend on the other processes of the machine that have the same libraries.
    """

    processor_s: float
    written_mb: float
    pss_mb: float
    descriptors: int
    threads: int


def processes_of(stack: LiveStack) -> dict[str, int]:
    """Return the process ids by name: the services, their broker, and the children of the dialer."""
    assert stack.process is not None
    found = {name: stack.pid(name) for name in SERVICES}
    for pid in descendants(stack.process.pid):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if words[0].endswith(b"nats-server"):
            found["nats-server"] = pid
    for number, pid in enumerate(sorted(descendants(found["dialer"]))):
        found[f"dialer, child {number}"] = pid
    return found


def use_of(pid: int) -> Use:
    """Return what a process uses now. Raises OSError if it has ended."""
    written = pss = 0
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Private_Dirty:"):
            written = int(line.split()[1])
        elif line.startswith("Pss:"):
            pss = int(line.split()[1])
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line
    )
    times = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Use(sum(map(int, times)) / _TICKS, written / 1024, pss / 1024, descriptors, int(status["Threads"]))
