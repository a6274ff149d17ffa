"""More stations than a SIP worker has accounts for, and stations of different transports side by side."""

import asyncio
import socket
from pathlib import Path
from uuid import uuid4

import pytest

from cato_contracts.messages.calls import CallEventKind
from cato_dialer.dial.adapters.pjsua2.supervisor.trunk import Pjsua2Trunk
from cato_dialer.dial.domain.call.line_events import LineAnswered, LinePlaybackFinished
from cato_runtime.configuration.station_config import StationAuth
from services.dialer.tests.integration.trunk.conftest import Bench
from services.dialer.tests.integration.trunk.raw.test_raw_messages import answer
from services.dialer.tests.support.stations import make_station
from services.dialer.tests.support.trunk.dial_bench import DialBench
from services.dialer.tests.support.trunk.raw_station import RawCall, raw_station
from services.dialer.tests.support.trunk.trunk_kit import Caller, every_code, follow_until, write_wav

pytestmark = pytest.mark.timeout(60)

STATIONS = 13


@pytest.mark.parametrize("engine", ["pjsua2", "dense"])
async def test_t11_a_person_is_called_through_all_thirteen_stations(tmp_path: Path, engine: str):
    async def unavailable(call: RawCall) -> None:
        call.respond(b"503 Service Unavailable")

    async with raw_station(unavailable) as station:
        stations = tuple(
            make_station(id=uuid4(), name=f"s{index}", uri=station.uri, caller_id=f"7{index}", priority=index)
            for index in range(STATIONS)
        )
        prompt = write_wav(tmp_path / "prompt.wav", every_code(50))
        async with DialBench(stations, 1, prompt, 1_000, engine=engine) as bench:
            workers = bench.trunk.worker_pids
            bench.put(0, "1")
            await bench.until_empty(30)
            assert bench.trunk.worker_pids == workers
            events, result = bench.events(0), bench.result(0)
        callers = [invite.header("From").partition("sip:")[2].partition("@")[0] for invite in station.invites]
    assert callers == [f"7{index}" for index in range(STATIONS)]
    assert result.reason == "service-unavailable"
    assert CallEventKind.INTERRUPTED not in [event.kind for event in events]


@pytest.mark.engines("dense")
async def test_t12_a_station_with_an_ipv6_address_is_called(bench: Bench):
    async def answer_by_ipv6(call: RawCall) -> None:
        call.respond(b"200 OK", sdp=call.audio().replace("IP4 127.0.0.1", "IP6 ::1"))
        await call.until(lambda message: message.method == "ACK")

    async with raw_station(answer_by_ipv6, "::1") as station:
        trunk = await bench.trunk(1, bind_address="::1")
        caller = Caller(trunk, make_station(uri=station.uri), bench.prompt)
        heard = await follow_until(caller.call("1"), LinePlaybackFinished)
    assert heard.all(LinePlaybackFinished)


@pytest.mark.engines("pjsua2")
async def test_t13_a_large_invite_is_sent_by_udp_while_another_station_uses_tcp(bench: Bench):
    # A socket that is bound and does not listen: TCP is refused there. Where it is filtered, nothing is
    # answered at all, and the library would wait all the longer.
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        trunk = await bench.trunk(1)
        assert isinstance(trunk, Pjsua2Trunk)
        over_tcp = make_station(uri=f"sip:127.0.0.1:{closed.getsockname()[1]};transport=tcp")
        async with asyncio.timeout(10):
            async for _ in Caller(trunk, over_tcp, bench.prompt).call("1").events():
                pass

    async def challenge(call: RawCall) -> None:
        long = 'Digest realm="' + "r" * 700 + '", nonce="' + "n" * 600 + '"'
        call.respond(b"401 Unauthorized", extra=(f"WWW-Authenticate: {long}",))
        again = await call.until(lambda message: bool(message.header("Authorization")))
        assert len(again.text) > 1_300
        call.invite = again
        await answer(call)

    async with raw_station(challenge) as station:
        auth = StationAuth(username="cato", password="secret")
        caller = Caller(trunk, make_station(uri=station.uri, auth=auth), bench.prompt)
        heard = await follow_until(caller.call("1"), LineAnswered)
    assert heard.all(LineAnswered)
