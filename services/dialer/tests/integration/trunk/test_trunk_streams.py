"""Calls over TCP and TLS, with certificates made for the test."""

import ssl
from pathlib import Path

import pytest

from cato_dialer.dial.adapters.sip.options import answers_options
from cato_dialer.dial.adapters.sip.tls_context import tls_context
from cato_dialer.dial.domain.call.line_events import LinePlaybackFinished, ReleaseCause
from cato_exchange.exchange import Exchange
from cato_exchange.plan import Plan
from cato_runtime.configuration.station_config import StationTls
from services.dialer.tests.integration.trunk.conftest import Bench
from services.dialer.tests.support.stations import make_station
from services.dialer.tests.support.trunk.certificates import make_certificate, server_context
from services.dialer.tests.support.trunk.trunk_kit import Caller, follow

_PLAN = "rules:\n  - {number: '1', behaviour: answer, hang_up_after_s: 1.5}\n"


async def test_a_call_over_tcp_is_heard_to_the_end(bench: Bench):
    async with Exchange(Plan.parse(_PLAN)) as exchange:
        station = make_station(uri=exchange.uri_over("tcp"))
        assert await answers_options(station, 5, bind_address="127.0.0.1")
        heard = await follow(Caller(await bench.trunk(), station, bench.prompt).call("1"))
        assert heard.end.cause is ReleaseCause.REMOTE_HANGUP
        assert heard.all(LinePlaybackFinished)


@pytest.mark.engines("pjsua2")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_call_over_tls_succeeds_with_a_verified_certificate(bench: Bench, tmp_path: Path, host: str):
    certificate, key = make_certificate(tmp_path, host)
    async with Exchange(Plan.parse(_PLAN), tls=server_context(certificate, key)) as exchange:
        uri = exchange.uri_over("tls").replace("127.0.0.1", host)
        station = make_station(uri=uri, tls=StationTls(ca_file=certificate))
        assert await answers_options(station, 5, bind_address="127.0.0.1", tls=tls_context(station.tls))
        heard = await follow(Caller(await bench.trunk(), station, bench.prompt).call("1"))
        assert heard.end.cause is ReleaseCause.REMOTE_HANGUP
        assert heard.all(LinePlaybackFinished)
        (record,) = exchange.calls
        assert record.bye_answered is not False


@pytest.mark.engines("pjsua2")
async def test_a_station_that_wants_our_certificate_gets_it(bench: Bench, tmp_path: Path):
    certificate, key = make_certificate(tmp_path, "127.0.0.1")
    ours, our_key = make_certificate(tmp_path, "cato.example")
    stranger, strange_key = make_certificate(tmp_path, "stranger.example")
    context = server_context(certificate, key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ours)
    async with Exchange(Plan.parse(_PLAN), tls=context) as exchange:
        trunk = await bench.trunk()

        async def call(tls: StationTls) -> ReleaseCause:
            station = make_station(uri=exchange.uri_over("tls"), tls=tls)
            answered = await answers_options(
                station, 5, bind_address="127.0.0.1", tls=tls_context(station.tls)
            )
            cause = (await follow(Caller(trunk, station, bench.prompt).call("1"))).end.cause
            assert answered is (cause is ReleaseCause.REMOTE_HANGUP)
            return cause

        assert await call(StationTls(ca_file=certificate)) is ReleaseCause.NO_RESPONSE
        unknown = StationTls(ca_file=certificate, cert_file=stranger, key_file=strange_key)
        assert await call(unknown) is ReleaseCause.NO_RESPONSE
        assert not exchange.calls
        known = StationTls(ca_file=certificate, cert_file=ours, key_file=our_key)
        assert await call(known) is ReleaseCause.REMOTE_HANGUP
        assert len(exchange.calls) == 1


@pytest.mark.engines("pjsua2")
async def test_a_station_with_a_certificate_for_another_name_is_not_called(bench: Bench, tmp_path: Path):
    certificate, key = make_certificate(tmp_path, "pbx.example")
    async with Exchange(Plan.parse(_PLAN), tls=server_context(certificate, key)) as exchange:
        station = make_station(uri=exchange.uri_over("tls"), tls=StationTls(ca_file=certificate))
        assert not await answers_options(station, 5, bind_address="127.0.0.1", tls=tls_context(station.tls))
        heard = await follow(Caller(await bench.trunk(), station, bench.prompt).call("1"))
        assert heard.end.cause is ReleaseCause.NO_RESPONSE
        assert not exchange.calls


@pytest.mark.engines("pjsua2")
async def test_a_station_of_an_unknown_authority_is_called_only_unverified(bench: Bench, tmp_path: Path):
    certificate, key = make_certificate(tmp_path, "127.0.0.1")
    other, _ = make_certificate(tmp_path, "127.0.0.2")
    async with Exchange(Plan.parse(_PLAN), tls=server_context(certificate, key)) as exchange:
        trunk = await bench.trunk()
        uri = exchange.uri_over("tls")
        strict = make_station(uri=uri, tls=StationTls(ca_file=other))
        assert (await follow(Caller(trunk, strict, bench.prompt).call("1"))).end.cause is (
            ReleaseCause.NO_RESPONSE
        )
        assert not exchange.calls
        lax = make_station(uri=uri, tls=StationTls(verify=False))
        heard = await follow(Caller(trunk, lax, bench.prompt).call("1"))
        assert heard.end.cause is ReleaseCause.REMOTE_HANGUP
