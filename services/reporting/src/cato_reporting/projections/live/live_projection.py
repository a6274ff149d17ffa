"""The live reports: the active runs in memory, kept up to date from the log.

The live projection has a consumer of its own, without acknowledgements. The durable consumer of the tables
stands still while ClickHouse is away, and live reports must not. A message is parsed only once
(`ParsedMessages`).

After a restart, the life of every active run is read from the log from its beginning; it is short. Its calls
and results come from the tables up to the position P that the tables have noted, and from the log after P.
Events that are in both do no harm: the projection is idempotent. No event is in neither: P is noted after
the rows are inserted. While ClickHouse is away, calls and results come from the log alone, which is slower.
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog

from cato_contracts.messages.runs import RunEnded
from cato_reporting.domain.live_run import LiveRun
from cato_reporting.domain.live_runs import LiveRuns
from cato_reporting.domain.parsed_message import parse_message
from cato_reporting.errors import ReadModelAwayError
from cato_reporting.ports import ReadModel, RunLog
from cato_reporting.projections.parsed_messages import ParsedMessages
from cato_reporting.projections.progress import Progress

log = structlog.get_logger()

_SETTLE = timedelta(seconds=10)
# Longer than the longest call: an end that has not come by then was lost.
_SETTLE_UNFINISHED = timedelta(hours=3)


class LiveProjection:
    """Keeps `runs` up to date; `progress` is the position up to which it has read the log."""

    def __init__(self, run_log: RunLog, parsed_messages: ParsedMessages) -> None:
        self.runs = LiveRuns()
        self.progress = Progress()
        self._log = run_log
        self._parsed_messages = parsed_messages

    async def recover(self, read_model: ReadModel, stored: int | None) -> None:
        """Restore the active runs.

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
                    self.runs.apply(message.position, parse_message(message.subject, message.data))
        self.runs.known_from = begin
        self.progress.advance(begin)
        log.info("live reports recovered", active=len(active), position=begin, end=end)

    async def follow(self) -> None:
        """Apply new messages until the task is cancelled."""
        async for messages in self._log.follow(after=self.progress.position):
            for message in messages:
                self.runs.apply(message.position, self._parsed_messages.parse(message))
            self.progress.advance(messages[-1].position)

    async def catch_up(self, *, timeout: float) -> bool:
        """Wait until the messages now in the log are applied; return False after `timeout` seconds."""
        return await self.progress.reached(await self._log.end(), timeout=timeout)

    def settle(self, *, stored: int, now: datetime) -> list[LiveRun]:
        """Drop the runs that have ended and that the tables, filled up to `stored`, have completely."""
        settled = []
        for run in list(self.runs.runs.values()):
            if run.end is None or self.runs.last_position(run.run_id) > stored:
                continue
            if now - run.end.at > (_SETTLE if run.in_progress == 0 else _SETTLE_UNFINISHED):
                self.runs.settle(run.run_id, run.end.at)
                settled.append(run)
        return settled

    async def _restore(self, read_model: ReadModel, active: list[UUID]) -> bool:
        try:
            for run_id in active:
                await read_model.restore(self.runs.follow(run_id))
        except ReadModelAwayError as error:
            log.warning("read model away during recovery, reading the log instead", reason=str(error))
            return False
        return True

    async def _active_runs(self) -> list[UUID]:
        active = []
        for message in await self._log.latest_lives():
            parsed = parse_message(message.subject, message.data)
            if parsed.run_id is None:
                continue
            ends = [each.occurred_at for each in parsed.events if isinstance(each.body, RunEnded)]
            if ends:
                self.runs.settle(parsed.run_id, min(ends))
            else:
                active.append(parsed.run_id)
        return active
