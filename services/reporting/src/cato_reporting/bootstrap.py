"""Puts the service together."""

import asyncio

from nats.aio.client import Client
from nats.js import JetStreamContext
from prometheus_client import REGISTRY

from cato_contracts.numbering import Numbering
from cato_reporting.adapters.clickhouse.address import clickhouse_dsn
from cato_reporting.adapters.clickhouse.call_history import ClickHouseHistory
from cato_reporting.adapters.clickhouse.read_model import ClickHouseReadModel
from cato_reporting.adapters.clickhouse.retention import Retention
from cato_reporting.adapters.clickhouse.statements.analyst_database import ClickHouseAnalystDatabase
from cato_reporting.adapters.nats.run_log import NatsDeadLetters, NatsRunLog
from cato_reporting.deps import Deps
from cato_reporting.domain.statement import StatementLimits
from cato_reporting.metrics import ReportingCollector
from cato_reporting.projections.archive.archiver import LogRetention
from cato_reporting.service import ReportingService
from cato_runtime.broker import broker_of, connect
from cato_runtime.clock import Clock, SystemClock
from cato_runtime.configuration.settings import ServiceSettings
from cato_runtime.objects import ObjectStore
from cato_runtime.service import RuntimeDeps


def make_deps(
    client: Client,
    js: JetStreamContext,
    objects: ObjectStore,
    *,
    dsn: str,
    time_zone: str = "UTC",
    numbering: Numbering | None = None,
    clock: Clock | None = None,
    retention: Retention | None = None,
    log_retention: LogRetention | None = None,
    cluster: str | None = None,
) -> Deps:
    """Return the service's dependencies around a connection to the broker."""
    history = ClickHouseHistory(dsn, retention=retention)
    return Deps(
        run_log=NatsRunLog(client, js),
        dead_letters=NatsDeadLetters(js),
        read_model=ClickHouseReadModel(dsn, retention=retention, cluster=cluster),
        history=history,
        people=history,
        analysts=ClickHouseAnalystDatabase(dsn, StatementLimits()),
        objects=objects,
        clock=clock or SystemClock(),
        time_zone=time_zone,
        numbering=numbering or Numbering(),
        log_retention=log_retention or LogRetention(),
    )


async def build(runtime: RuntimeDeps) -> ReportingService:
    """Return the service on the broker of this process."""
    deps = make_deps(
        await connect(runtime.broker),
        runtime.js,
        runtime.objects,
        dsn=await asyncio.to_thread(clickhouse_dsn, runtime.settings),
        time_zone=runtime.config.time_zone,
        numbering=runtime.config.numbering.rule(),
        clock=runtime.clock,
        retention=Retention.of(runtime.config.retention),
        log_retention=LogRetention.of(runtime.config.retention),
        cluster=runtime.settings.clickhouse_cluster,
    )
    service = ReportingService(deps)
    REGISTRY.register(ReportingCollector(service))
    return service


async def rebuild(settings: ServiceSettings) -> None:
    """Empty the read model; the service, running or started next, fills it again from the whole log.

    Raises:
        ReadModelAwayError: if it cannot be reached; the embedded one, while the service has it open.
        BrokerError: if the broker does not answer.

    """
    read_model = ClickHouseReadModel(clickhouse_dsn(settings), cluster=settings.clickhouse_cluster)
    try:
        await read_model.empty()
    finally:
        await read_model.close()
    broker = broker_of(settings, "reporting-rebuild")
    try:
        client = await connect(broker)
        await NatsRunLog(client, client.jetstream(timeout=10)).release()
    finally:
        await broker.stop()
