"""Puts the gateway together."""

from faststream.nats import NatsBroker
from nats.js import JetStreamContext

from cato_contracts.errors import ConfigurationError
from cato_gateway.adapters.list_cache import ListCache
from cato_gateway.adapters.nats_answer_ledger import NatsAnswerLedger
from cato_gateway.adapters.nats_audit_log import NatsAuditLog
from cato_gateway.adapters.nats_service_probe import NatsServiceProbe
from cato_gateway.adapters.nats_sip_traces import NatsSipTraces
from cato_gateway.app import create_app
from cato_gateway.deps import Deps
from cato_gateway.run_board import RunBoard
from cato_gateway.run_watches import RunWatches
from cato_gateway.service import GatewayService
from cato_gateway.settings import GatewaySettings, read_settings
from cato_gateway.tokens import TokenTable, refuse_public_default
from cato_runtime.broker_storage import BrokerStorage
from cato_runtime.configuration.config import Config
from cato_runtime.objects import NatsObjectStore
from cato_runtime.requests import Requester
from cato_runtime.service import RuntimeDeps


def build_deps(
    settings: GatewaySettings,
    config: Config,
    broker: NatsBroker,
    js: JetStreamContext,
    storage: BrokerStorage,
) -> Deps:
    """Return the dependencies of the routes.

    Raises:
        ConfigurationError: if a token cannot be read.

    """
    objects = NatsObjectStore(js)
    asker = Requester(broker)
    return Deps(
        config=config,
        settings=settings,
        tokens=TokenTable(config.tokens),
        asker=asker,
        objects=objects,
        lists=ListCache(objects),
        ledger=NatsAnswerLedger(js),
        audit=NatsAuditLog(broker, js),
        traces=NatsSipTraces(broker, js),
        probe=NatsServiceProbe(broker, storage),
        watches=RunWatches(asker),
        board=RunBoard(asker),
    )


async def build(runtime: RuntimeDeps) -> GatewayService:
    """Return the service.

    Raises:
        ConfigurationError: if a setting or a token is invalid, or conflicts with another one.

    """
    settings = read_settings()
    drain_seconds = runtime.settings.drain_seconds
    if settings.drain_delay.total_seconds() >= drain_seconds:
        raise ConfigurationError("CATO_GATEWAY_DRAIN_DELAY should be less than CATO_DRAIN_SECONDS")
    refuse_public_default(runtime.config, settings.host)
    deps = build_deps(settings, runtime.config, runtime.broker, runtime.js, runtime.storage)
    return GatewayService(create_app(deps), deps, drain_seconds=drain_seconds)
