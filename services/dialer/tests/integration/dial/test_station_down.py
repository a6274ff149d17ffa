"""The only station is switched off during a wave, and comes back: the dial role on each engine."""

import asyncio
from pathlib import Path

import pytest

from cato_contracts.messages.calls import FINAL_KINDS
from cato_dialer.dial.adapters.sip.station_keepalive import StationKeepalive
from cato_exchange.exchange import Exchange
from cato_exchange.plan import Plan
from services.dialer.tests.support.stations import make_station
from services.dialer.tests.support.trunk.dial_bench import DialBench
from services.dialer.tests.support.trunk.trunk_kit import every_code, write_wav

PEOPLE = 6
PLAN = Plan.parse("rules:\n  - {match: '55\\d', behaviour: answer, ring_s: 0.05}\n")


@pytest.mark.parametrize("engine", ["pjsua2", "dense"])
async def test_a_wave_waits_for_a_station_that_is_switched_off_s3(tmp_path: Path, engine: str) -> None:
    prompt = write_wav(tmp_path / "prompt.wav", every_code(20))
    watch = StationKeepalive("127.0.0.1", answer_s=0.5)
    async with Exchange(PLAN) as exchange:
        station = make_station(uri=exchange.uri, channels=3, max_setup_delay_s=2, engine=engine)
        exchange.silent = True
        async with DialBench((station,), 3, prompt, 400, engine=engine, watch=watch) as bench:
            for no in range(PEOPLE):
                bench.put(no, f"55{no}")
            async with asyncio.timeout(10):
                while watch.is_up(station.id) or bench.calls_up():
                    await asyncio.sleep(0.05)
            reasons = [event.reason for event in bench.all_events() if event.kind in FINAL_KINDS]
            assert reasons == ["station-down"] * 3
            assert bench.results() == []
            exchange.silent = False
            await bench.until_empty(15)
        assert sorted(result.no for result in bench.results() if result.notified) == list(range(PEOPLE))
        answered = [record.number for record in exchange.ended_calls if record.answer_ms is not None]
        assert sorted(answered) == [f"55{no}" for no in range(PEOPLE)]
