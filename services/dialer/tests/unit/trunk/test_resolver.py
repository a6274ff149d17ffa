"""The address of a station that is configured by name: order of the records, dead addresses, failures."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from cato_dialer.dial.adapters.sip.resolver import Resolver, Target
from cato_dialer.dial.domain.station import Station
from services.dialer.tests.support.stations import make_station
from services.dialer.tests.support.trunk.fake_lookups import FakeLookups

PROBE_S = 0.3


class Answering(asyncio.DatagramProtocol):
    """Answers each OPTIONS while `alive`."""

    alive = True
    asked = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport
        self.target = Target(*transport.get_extra_info("sockname")[:2])

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked += 1
        if self.alive:
            self.transport.sendto(b"SIP/2.0 405 No\r\n" + data.partition(b"\r\n")[2], addr)


@pytest.fixture
async def peers() -> AsyncIterator[list[Answering]]:
    """Three SIP peers; the first two have the same address and different ports."""
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_datagram_endpoint(Answering, local_addr=(host, 0))
        for host in ("127.0.0.1", "127.0.0.1", "127.0.0.2")
    ]
    yield [peer for _, peer in opened]
    for transport, _ in opened:
        transport.close()


def resolver(lookups: FakeLookups) -> Resolver:
    return Resolver("127.0.0.1", lookups=lookups, probe_s=PROBE_S)


def station(uri: str = "sip:pbx.example") -> Station:
    return make_station(uri=uri)


async def test_t19_srv_records_give_host_and_port(peers: list[Answering]):
    target = peers[0].target
    lookups = FakeLookups([("a.example", target.port)], {"a.example": [target.host]})
    assert await resolver(lookups).resolve(station()) == target
    assert peers[0].asked == 0  # there is no other address to choose


async def test_t19_a_dead_first_address_is_passed_over_in_time(peers: list[Answering]):
    dead, alive, _ = peers
    dead.alive = False
    lookups = FakeLookups(
        [("a.example", dead.target.port), ("b.example", alive.target.port)],
        {"a.example": ["127.0.0.1"], "b.example": ["127.0.0.1"]},
    )
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await resolver(lookups).resolve(station()) == alive.target
    assert PROBE_S <= loop.time() - began < PROBE_S + 1


async def test_t19_a_dead_first_address_record_is_passed_over(peers: list[Answering]):
    _, _, alive = peers
    lookups = FakeLookups(hosts={"pbx.example": ["127.0.0.3", alive.target.host]})
    found = await resolver(lookups).resolve(station(f"sip:pbx.example:{alive.target.port}"))
    assert found == alive.target
    assert lookups.asked == ["pbx.example"]  # a port in the URI excludes SRV records


async def test_the_preferred_of_two_live_addresses_is_used_at_once(peers: list[Answering]):
    first, second, _ = peers
    second.alive = False
    lookups = FakeLookups(
        [("a.example", first.target.port), ("a.example", second.target.port)], {"a.example": ["127.0.0.1"]}
    )
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await resolver(lookups).resolve(station()) == first.target
    assert loop.time() - began < PROBE_S


async def test_the_first_address_is_used_if_none_answers_options(peers: list[Answering]):
    for peer in peers:
        peer.alive = False
    lookups = FakeLookups(
        [("a.example", peers[0].target.port), ("a.example", peers[1].target.port)],
        {"a.example": ["127.0.0.1"]},
    )
    assert await resolver(lookups).resolve(station()) == peers[0].target


async def test_a_target_that_has_no_address_is_passed_over():
    lookups = FakeLookups([("gone.example", 5060), ("a.example", 5070)], {"a.example": ["127.0.0.1"]})
    assert await resolver(lookups).resolve(station()) == ("127.0.0.1", 5070)


async def test_many_calls_at_once_make_one_look_up():
    lookups = FakeLookups(hosts={"pbx.example": ["127.0.0.1"]})
    one = resolver(lookups)
    found = await asyncio.gather(*(one.resolve(station()) for _ in range(50)))
    assert set(found) == {Target("127.0.0.1", 5060)}
    assert lookups.asked == ["udp pbx.example", "pbx.example"]


async def test_a_result_is_kept_until_the_station_is_suspected(peers: list[Answering]):
    first, second, _ = peers
    lookups = FakeLookups(
        [("a.example", first.target.port), ("a.example", second.target.port)], {"a.example": ["127.0.0.1"]}
    )
    one = resolver(lookups)
    assert await one.resolve(station()) == first.target
    first.alive = False
    assert await one.resolve(station()) == first.target
    one.suspect(station())
    assert await one.resolve(station()) == second.target


async def test_the_last_result_is_used_while_the_name_service_fails():
    lookups = FakeLookups(hosts={"pbx.example": ["127.0.0.1"]})
    one = resolver(lookups)
    known = await one.resolve(station())
    lookups.failing = True
    one.suspect(station())
    assert await one.resolve(station()) == known
    with pytest.raises(OSError, match="not known"):
        await resolver(lookups).resolve(station())


async def test_an_address_is_not_looked_up():
    lookups = FakeLookups(failing=True)
    assert await resolver(lookups).resolve(station("sip:127.0.0.1:5070")) == ("127.0.0.1", 5070)
