"""Moves runs that ended long ago from the log to the archive.

Reporting does this because it alone knows that nobody reads a run from the log any more: the run has ended,
and the tables have all of it. A crash at any moment loses nothing:

1. All messages of the run are stored in the archive, and read back.
2. The last commit of its life is stored, so that the dialer still knows the run.
3. The state of the archive notes that the run is being removed from the log.
4. The messages are removed, then the note.

Before step 3 the log has the whole run, and the next attempt archives it again. After it the archive has the
whole run, and whoever reads the archive first finishes the removal.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from cato_contracts.messages.calls import FINAL_KINDS, CallEvent
from cato_reporting.domain.parsed_message import parse_message
from cato_reporting.ports import LogMessage, RunLog
from cato_reporting.projections.archive.run_archive import (
    ArchivedRun,
    ArchiveState,
    Removal,
    RunArchive,
    last_commit,
)
from cato_reporting.projections.live.live_projection import LiveProjection
from cato_reporting.projections.progress import Progress
from cato_runtime.configuration.config import RetentionConfig

log = structlog.get_logger()

_LONGEST_SILENCE = timedelta(days=1)
"""A dialer that was cut off publishes the end of a call later. After this time the end is given up."""


@dataclass(frozen=True, slots=True)
class LogRetention:
    """How long a run stays in the log after its end (None: for ever), and whether it is archived then.

    Every `interval_s` seconds the service looks for such runs.
    """

    age: timedelta | None = None
    archive: bool = True
    interval_s: float = 60.0

    @classmethod
    def of(cls, config: RetentionConfig) -> "LogRetention":
        days = config.log_days
        return cls(None if days is None else timedelta(days=days), config.archive)


class Archiver:
    """Moves runs to the archive. `stored` is the position up to which the tables have the log."""

    def __init__(
        self,
        run_log: RunLog,
        archive: RunArchive,
        live: LiveProjection,
        stored: Progress,
        retention: LogRetention,
    ) -> None:
        self._log = run_log
        self._archive = archive
        self._runs = live.runs
        self._stored = stored
        self._retention = retention

    async def move_old_runs(self, now: datetime) -> int:
        """Move the runs that ended long enough ago, oldest first; return how many.

        Raises:
            BrokerError: if the log or the archive does not answer.

        """
        age = self._retention.age
        if age is None:
            return 0
        old = [(at, run_id) for run_id, at in self._runs.settled.items() if at < now - age]
        moved = 0
        for ended_at, run_id in sorted(old):
            async with self._archive.lock:
                moved += await self._move(run_id, ended_at, now)
        return moved

    async def _move(self, run_id: UUID, ended_at: datetime, now: datetime) -> bool:
        state = await finish_removal(self._log, self._archive)
        last, life, call_is_open = await self._read(run_id)
        if call_is_open and now - ended_at < _LONGEST_SILENCE:
            return False
        if last:
            # The tables must have all of the run, and the last message of the log must stay: its position is
            # the end of the log, and readers wait until they have reached it.
            if last > self._stored.position or last >= await self._log.end():
                return False
            if self._retention.archive:
                await self._archive.write(ArchivedRun(run_id, last), self._messages(run_id, last))
                state = ArchiveState(highest=max(state.highest, last))
            await self._archive.write_life(run_id, life)
            await self._archive.write_state(
                state.model_copy(update={"removal": Removal(run_id=run_id, until=last)})
            )
            await finish_removal(self._log, self._archive)
        self._runs.forget(run_id)
        log.info("run has left the log", run_id=str(run_id), archived=self._retention.archive)
        return True

    async def _read(self, run_id: UUID) -> tuple[int, bytes, bool]:
        """Return the position of the run's last message (0: it has none), the last commit of its life, and
        whether a call has no end.
        """
        last, life = 0, b""
        open_calls: set[UUID] = set()
        async for batch in self._log.history(f"run.{run_id}.>"):
            last = batch[-1].position
            life = last_commit(run_id, batch, life)
            for message in batch:
                for envelope in parse_message(message.subject, message.data).events:
                    if isinstance(envelope.body, CallEvent):
                        call = envelope.body
                        (open_calls.discard if call.kind in FINAL_KINDS else open_calls.add)(call.call_id)
        return last, life, bool(open_calls)

    async def _messages(self, run_id: UUID, last: int) -> AsyncIterator[list[LogMessage]]:
        async for batch in self._log.history(f"run.{run_id}.>"):
            yield [message for message in batch if message.position <= last]


async def finish_removal(run_log: RunLog, archive: RunArchive) -> ArchiveState:
    """Finish a removal that was begun; return the state of the archive. The lock must be held."""
    state = await archive.state()
    if state.removal is not None:
        await run_log.remove(state.removal.run_id, until=state.removal.until)
        state = state.model_copy(update={"removal": None})
        await archive.write_state(state)
    return state
