"""The dependencies of the routes, built by `bootstrap`."""

from dataclasses import dataclass

from cato_gateway.ports import AnswerLedger, Asker, AuditLog, Lists, ServiceProbe, SipTraces
from cato_gateway.run_board import RunBoard
from cato_gateway.run_watches import RunWatches
from cato_gateway.settings import GatewaySettings
from cato_gateway.tokens import TokenTable
from cato_runtime.configuration.config import Config
from cato_runtime.objects import ObjectStore


@dataclass(slots=True)
class Deps:
    """The ports, the settings and the state that all requests share; `draining` is set by the service."""

    config: Config
    settings: GatewaySettings
    tokens: TokenTable
    asker: Asker
    objects: ObjectStore
    lists: Lists
    ledger: AnswerLedger
    audit: AuditLog
    traces: SipTraces
    probe: ServiceProbe
    watches: RunWatches
    board: RunBoard
    draining: bool = False
