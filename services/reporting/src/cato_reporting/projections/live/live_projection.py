"""The live reports: the log followed from memory, whatever the read model's health.

Why this does not share the read model's consumer: that one stands still while ClickHouse is away, and the
live report must not. So the log is read twice, by a consumer without acknowledgements for the fold and by the
durable one for the tables. A message is decoded only once (`Readings`).

Where the fold begins after a restart: the life of every active run is read from the log whole (it is short).
Its calls and results come from the read model, up to the position P that the read model has noted for itself,
and from the log after P. Events that are in both do no harm, as the fold is idempotent, and nothing is in
neither, as P is noted after the rows are in. While ClickHouse is away, they come from the log alone: exact,
too, only slower.
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog

from cato_contracts.runs import RunEnded
from cato_reporting.domain.live_run import LiveRun
from cato_reporting.domain.live_runs import LiveRuns
from cato_reporting.domain.parsed_message import read_message
from cato_reporting.errors import ReadModelAwayError
from cato_reporting.ports import ReadModel, RunLog
from cato_reporting.projections.parsed_messages import Readings
from cato_reporting.projections.progress import Progress

log = structlog.get_logger()

_SETTLE = timedelta(seconds=10)
# The longest call, and time to spare: an end that has not come by then was lost.
_SETTLE_UNFINISHED = timedelta(hours=3)


class LiveFold:
    """Keeps `runs` true; `progress` is how far it has come."""

    def __init__(self, run_log: RunLog, readings: Readings) -> None:
        self.runs = LiveRuns()
        self.progress = Progress()
        self._log = run_log
        self._readings = readings

    async def recover(self, read_model: ReadModel, stored: int | None) -> None:
        """Rebuild the active runs.

        `stored` is the position up to which the read model is filled, None while it is away.

        Raises:
            BrokerError: if the log does not answer.

        """
        end = await self._log.end()
        active = await self._active_runs()
        if stored is not None and stored <= end and await self._restore(read_model, active):
            begin, subject = stored, "run.{}.life"
        else:
            begin, subject = end, "run.{}.>"
        for run_id in active:
            async for messages in self._log.history(subject.format(run_id)):
                for message in messages:
                    self.runs.apply(message.position, read_message(message.subject, message.data))
        self.runs.known_from = begin
        self.progress.advance(begin)
        log.info("live reports recovered", active=len(active), position=begin, end=end)

    async def follow(self) -> None:
        """Take in what comes, for ever."""
        async for messages in self._log.follow(after=self.progress.position):
            for message in messages:
                self.runs.apply(message.position, self._readings.read(message))
            self.progress.advance(messages[-1].position)

    async def catch_up(self, *, timeout: float) -> bool:
        """Wait until everything is folded that is in the log now; False if it is not within `timeout`."""
        return await self.progress.reached(await self._log.end(), timeout=timeout)

    def settle(self, *, stored: int, now: datetime) -> list[LiveRun]:
        """Let go of the runs that are over and complete in the read model, which is filled up to `stored`."""
        settled = []
        for run in list(self.runs.runs.values()):
            if run.end is None or self.runs.last_position(run.run_id) > stored:
                continue
            if now - run.end.at > (_SETTLE if run.in_progress == 0 else _SETTLE_UNFINISHED):
                self.runs.settle(run.run_id)
                settled.append(run)
        return settled

    async def _restore(self, read_model: ReadModel, active: list[UUID]) -> bool:
        try:
            for run_id in active:
                await read_model.restore(self.runs.follow(run_id))
        except ReadModelAwayError as error:
            log.warning("the read model went away, going back to the log", reason=str(error))
            return False
        return True

    async def _active_runs(self) -> list[UUID]:
        active = []
        for message in await self._log.latest_lives():
            reading = read_message(message.subject, message.data)
            if reading.run_id is None:
                continue
            if any(isinstance(envelope.body, RunEnded) for envelope in reading.events):
                self.runs.settled.add(reading.run_id)
            else:
                active.append(reading.run_id)
        return active
