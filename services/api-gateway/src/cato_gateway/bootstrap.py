"""The one place where the gateway is put together."""

from faststream.nats import NatsBroker
from nats.js import JetStreamContext

from cato_gateway.adapters.list_cache import ListCache
from cato_gateway.adapters.nats_answer_ledger import NatsAnswerLedger
from cato_gateway.adapters.nats_service_probe import NatsServiceProbe
from cato_gateway.deps import Gateway
from cato_gateway.http.tokens import TokenTable
from cato_gateway.run_watches import RunWatches
from cato_gateway.settings import GatewaySettings
from cato_runtime.config import Config
from cato_runtime.objects import NatsObjectStore
from cato_runtime.requests import Requester


def build(settings: GatewaySettings, config: Config, broker: NatsBroker, js: JetStreamContext) -> Gateway:
    """Return what the application works with.

    Raises:
        ConfigurationError: if a token cannot be read.

    """
    objects = NatsObjectStore(js)
    asker = Requester(broker)
    return Gateway(
        config=config,
        settings=settings,
        tokens=TokenTable(config.tokens),
        asker=asker,
        objects=objects,
        lists=ListCache(objects),
        ledger=NatsAnswerLedger(js),
        probe=NatsServiceProbe(broker),
        watches=RunWatches(asker),
    )
