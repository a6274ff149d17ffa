"""Registration with the simulated exchange's registrar, under a lease of a real broker."""

import asyncio
import itertools
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from nats.aio.client import Client

from cato_dialer.dial.adapters.configured_stations import station_of
from cato_dialer.dial.adapters.pjsua2.supervisor.registrar import StationRegistrar
from cato_dialer.dial.adapters.sip.station_keepalive import StationKeepalive
from cato_dialer.dial.domain.station import Station
from cato_exchange.exchange import Exchange
from cato_exchange.plan import Plan
from cato_jetstream import Bucket
from cato_runtime.configuration.config import DialingConfig
from cato_runtime.configuration.station_config import StationAuth, StationConfig, StationTls
from cato_runtime.process.embedded_nats import EmbeddedNats
from services.dialer.tests.support.trunk.certificates import certificate_for
from services.dialer.tests.support.trunk.raw_station import RawCall, Received, raw_station

Connect = Callable[[], Awaitable[Client]]
_DIALING = DialingConfig(bind_address="127.0.0.1")


@pytest.fixture
def plan() -> Plan:
    return Plan.parse("registration: {username: cato, password: secret, algorithm: SHA-256}\nrules: []\n")


def _configured(exchange: Exchange, password: str = "secret", **fields: Any) -> StationConfig:
    return StationConfig(
        **{
            "uri": exchange.uri,
            "register_": True,
            "register_expires_s": 10,
            "auth": StationAuth(username="cato", password=password),
            **fields,
        }
    )


def _station(exchange: Exchange, password: str = "secret", **fields: Any) -> Station:
    return station_of(_configured(exchange, password, **fields))


async def _replica(connect: Connect, station: Station) -> StationRegistrar:
    leases = Bucket((await connect()).jetstream(), "leases")
    return StationRegistrar(_DIALING, [station], leases)


async def test_a_registration_is_renewed_and_made_again_when_it_is_lost(connect: Connect, plan: Plan) -> None:
    async with Exchange(plan) as exchange:
        station = _station(exchange)
        registrar = await _replica(connect, station)
        await registrar.start()
        assert registrar.registered(station.id)
        (binding,) = exchange.registrar.bindings("cato")
        exchange.registrar.forget_all()
        assert not exchange.registrar.bindings("cato")
        await exchange.wait_until(lambda: bool(exchange.registrar.bindings("cato")), 20)
        assert exchange.registrar.bindings("cato")[0].contact == binding.contact
        await registrar.stop()
        assert not exchange.registrar.bindings("cato")


async def test_one_replica_registers_and_another_takes_over(connect: Connect, plan: Plan) -> None:
    async with Exchange(plan) as exchange:
        station = _station(exchange)
        first, second = await _replica(connect, station), await _replica(connect, station)
        await first.start()
        await second.start()
        assert (first.registered(station.id), second.registered(station.id)) == (True, False)
        assert len(exchange.registrar.bindings("cato")) == 1
        await first.stop()
        await exchange.wait_until(lambda: bool(exchange.registrar.bindings("cato")), 20)
        await second.stop()


async def test_a_registration_that_is_still_under_way_at_the_stop_is_ended_after_its_answer(
    connect: Connect,
) -> None:
    answer_second = asyncio.Event()
    second_is_there = asyncio.Event()

    def grant(call: RawCall, request: Received) -> None:
        call.respond(b"200 OK", to=request, extra=(f"Contact: {request.header('Contact')};expires=60",))

    async def answer(call: RawCall) -> Received:
        first = call.invite
        grant(call, first)
        second = await call.until(lambda message: message.header("CSeq") != first.header("CSeq"), 10)
        second_is_there.set()
        await answer_second.wait()
        grant(call, second)
        last = await call.until(
            lambda message: message.header("CSeq") not in {first.header("CSeq"), second.header("CSeq")}, 10
        )
        call.respond(b"200 OK", to=last)
        return last

    async with raw_station(answer) as raw, asyncio.timeout(20):
        station = station_of(StationConfig(uri=raw.uri, register_=True, register_expires_s=60))
        registrar = await _replica(connect, station)
        await registrar.start()
        assert registrar.registered(station.id)
        registrar.renew(station.id)
        await second_is_there.wait()
        stopping = asyncio.create_task(registrar.stop())
        asyncio.get_running_loop().call_later(0.3, answer_second.set)
        await stopping
        last = raw.calls[0].received[-1]
        assert "expires=0" in last.header("Contact") or last.header("Expires") == "0"


async def test_t18_a_registration_granted_for_4_s_is_renewed_in_time(connect: Connect) -> None:
    times: list[float] = []
    three = asyncio.Event()

    async def grant(call: RawCall) -> None:
        answered: set[str] = set()
        while True:
            register = await call.until(lambda message: message.header("CSeq") not in answered, 20)
            answered.add(register.header("CSeq"))
            times.append(asyncio.get_running_loop().time())
            contact = register.header("Contact").partition(";expires")[0]
            call.respond(b"200 OK", to=register, extra=(f"Contact: {contact};expires=4",))
            if len(times) == 3:
                three.set()

    async with raw_station(grant) as raw, asyncio.timeout(20):
        station = station_of(StationConfig(uri=raw.uri, register_=True, register_expires_s=60))
        registrar = await _replica(connect, station)
        await registrar.start()
        await three.wait()
        assert registrar.registered(station.id)
        assert all(1.5 < later - earlier < 3.5 for earlier, later in itertools.pairwise(times)), times
        await registrar.stop()


async def test_t10_thirteen_stations_are_all_registered_with(connect: Connect, plan: Plan) -> None:
    async with Exchange(plan) as exchange:
        stations = [
            _station(exchange, id=uuid4(), name=f"station {number}", caller_id=str(number))
            for number in range(13)
        ]
        registrar = StationRegistrar(_DIALING, stations, Bucket((await connect()).jetstream(), "leases"))
        await registrar.start()
        assert [registrar.registered(station.id) for station in stations] == [True] * 13
        await registrar.stop()


@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_a_registration_is_renewed_over_tcp_and_tls(
    connect: Connect, plan: Plan, tmp_path: Path, transport: str
) -> None:
    certificate, context = certificate_for("127.0.0.1", tmp_path)
    async with Exchange(plan, tls=context) as exchange:
        uri, tls = exchange.uri_over(transport), StationTls(ca_file=certificate)
        station = _station(exchange, uri=uri, tls=tls)
        registrar = await _replica(connect, station)
        await registrar.start()
        assert registrar.registered(station.id)
        (binding,) = exchange.registrar.bindings("cato")
        assert f"transport={transport}" in binding.contact.lower()
        exchange.registrar.forget_all()
        await exchange.wait_until(lambda: bool(exchange.registrar.bindings("cato")), 20)
        await registrar.stop()
        assert not exchange.registrar.bindings("cato")


async def test_a_station_that_came_up_is_registered_with_again(connect: Connect, plan: Plan) -> None:
    async with Exchange(plan) as exchange:
        station = _station(exchange, register_expires_s=3_600, options_interval_s=1)
        registrar = await _replica(connect, station)
        changed = asyncio.Event()
        watch = StationKeepalive("127.0.0.1", answer_s=0.3, came_up=registrar.renew)
        await registrar.start()
        await watch.open([station], changed.set)
        exchange.silent = True
        async with asyncio.timeout(10):
            await changed.wait()
        exchange.registrar.forget_all()
        exchange.silent = False
        await exchange.wait_until(lambda: bool(exchange.registrar.bindings("cato")), 10)
        await watch.close()
        await registrar.stop()


_REPLICA = """
import asyncio, sys, nats
from cato_jetstream import Bucket
from cato_dialer.dial.adapters.pjsua2.supervisor.registrar import StationRegistrar
from cato_dialer.dial.adapters.configured_stations import station_of
from cato_runtime.configuration.config import DialingConfig
from cato_runtime.configuration.station_config import StationConfig

async def main(url, station):
    client = await nats.connect(url)
    leases = Bucket(client.jetstream(), "leases")
    dialing = DialingConfig(bind_address="127.0.0.1")
    registrar = StationRegistrar(dialing, [station_of(StationConfig.model_validate_json(station))], leases)
    await registrar.start()
    print("started", file=sys.stderr, flush=True)
    await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_another_replica_registers_after_the_registered_one_is_killed(
    connect: Connect, server: EmbeddedNats, plan: Plan
) -> None:
    async with Exchange(plan) as exchange:
        configured = _configured(exchange)
        station = station_of(configured)
        asked = configured.model_dump_json(by_alias=True)
        first = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _REPLICA, server.url, asked), stderr=asyncio.subprocess.PIPE
        )
        second = await _replica(connect, station)
        try:
            assert first.stderr is not None
            async with asyncio.timeout(20):
                assert await first.stderr.readline() == b"started\n"
            await second.start()
            assert not second.registered(station.id)
            (before,) = exchange.registrar.bindings("cato")
        finally:
            first.kill()
            await first.wait()

        def taken_over() -> bool:
            return any(known.contact != before.contact for known in exchange.registrar.bindings("cato"))

        await exchange.wait_until(taken_over, 20)
        await second.stop()


async def test_wrong_credentials_leave_the_station_unregistered(connect: Connect, plan: Plan) -> None:
    async with Exchange(plan) as exchange:
        station = _station(exchange, "wrong")
        registrar = await _replica(connect, station)
        await registrar.start()
        assert exchange.registrar.requests > 0
        assert not registrar.registered(station.id)
        assert not exchange.registrar.bindings("cato")
        await registrar.stop()
