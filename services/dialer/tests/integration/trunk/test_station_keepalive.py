"""Stations watched by OPTIONS, against the simulated exchange."""

import asyncio
import socket
from uuid import UUID

from cato_dialer.dial.adapters.sip.options import answers_options
from cato_dialer.dial.adapters.sip.resolver import Resolver
from cato_dialer.dial.adapters.sip.station_keepalive import StationKeepalive
from cato_exchange.exchange import Exchange
from cato_exchange.plan import Plan
from services.dialer.tests.support.stations import make_station
from services.dialer.tests.support.trunk.fake_lookups import FakeLookups

_HERE = "127.0.0.1"


class Changes:
    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def note(self) -> None:
        self._changed.set()

    async def next(self) -> None:
        async with asyncio.timeout(10):
            await self._changed.wait()
        self._changed.clear()


async def test_a_silent_station_goes_down_and_comes_up_with_its_first_answer():
    changes = Changes()
    came_up: list[UUID] = []
    watch = StationKeepalive(_HERE, answer_s=0.3, came_up=came_up.append)
    async with Exchange(Plan()) as exchange:
        station = make_station(uri=exchange.uri, options_interval_s=1)
        await watch.open([station], changes.note)
        await exchange.wait_until(lambda: exchange.requests["OPTIONS"] > 0, 5)
        assert watch.is_up(station.id)
        exchange.silent = True
        watch.unanswered(station.id)
        await changes.next()
        assert (watch.is_up(station.id), came_up) == (False, [])
        exchange.silent = False
        await changes.next()
        assert (watch.is_up(station.id), came_up) == (True, [station.id])
        await watch.close()


async def test_a_station_that_ignores_options_is_up_while_calls_are_answered():
    changes = Changes()
    watch = StationKeepalive(_HERE, answer_s=0.1)
    async with Exchange(Plan()) as exchange:
        exchange.silent = True
        station = make_station(uri=exchange.uri, options_interval_s=3600)
        await watch.open([station], changes.note)
        await changes.next()
        watch.answered(station.id)
        assert watch.is_up(station.id)
        await watch.close()


async def test_a_station_that_is_not_watched_is_up():
    watch = StationKeepalive(_HERE)
    station = make_station(uri="sip:127.0.0.1:9", options_interval_s=0)
    await watch.open([station], lambda: None)
    assert watch.is_up(station.id)
    await watch.close()


async def test_a_closed_port_is_no_answer():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((_HERE, 0))
        closed = taken.getsockname()[1]
    for transport in ("udp", "tcp"):
        station = make_station(uri=f"sip:{_HERE}:{closed};transport={transport}")
        assert not await answers_options(station, 0.5, bind_address=_HERE)


async def test_any_answer_over_tcp_will_do():
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        (call_id,) = [line for line in request.split("\r\n") if line.startswith("Call-ID")]
        writer.write(f"SIP/2.0 405 Method Not Allowed\r\n{call_id}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(refuse, _HERE, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        station = make_station(uri=f"sip:{_HERE}:{port};transport=tcp")
        assert await answers_options(station, 5, bind_address=_HERE)


async def test_t19_a_station_whose_first_address_is_dead_is_up():
    changes = Changes()
    async with Exchange(Plan()) as exchange:
        lookups = FakeLookups(hosts={"pbx.example": ["127.0.0.3", _HERE]})
        resolver = Resolver(_HERE, lookups=lookups, probe_s=0.3)
        watch = StationKeepalive(_HERE, answer_s=0.3, resolver=resolver)
        station = make_station(uri=f"sip:pbx.example:{exchange.port}", options_interval_s=3600)
        await watch.open([station], changes.note)
        await exchange.wait_until(lambda: exchange.requests["OPTIONS"] == 2, 5)  # of resolver and watch
        assert watch.is_up(station.id)
        await watch.close()
