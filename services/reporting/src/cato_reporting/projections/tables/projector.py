"""Fills the read model from the log: first the rows, then the position, then the acknowledgement."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence

import structlog
from prometheus_client import Histogram

from cato_contracts.errors import BrokerError, ConfigurationError
from cato_contracts.messages.runs import RunStarted
from cato_reporting.errors import ReadModelAwayError, RowsRefusedError
from cato_reporting.ports import DeadLetters, Intake, LogMessage, ReadModel, RunLog, StoredMessage
from cato_reporting.projections.archive.archiver import finish_removal
from cato_reporting.projections.archive.run_archive import IncompleteArchiveError, RunArchive
from cato_reporting.projections.parsed_messages import ParsedMessages
from cato_reporting.projections.progress import Progress
from cato_reporting.projections.tables.list_loader import ListLoader
from cato_runtime import tracing
from cato_runtime.objects import ObjectMissingError

log = structlog.get_logger()

_BATCH = 5_000
_WINDOW_S = 0.2
_LONGEST_WINDOW_S = 1.0
_INSERTS_AT_MOST = 0.1
"""The share of the time that insertions take: the window for a batch grows with their duration. A query does
not wait for the window, it ends it."""
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0


class Projector:
    """Moves the log into the read model.

    While ClickHouse is away, messages are neither kept in memory nor acknowledged. The log is read again from
    the position that the tables have noted, so a database that was dropped or restored is filled again, too.

    - `progress`: the position up to which the tables are filled.
    - `openings`: how often the tables were opened. Rows that were read are valid only if it has not changed.
    - `up`: whether the tables are being filled now.
    - `stored`: the position up to which they were filled when `up` was last true.
    """

    def __init__(
        self,
        run_log: RunLog,
        read_model: ReadModel,
        dead_letters: DeadLetters,
        parsed_messages: ParsedMessages,
        lists: ListLoader,
        *,
        archive: RunArchive,
        inserts: Histogram,
    ) -> None:
        self.progress = Progress()
        self.refused = 0
        self.openings = 0
        self.up = False
        self.stored = 0
        self.events = 0
        self.batches = 0
        self._log = run_log
        self._read_model = read_model
        self._dead_letters = dead_letters
        self._parsed_messages = parsed_messages
        self._lists = lists
        self._archive = archive
        self._inserts = inserts
        self._intake: Intake | None = None
        self._window_s = _WINDOW_S

    async def run(self) -> None:
        """Fill the read model until the task is cancelled."""
        pause = _FIRST_PAUSE_S
        while True:
            before = self.progress.position
            try:
                await self._fill()
            except (ReadModelAwayError, BrokerError, ConfigurationError) as error:
                if self.progress.position > before:
                    pause = _FIRST_PAUSE_S
                log.warning("read model not filled, retrying", reason=str(error), seconds=round(pause, 1))
                await asyncio.sleep(pause * (0.5 + random.random()))  # noqa: S311 - spreading, no secret
                pause = min(2 * pause, _LONGEST_PAUSE_S)

    async def caught_up(self, position: int, *, timeout: float) -> bool:
        """Wait until the tables are filled up to the position; return False after `timeout` seconds."""
        if self._intake is not None and position > self.progress.position:
            self._intake.flush()
        return await self.progress.reached(position, timeout=timeout)

    async def _fill(self) -> None:
        # The tables may have been replaced by empty ones: assume that they hold nothing.
        self.progress.reset(0)
        self.openings += 1
        # No run leaves the log from here until the tables have all that left it before.
        async with self._archive.lock:
            position = await self._read_model.open()
            end = await self._log.end()
            if position > end:
                raise ConfigurationError(
                    f"the read model is filled up to {position}, the log ends at {end}:"
                    " it belongs to another log"
                )
            await self._fill_from_archive(after=position)
        intake = await self._log.reserve(after=position)
        try:
            self.progress.reset(position)
            self.stored = position
            self._intake = intake
            self.up = True
            self._lists.recheck()
            while True:
                batch = await intake.take(_BATCH, window=self._window_s)
                await self._take_in(batch)
                await intake.confirm(batch[-1].position)
        finally:
            self._intake = None
            self.up = False
            await intake.close()

    async def _fill_from_archive(self, *, after: int) -> None:
        """Store the runs that have left the log and were not, or not completely, read from it.

        The position of the tables stays, so after a crash they are stored again, which does no harm.
        """
        state = await finish_removal(self._log, self._archive)
        runs = await self._archive.runs(after=after) if state.highest > after else []
        for run in runs:
            try:
                async for batch in self._archive.read(run):
                    await self._store(batch, position=after)
            except (IncompleteArchiveError, ObjectMissingError) as error:
                # Reports of all other runs would be missing if this one ended the filling.
                log.error("archived run cannot be read", run_id=str(run.run_id), reason=str(error))  # noqa: TRY400
        if runs:
            log.info("tables filled from the archive", runs=len(runs))

    async def _take_in(self, batch: Sequence[LogMessage]) -> None:
        position = batch[-1].position
        began_ns = time.time_ns()
        await self._store(batch, position=position)
        self.progress.advance(position)
        self.stored = position
        if tracing.enabled():
            _trace(batch, began_ns)

    async def _store(self, batch: Sequence[LogMessage], *, position: int) -> None:
        stored_messages = []
        for message in batch:
            parsed = self._parsed_messages.take(message)
            if parsed.fault is not None:
                await self._publish_dead_letter(message, parsed.fault)
            if parsed.events:
                stored_messages.append(StoredMessage(message.position, parsed))
        began = time.monotonic()
        try:
            await self._read_model.store(stored_messages, position=position)
        except RowsRefusedError:
            await self._store_one_by_one(batch, stored_messages, position=position)
        took = time.monotonic() - began
        self._window_s = min(max(_WINDOW_S, took / _INSERTS_AT_MOST), _LONGEST_WINDOW_S)
        self._inserts.observe(took)
        self.batches += 1
        self.events += sum(len(stored.parsed.events) for stored in stored_messages)
        for stored in stored_messages:
            for envelope in stored.parsed.events:
                if isinstance(envelope.body, RunStarted):
                    self._lists.want(envelope.body.snapshot)

    async def _store_one_by_one(
        self, batch: Sequence[LogMessage], stored_messages: Sequence[StoredMessage], *, position: int
    ) -> None:
        # One message of the batch cannot be stored; only the database knows which.
        messages = {message.position: message for message in batch}
        for stored in stored_messages:
            try:
                await self._read_model.store([stored], position=min(stored.position, position))
            except RowsRefusedError as error:
                await self._publish_dead_letter(messages[stored.position], str(error))
        await self._read_model.store([], position=position)

    async def _publish_dead_letter(self, message: LogMessage, reason: str) -> None:
        if await self._dead_letters.publish(message, reason):
            self.refused += 1
            log.error(
                "message moved to the dead letters",
                subject=message.subject,
                position=message.position,
                reason=reason,
            )


def _trace(batch: Sequence[LogMessage], began_ns: int) -> None:
    """Add the projection to the trace of each piece of work that has written to the log."""
    messages = Counter(message.traceparent for message in batch if message.traceparent is not None)
    for parent, count in messages.items():
        with tracing.span("project", parent=parent, started_ns=began_ns, messages=count):
            pass
