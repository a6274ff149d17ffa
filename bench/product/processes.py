"""The processes of a whole system by name, and the processor time of each."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from telephony.cpu import Snapshot, descendants, snapshot

_BROKER = "nats-server"
_DIALER = "dialer"


@dataclass(frozen=True, slots=True)
class Processes:
    """`names` has every process of the system; several can have the same name."""

    names: dict[int, str]

    @classmethod
    def of(cls, stack: int, data: Path, *, exchange: int | None = None) -> "Processes":
        """Return the processes of `cato up`, and the process of the exchange, if there is one."""
        names = dict.fromkeys({stack, *descendants(stack)}, "cato up")
        for pid in names:
            if Path(f"/proc/{pid}/comm").read_text().strip() == _BROKER:
                names[pid] = _BROKER
        for file in (data / "pids").glob("*.pid"):
            pid = int(file.read_text())
            names[pid] = file.stem
            of_it = "audio of the dialer" if file.stem == _DIALER else file.stem
            names |= dict.fromkeys(descendants(pid), of_it)
        return cls(names if exchange is None else names | {exchange: "exchange"})

    def snapshot(self, others: Iterable[int]) -> Snapshot:
        """Return the processor time so far; `others` are known, but no part of the system."""
        return snapshot({*self.names, *others})

    def seconds(self, before: Snapshot, after: Snapshot) -> dict[str, float]:
        """Return the processor seconds between two snapshots by name, the largest first."""
        used: dict[str, float] = defaultdict(float)
        for pid, name in self.names.items():
            if pid in before.processes and pid in after.processes:
                used[name] += after.processes[pid] - before.processes[pid]
        return dict(sorted(used.items(), key=lambda each: -each[1]))

    def hottest(self, before: Snapshot, after: Snapshot) -> tuple[str, float]:
        """Return the process that used the most of a core between two snapshots, and how much."""
        span = after.at - before.at
        used = {
            pid: (total - before.processes[pid]) / span
            for pid, total in after.processes.items()
            if pid in self.names and pid in before.processes
        }
        pid = max(used, key=lambda each: used[each])
        return self.names[pid], used[pid]
