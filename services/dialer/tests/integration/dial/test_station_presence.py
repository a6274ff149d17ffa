"""How a dial replica sees its stations, as the campaign role learns of it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

from nats.aio.client import Client

from cato_contracts.api.stations import StationFailure, StationState
from cato_contracts.messages.stations import StationSight
from cato_contracts.subjects import STATION_PRESENCE
from cato_dialer.campaign.adapters.nats_station_sights import NatsStationSights
from cato_dialer.dial.adapters.nats.station_presence import NatsStationPresence
from cato_dialer.dial.adapters.sip.station_keepalive import StationKeepalive
from cato_exchange.exchange import Exchange
from cato_exchange.plan import Plan
from services.dialer.tests.support.stations import make_station
from tests.support.nats_server import until_read

FAILURE = StationFailure(
    at=datetime(2026, 1, 1, tzinfo=UTC), reason="registration-failed", sip_code=403, text="403 Forbidden"
)


class Registrar:
    def registered(self, _station_id: UUID) -> bool:
        return False

    def last_failure(self, _station_id: UUID) -> StationFailure | None:
        return FAILURE


class Channels:
    def usage(self, _station_id: UUID) -> tuple[int, int]:
        return 5, 3


class Told:
    """Waits for what the campaign role is told."""

    def __init__(self, sights: NatsStationSights) -> None:
        self._sights = sights
        self._changed = asyncio.Event()
        sights.on_change(self._changed.set)

    async def until(self, wanted: Callable[[list[StationSight]], bool]) -> list[StationSight]:
        async with asyncio.timeout(10):
            while not wanted(seen := list(self._sights.sights())):
                await self._changed.wait()
                self._changed.clear()
        return seen


async def test_a_station_that_falls_silent_and_comes_back_is_announced_s3(
    connect: Callable[[], Awaitable[Client]],
) -> None:
    sights = NatsStationSights(await connect())
    told = Told(sights)
    await sights.start()
    async with Exchange(Plan()) as exchange:
        station = make_station(uri=exchange.uri, options_interval_s=1, register_=True)
        watch = StationKeepalive("127.0.0.1", answer_s=0.3)
        presence = NatsStationPresence(await connect(), lambda: [station], watch, Registrar(), Channels())
        await watch.open([station], presence.changed)
        await presence.start()
        (seen,) = await told.until(lambda seen: [one.state for one in seen] == [StationState.UP])
        assert (seen.name, seen.registered, seen.channels_in_use) == ("main", False, 3)
        assert seen.last_failure == FAILURE
        exchange.silent = True
        (seen,) = await told.until(lambda seen: seen[0].state is StationState.DOWN)
        assert seen.last_failure is not None
        assert seen.last_failure.reason == "options-unanswered"
        exchange.silent = False
        await told.until(lambda seen: seen[0].state is StationState.UP)
        await presence.stop()
        await told.until(lambda seen: seen == [])
        await watch.close()
    await sights.stop()


async def test_an_announcement_that_cannot_be_read_is_left_out(
    connect: Callable[[], Awaitable[Client]],
) -> None:
    client = await connect()
    sights = NatsStationSights(client)
    await sights.start()
    for junk in (b"", b"\xff", b"[]", b'{"replica": 1}'):
        await client.publish(STATION_PRESENCE, junk)
    await until_read(client)
    assert list(sights.sights()) == []
    await sights.stop()
