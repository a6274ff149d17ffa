"""The sessions that were signed out: their cookies are not accepted although they are genuine."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

_FILE = "signed-out"


class SignedOut:
    """Ids of sessions, kept in a file until their cookies have expired anyway."""

    def __init__(
        self, directory: Path, lifetime: timedelta, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._file = directory / _FILE
        self._lifetime_s = lifetime.total_seconds()
        self._clock = clock
        self._until = dict(self._stored())

    def __contains__(self, session_id: str) -> bool:
        return self._until.get(session_id, 0.0) > self._clock()

    def add(self, session_id: str) -> None:
        """Sign the session out; on return this is on disk."""
        now = self._clock()
        self._until = {each: until for each, until in self._until.items() if until > now}
        self._until[session_id] = now + self._lifetime_s
        lines = "".join(f"{each} {until:.0f}\n" for each, until in self._until.items())
        written = self._file.with_suffix(".new")
        written.write_text(lines)
        written.replace(self._file)

    def _stored(self) -> list[tuple[str, float]]:
        if not self._file.exists():
            return []
        pairs = (line.split() for line in self._file.read_text().splitlines())
        return [(session_id, float(until)) for session_id, until in pairs]
