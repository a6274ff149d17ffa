"""Filling the read model from the log: first the rows, then the position, then the acknowledgement."""

import asyncio
import random
import time
from collections.abc import Sequence

import structlog

from cato_contracts.errors import BrokerError, ConfigurationError
from cato_contracts.runs import RunStarted
from cato_reporting.domain.log_lag import Durations
from cato_reporting.errors import ReadModelAwayError, RowsRefusedError
from cato_reporting.ports import DeadLetters, Fact, Intake, LogMessage, ReadModel, RunLog
from cato_reporting.projections.parsed_messages import Readings
from cato_reporting.projections.progress import Progress
from cato_reporting.projections.tables.list_loader import SubscriberLists

log = structlog.get_logger()

_BATCH = 5_000
_WINDOW_S = 0.2
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0


class ReadModelFiller:
    """Moves the log into the read model; `progress` is how far the tables are filled.

    What is read from the tables is only to be trusted if `openings` is the same before and after.

    Nothing is held back in memory while ClickHouse is away: nothing is acknowledged either, and the log is
    read again from where the tables end, which the tables themselves know. So a database that was dropped, or
    put back from an old copy, is filled again, too. `up` says whether that works at the moment, `stored` how
    far the tables were filled when it last did.
    """

    def __init__(
        self,
        run_log: RunLog,
        read_model: ReadModel,
        dead_letters: DeadLetters,
        readings: Readings,
        lists: SubscriberLists,
    ) -> None:
        self.progress = Progress()
        self.refused = 0
        self.openings = 0
        self.up = False
        self.stored = 0
        self.events = 0
        self.inserts = Durations()
        self.batches = 0
        self._log = run_log
        self._read_model = read_model
        self._dead_letters = dead_letters
        self._readings = readings
        self._lists = lists
        self._intake: Intake | None = None

    async def run(self) -> None:
        """Fill the read model, for ever."""
        pause = _FIRST_PAUSE_S
        while True:
            before = self.progress.position
            try:
                await self._fill()
            except (ReadModelAwayError, BrokerError, ConfigurationError) as error:
                if self.progress.position > before:
                    pause = _FIRST_PAUSE_S
                log.warning("the read model waits", reason=str(error), seconds=round(pause, 1))
                await asyncio.sleep(pause * (0.5 + random.random()))  # noqa: S311 - spreading, no secret
                pause = min(2 * pause, _LONGEST_PAUSE_S)

    async def caught_up(self, position: int, *, timeout: float) -> bool:
        """Wait until the tables have everything up to the position; False if they have not in time."""
        if self._intake is not None and position > self.progress.position:
            self._intake.flush()
        return await self.progress.reached(position, timeout=timeout)

    async def _fill(self) -> None:
        # From here on the tables may be others than before, and empty: nothing is known to be in them.
        self.progress.reset(0)
        self.openings += 1
        position = await self._read_model.open()
        end = await self._log.end()
        if position > end:
            raise ConfigurationError(
                f"the read model is filled up to {position}, the log ends at {end}: it belongs to another log"
            )
        intake = await self._log.reserve(after=position)
        try:
            self.progress.reset(position)
            self.stored = position
            self._intake = intake
            self.up = True
            self._lists.recheck()
            while True:
                batch = await intake.take(_BATCH, window=_WINDOW_S)
                await self._take_in(batch)
                await intake.confirm(batch[-1].position)
        finally:
            self._intake = None
            self.up = False
            await intake.close()

    async def _take_in(self, batch: Sequence[LogMessage]) -> None:
        facts = []
        for message in batch:
            reading = self._readings.again(message)
            if reading.fault is not None:
                await self._refuse(message, reading.fault)
            if reading.events:
                facts.append(Fact(message.position, reading))
        position = batch[-1].position
        began = time.monotonic()
        try:
            await self._read_model.store(facts, position=position)
        except RowsRefusedError:
            await self._store_one_by_one(batch, facts)
        self.inserts.add(time.monotonic() - began)
        self.batches += 1
        self.events += sum(len(fact.reading.events) for fact in facts)
        self.progress.advance(position)
        self.stored = position
        for fact in facts:
            for envelope in fact.reading.events:
                if isinstance(envelope.body, RunStarted):
                    self._lists.want(envelope.body.snapshot)

    async def _store_one_by_one(self, batch: Sequence[LogMessage], facts: Sequence[Fact]) -> None:
        # One of them poisons the batch and only the database can tell which.
        messages = {message.position: message for message in batch}
        for fact in facts:
            try:
                await self._read_model.store([fact], position=fact.position)
            except RowsRefusedError as error:
                await self._refuse(messages[fact.position], str(error))
        await self._read_model.store([], position=batch[-1].position)

    async def _refuse(self, message: LogMessage, reason: str) -> None:
        if await self._dead_letters.publish(message, reason):
            self.refused += 1
            log.error(
                "a message cannot be used", subject=message.subject, position=message.position, reason=reason
            )
