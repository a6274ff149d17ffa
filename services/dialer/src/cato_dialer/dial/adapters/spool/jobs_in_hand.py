"""The jobs that this process has in hand, on disk: its next start returns them to the queue at once."""

from pathlib import Path

from cato_dialer.dial.adapters.spool.append_file import AppendFile

_SPARE_LINES = 1_000


class JobsInHand:
    """Each job is kept by the subject on which its delivery is acknowledged."""

    def __init__(self, path: Path) -> None:
        self._file = AppendFile(path)
        self._jobs: dict[str, None] = {}
        self._lines = 0

    def left(self) -> list[str]:
        """Return what the previous process had in hand, and forget it."""
        jobs: dict[str, None] = {}
        for line in self._file.read():
            sign, _, reply = line.partition(" ")
            if sign == "+":
                jobs[reply] = None
            else:
                jobs.pop(reply, None)
        self._file.replace(())
        return list(jobs)

    def took(self, reply: str) -> None:
        self._jobs[reply] = None
        self._note(f"+ {reply}")

    def gave(self, reply: str) -> None:
        if reply in self._jobs:
            del self._jobs[reply]
            self._note(f"- {reply}")

    def _note(self, line: str) -> None:
        self._lines += 1
        if self._lines > 2 * len(self._jobs) + _SPARE_LINES:
            self._file.replace(f"+ {reply}" for reply in self._jobs)
            self._lines = len(self._jobs)
        else:
            self._file.append(line)
