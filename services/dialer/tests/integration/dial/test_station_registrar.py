"""Registration with the simulated exchange's registrar, under a lease of a real broker."""

from collections.abc import Awaitable, Callable

import pytest
from nats.aio.client import Client

from cato_dialer.adapters.nats_dial_leases import LeaseBucket
from cato_dialer.adapters.pjsua2.registrar import StationRegistrar
from cato_exchange.exchange import Exchange
from cato_exchange.plan import Plan
from cato_runtime.config import DialingConfig, StationAuth, StationConfig

Connect = Callable[[], Awaitable[Client]]
_DIALING = DialingConfig(bind_address="127.0.0.1")


@pytest.fixture
def plan() -> Plan:
    return Plan.parse("registration: {username: cato, password: secret, algorithm: SHA-256}\nrules: []\n")


def _station(exchange: Exchange, password: str = "secret") -> StationConfig:
    return StationConfig(
        uri=exchange.uri,
        register_=True,
        register_expires_s=10,
        auth=StationAuth(username="cato", password=password),
    )


async def _replica(connect: Connect, station: StationConfig) -> StationRegistrar:
    leases = LeaseBucket((await connect()).jetstream(timeout=2))
    return StationRegistrar(_DIALING, [station], leases)


async def test_registers_with_credentials_renews_and_comes_back_when_forgotten(
    connect: Connect, plan: Plan
) -> None:
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


async def test_wrong_credentials_are_no_registration(connect: Connect, plan: Plan) -> None:
    async with Exchange(plan) as exchange:
        station = _station(exchange, "wrong")
        registrar = await _replica(connect, station)
        await registrar.start()
        assert exchange.registrar.requests > 0
        assert not registrar.registered(station.id)
        assert not exchange.registrar.bindings("cato")
        await registrar.stop()
