"""The gateway's parts, as `bootstrap` puts them together."""

from dataclasses import dataclass

from cato_gateway.http.tokens import TokenTable
from cato_gateway.ports import AnswerLedger, Asker, Lists, ServiceProbe
from cato_gateway.run_watches import RunWatches
from cato_gateway.settings import GatewaySettings
from cato_runtime.config import Config
from cato_runtime.objects import ObjectStore


@dataclass(slots=True)
class Gateway:
    """What the routes work with."""

    config: Config
    settings: GatewaySettings
    tokens: TokenTable
    asker: Asker
    objects: ObjectStore
    lists: Lists
    ledger: AnswerLedger
    probe: ServiceProbe
    watches: RunWatches
    draining: bool = False
