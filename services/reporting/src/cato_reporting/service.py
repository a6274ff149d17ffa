"""The life cycle of the reporting service."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import structlog

from cato_contracts.errors import BrokerError, ConfigurationError
from cato_reporting.deps import Deps
from cato_reporting.errors import ReadModelAwayError
from cato_reporting.metrics import ReportingMetrics, insert_histogram
from cato_reporting.projections.archive.archiver import Archiver
from cato_reporting.projections.archive.run_archive import RunArchive
from cato_reporting.projections.live.live_projection import LiveProjection
from cato_reporting.projections.log_lag import LogLag
from cato_reporting.projections.parsed_messages import ParsedMessages
from cato_reporting.projections.tables.list_loader import ListLoader
from cato_reporting.projections.tables.projector import Projector
from cato_reporting.queries.exports.open_exports import OpenExports
from cato_reporting.queries.history.call_queries import CallQueries
from cato_reporting.queries.history.run_subscriber_queries import RunSubscriberQueries
from cato_reporting.queries.read_barrier import ReadBarrier
from cato_reporting.queries.statements.sql_queries import SqlQueries
from cato_reporting.queries.statistics.statistics_queries import StatisticsQueries
from cato_reporting.queries.status.finished_runs import FinishedRuns
from cato_reporting.queries.status.run_lookup import RunLookup
from cato_reporting.queries.status.status_queries import StatusQueries
from cato_reporting.queries.table import handler_table
from cato_runtime.broker import patiently
from cato_runtime.process.tasks import end_tasks
from cato_runtime.requests import RequestTable

log = structlog.get_logger()

_OPEN_S = 10.0
_READY_S = 600.0
_SETTLE_S = 5.0
_LOOK_S = 1.0
_RESTART_S = 1.0
_RELEASE_MEMORY_S = 15.0


class ReportingService:
    """Follows the log of runs from `start` to `stop` and answers `requests`."""

    def __init__(self, deps: Deps) -> None:
        parsed_messages = ParsedMessages()
        archive = RunArchive(deps.objects)
        self.inserts = insert_histogram()
        self._deps = deps
        self._lists = ListLoader(deps.read_model, deps.objects)
        self._live = LiveProjection(deps.run_log, parsed_messages)
        self._projector = Projector(
            deps.run_log,
            deps.read_model,
            deps.dead_letters,
            parsed_messages,
            self._lists,
            archive=archive,
            inserts=self.inserts,
        )
        self._archiver = Archiver(
            deps.run_log, archive, self._live, self._projector.progress, deps.log_retention
        )
        barrier = ReadBarrier(self._live, self._projector)
        self._finished = FinishedRuns(self._live.runs, deps.read_model)
        lookup = RunLookup(self._live, barrier, deps.read_model, self._finished, archive)
        self._exports = OpenExports(
            barrier,
            deps.history,
            lookup,
            self._lists,
            numbering=deps.numbering,
            time_zone=deps.time_zone,
        )
        self._lag = LogLag(time.monotonic())
        self._tasks: set[asyncio.Task[None]] = set()
        self.requests = RequestTable(
            deps.clock,
            handler_table(
                StatusQueries(self._live, barrier, deps.read_model, self._lists, self._finished, lookup),
                CallQueries(barrier, deps.history, self._lists, deps.numbering),
                StatisticsQueries(barrier, deps.history, deps.numbering, time_zone=deps.time_zone),
                self._exports,
                SqlQueries(barrier, deps.analysts),
                RunSubscriberQueries(self._live, barrier, deps.people, lookup, self._lists, deps.numbering),
            ),
        )
        self.ready = False

    def metrics(self) -> ReportingMetrics:
        """Return the metrics of this moment."""
        now = time.monotonic()
        position = self._live.progress.position
        return ReportingMetrics(
            read_model_up=self._projector.up,
            lag_messages=max(0, position - self._projector.stored),
            lag_seconds=self._lag.age(self._projector.stored, now=now),
            events=self._projector.events,
            batches=self._projector.batches,
            dead_letters=self._projector.refused,
            followed_runs=len(self._live.runs.runs),
            report_age=self._lag.age(position, now=now),
        )

    async def start(self) -> None:
        """Return when the live reports have caught up with the log.

        The read model is not waited for: active runs are reported while it is away, too.

        Raises:
            BrokerError: if the log does not answer for half a minute.
            ConfigurationError: if the log cannot be caught up with.

        """
        stored: int | None = None
        try:
            async with asyncio.timeout(_OPEN_S):
                stored = await self._deps.read_model.open()
        except (ReadModelAwayError, TimeoutError) as error:
            log.warning("service starts without the read model", reason=repr(error))
        await patiently(partial(self._live.recover, self._deps.read_model, stored))
        self._keep_running("live reports", self._live.follow)
        self._keep_running("projector", self._projector.run)
        self._keep_running("list loader", self._lists.run)
        self._keep_running("settling", self._settle)
        self._keep_running("log lag", self._measure_lag)
        self._keep_running("memory", self._release_memory)
        self._keep_running("archiver", self._archive_old_runs)
        if not await patiently(partial(self._live.catch_up, timeout=_READY_S)):
            raise ConfigurationError(f"the log could not be caught up with in {_READY_S:g} s")
        self.ready = True

    async def drain(self) -> None:
        """Do nothing: events that are not in the read model yet stay in the log."""

    async def stop(self) -> None:
        """End the loops and close the read model."""
        self.ready = False
        await end_tasks(*self._tasks)
        await self._exports.close()
        await self._deps.history.close()
        await self._deps.analysts.close()
        await self._deps.read_model.close()

    async def _settle(self) -> None:
        while True:
            now = self._deps.clock.now()
            for run in self._live.settle(stored=self._projector.progress.position, now=now):
                self._finished.take_over(run)
            await self._exports.drop_idle(now)
            await asyncio.sleep(_SETTLE_S)

    async def _measure_lag(self) -> None:
        while True:
            asked = time.monotonic()
            try:
                self._lag.note(await self._deps.run_log.end(), at=asked)
            except BrokerError as error:
                log.info("end of the log unknown", reason=str(error))
            await asyncio.sleep(_LOOK_S)

    async def _archive_old_runs(self) -> None:
        while True:
            await asyncio.sleep(self._deps.log_retention.interval_s)
            try:
                await self._archiver.move_old_runs(self._deps.clock.now())
            except BrokerError as error:
                log.warning("old runs stay in the log for now", reason=str(error))

    async def _release_memory(self) -> None:
        while True:
            await asyncio.sleep(_RELEASE_MEMORY_S)
            try:
                await self._deps.read_model.release_memory()
            except ReadModelAwayError as error:
                log.info("memory of the read model not released", reason=str(error))

    def _keep_running(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def run() -> None:
            while True:
                try:
                    await work()
                except Exception:
                    # A programming error. Unprocessed messages are read again; queries whose numbers cannot
                    # be brought up to date are rejected.
                    log.exception("loop failed and restarts", loop=name)
                await asyncio.sleep(_RESTART_S)

        task = asyncio.create_task(run(), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
