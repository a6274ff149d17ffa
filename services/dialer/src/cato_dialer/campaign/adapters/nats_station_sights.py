"""Follow how the dial replicas see the stations."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from uuid import UUID

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from pydantic import ValidationError

from cato_contracts.errors import BrokerError
from cato_contracts.messages.stations import StationSight, StationSights
from cato_contracts.subjects import STATION_PRESENCE
from cato_jetstream import translated

log = structlog.get_logger()

_ABSENT_AFTER_S = 10.0
"""A replica sends every two seconds; one that has died is forgotten after this time."""


class NatsStationSights:
    """Implements `ports.StationSightings`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._seen: dict[UUID, tuple[float, StationSights]] = {}
        self._listeners: list[Callable[[], None]] = []
        self._subscription: Subscription | None = None

    async def start(self) -> None:
        with translated("stations cannot be followed"):
            self._subscription = await self._client.subscribe(STATION_PRESENCE, cb=self._receive)

    async def stop(self) -> None:
        if self._subscription is not None:
            with contextlib.suppress(BrokerError), translated():  # without a connection there is none to end
                await self._subscription.unsubscribe()

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def sights(self) -> Sequence[StationSight]:
        now = asyncio.get_running_loop().time()
        return [sight for until, seen in self._seen.values() if until > now for sight in seen.stations]

    async def _receive(self, message: Msg) -> None:
        try:
            told = StationSights.model_validate_json(message.data)
        except ValidationError as error:
            log.warning("announcement of stations cannot be decoded", error=str(error))
            return
        now = asyncio.get_running_loop().time()
        self._seen = {replica: kept for replica, kept in self._seen.items() if kept[0] > now}
        before = self._seen.pop(told.replica, None)
        if told.stations:
            self._seen[told.replica] = (now + _ABSENT_AFTER_S, told)
        if before is None or _states(before[1]) != _states(told):
            for listener in tuple(self._listeners):
                listener()


def _states(told: StationSights) -> list[tuple[UUID, str]]:
    return [(sight.station_id, sight.state) for sight in told.stations]
