"""Readiness of the services, by a request to each."""

import asyncio

from faststream.nats import NatsBroker

from cato_contracts.errors import BrokerError
from cato_jetstream import translated
from cato_runtime.broker_storage import BrokerStorage
from cato_runtime.service import ping_subject

_TIMEOUT_S = 1.0


class NatsServiceProbe:
    """Pings every service. No answer, or no connection to the broker, means not ready."""

    def __init__(
        self,
        broker: NatsBroker,
        storage: BrokerStorage,
        services: tuple[str, ...] = ("media", "dialer", "reporting"),
    ) -> None:
        self._broker = broker
        self._storage = storage
        self._services = services

    async def states(self) -> dict[str, bool]:
        answers = await asyncio.gather(*(self._ready(service) for service in self._services))
        return dict(zip(self._services, answers, strict=True))

    async def _ready(self, service: str) -> bool:
        try:
            with translated():
                await self._broker.request(b"", ping_subject(service), timeout=_TIMEOUT_S)
        except BrokerError:
            return False
        return True

    def storage_fault(self) -> str | None:
        return self._storage.fault

    def broker_closed(self) -> bool:
        return bool(self._broker.connection.is_closed)
