"""Putting reporting together."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext
from prometheus_client import REGISTRY

from cato_contracts.errors import BrokerError, ConfigurationError
from cato_reporting.adapters.clickhouse.call_history import ClickHouseHistory
from cato_reporting.adapters.clickhouse.read_model import ClickHouseReadModel
from cato_reporting.adapters.clickhouse.retention import Retention
from cato_reporting.adapters.nats.run_log import NatsDeadLetters, NatsRunLog
from cato_reporting.domain.log_lag import LogAges
from cato_reporting.errors import ReadModelAwayError
from cato_reporting.metrics import Figures, ReportingCollector
from cato_reporting.ports import CallHistory, DeadLetters, ReadModel, RunLog
from cato_reporting.projections.live.live_projection import LiveFold
from cato_reporting.projections.parsed_messages import Readings
from cato_reporting.projections.tables.list_loader import SubscriberLists
from cato_reporting.projections.tables.projector import ReadModelFiller
from cato_reporting.queries.exports.call_exports import CallExports
from cato_reporting.queries.history.call_queries import HistoryQueries
from cato_reporting.queries.read_barrier import Freshness
from cato_reporting.queries.status.finished_runs import FinishedRuns
from cato_reporting.queries.status.status_queries import StatusQueries
from cato_runtime.broker import connect, make_broker
from cato_runtime.clock import Clock, SystemClock
from cato_runtime.objects import ObjectStore
from cato_runtime.requests import RequestTable
from cato_runtime.service import Surroundings
from cato_runtime.settings import ServiceSettings
from cato_runtime.tasks import end_tasks

log = structlog.get_logger()

_OPEN_S = 10.0
_READY_S = 600.0
_SETTLE_S = 5.0
_LOOK_S = 1.0
_AGAIN_S = 1.0
_RELEASE_MEMORY_S = 15.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What reporting is made of."""

    run_log: RunLog
    dead_letters: DeadLetters
    read_model: ReadModel
    history: CallHistory
    objects: ObjectStore
    clock: Clock
    time_zone: str


class ReportingRole:
    """The reporting service: follows the log from `start` to `stop` and answers `requests`."""

    def __init__(self, parts: Parts) -> None:
        readings = Readings()
        self._parts = parts
        self._lists = SubscriberLists(parts.read_model, parts.objects)
        self._fold = LiveFold(parts.run_log, readings)
        self._filler = ReadModelFiller(
            parts.run_log, parts.read_model, parts.dead_letters, readings, self._lists
        )
        fresh = Freshness(self._fold, self._filler)
        self._finished = FinishedRuns(self._fold.runs, parts.read_model)
        status = StatusQueries(self._fold, fresh, parts.read_model, self._lists, self._finished)
        history = HistoryQueries(fresh, parts.history, time_zone=parts.time_zone)
        self._exports = CallExports(fresh, parts.history)
        self._ages = LogAges(time.monotonic())
        self._tasks: set[asyncio.Task[None]] = set()
        self.requests = RequestTable(parts.clock)
        for table in (status.table(), history.table(), self._exports.table()):
            self.requests.include(table)
        self.ready = False

    @property
    def refused(self) -> int:
        """How many messages went to the dead letters."""
        return self._filler.refused

    @property
    def lag(self) -> int:
        """How many messages the read model is behind the live reports."""
        return max(0, self._fold.progress.position - self._filler.stored)

    def figures(self) -> Figures:
        """Return the service's figures as they are now."""
        now = time.monotonic()
        return Figures(
            read_model_up=self._filler.up,
            lag_messages=self.lag,
            lag_seconds=self._ages.age(self._filler.stored, now=now),
            events=self._filler.events,
            batches=self._filler.batches,
            inserts=self._filler.inserts,
            dead_letters=self.refused,
            followed_runs=len(self._fold.runs.runs),
            report_age=self._ages.age(self._fold.progress.position, now=now),
        )

    async def start(self) -> None:
        """Return when the live reports have caught up with the log.

        The read model is not waited for: while it is away, active runs are reported all the same.

        Raises:
            BrokerError: if the log does not answer.
            ConfigurationError: if the log cannot be caught up with.

        """
        stored: int | None = None
        try:
            async with asyncio.timeout(_OPEN_S):
                stored = await self._parts.read_model.open()
        except (ReadModelAwayError, TimeoutError) as error:
            log.warning("starting without the read model", reason=repr(error))
        await self._fold.recover(self._parts.read_model, stored)
        self._keep_running("live reports", self._fold.follow)
        self._keep_running("read model", self._filler.run)
        self._keep_running("lists", self._lists.run)
        self._keep_running("settling", self._settle)
        self._keep_running("ages", self._look_at_the_log)
        self._keep_running("memory", self._release_memory)
        if not await self._fold.catch_up(timeout=_READY_S):
            raise ConfigurationError(f"the log could not be caught up with in {_READY_S:g} s")
        self.ready = True

    async def drain(self) -> None:
        """Nothing to bring to an end: what is not in the read model waits in the log."""

    async def stop(self) -> None:
        self.ready = False
        await end_tasks(*self._tasks)
        await self._parts.history.close()
        await self._parts.read_model.close()

    async def _settle(self) -> None:
        while True:
            now = self._parts.clock.now()
            for run in self._fold.settle(stored=self._filler.progress.position, now=now):
                self._finished.take_over(run)
            self._exports.drop_idle(now)
            await asyncio.sleep(_SETTLE_S)

    async def _release_memory(self) -> None:
        while True:
            await asyncio.sleep(_RELEASE_MEMORY_S)
            try:
                await self._parts.read_model.release_memory()
            except ReadModelAwayError as error:
                log.info("memory of the read model not released", reason=str(error))

    async def _look_at_the_log(self) -> None:
        while True:
            asked = time.monotonic()
            try:
                self._ages.note(await self._parts.run_log.end(), at=asked)
            except BrokerError as error:
                log.info("the log was not looked at", reason=str(error))
            await asyncio.sleep(_LOOK_S)

    def _keep_running(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def run() -> None:
            while True:
                try:
                    await work()
                except Exception:
                    # A fault of ours. What was not taken in is read again; numbers that cannot be brought up
                    # to date are refused rather than shown.
                    log.exception("a part of reporting failed and starts again", part=name)
                await asyncio.sleep(_AGAIN_S)

        task = asyncio.create_task(run(), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def clickhouse_dsn(settings: ServiceSettings) -> str:
    """Return where ClickHouse is; unless set, its engine runs in this process on the data directory."""
    if settings.clickhouse_dsn is not None:
        return settings.clickhouse_dsn
    directory = Path(settings.data_dir).absolute() / "clickhouse"
    directory.mkdir(parents=True, exist_ok=True)
    return f"chdb://{directory}"


def build_role(
    client: Client,
    js: JetStreamContext,
    objects: ObjectStore,
    *,
    dsn: str,
    time_zone: str = "UTC",
    clock: Clock | None = None,
    retention: Retention | None = None,
) -> ReportingRole:
    """Put the service together around a connection to the broker."""
    return ReportingRole(
        Parts(
            run_log=NatsRunLog(client, js),
            dead_letters=NatsDeadLetters(js),
            read_model=ClickHouseReadModel(dsn, retention=retention),
            history=ClickHouseHistory(dsn, retention=retention),
            objects=objects,
            clock=clock or SystemClock(),
            time_zone=time_zone,
        )
    )


async def rebuild(settings: ServiceSettings) -> None:
    """Empty the read model; the service, running or started next, fills it again from the whole log.

    Raises:
        ReadModelAwayError: if it cannot be reached; the embedded one, while the service has it open.
        BrokerError: if the broker does not answer.

    """
    read_model = ClickHouseReadModel(clickhouse_dsn(settings))
    try:
        await read_model.empty()
    finally:
        await read_model.close()
    broker = make_broker(settings.nats_url, "reporting-rebuild")
    try:
        client = await connect(broker)
        await NatsRunLog(client, client.jetstream(timeout=10)).release()
    finally:
        await broker.stop()


async def build(surroundings: Surroundings) -> ReportingRole:
    """Put the service together in its surroundings."""
    client = await connect(surroundings.broker)
    dsn = await asyncio.to_thread(clickhouse_dsn, surroundings.settings)
    role = build_role(
        client,
        surroundings.js,
        surroundings.objects,
        dsn=dsn,
        time_zone=surroundings.config.time_zone,
        clock=surroundings.clock,
        retention=Retention.of(surroundings.config.retention),
    )
    REGISTRY.register(ReportingCollector(role))
    return role
