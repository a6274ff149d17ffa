"""A SIP worker is killed under a running dial role: the call records agree with the exchange."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from cato_contracts.messages.calls import CallEventKind
from cato_dialer.dial.adapters.pjsua2.supervisor import worker_process
from cato_dialer.dial.adapters.pjsua2.supervisor.trunk import Pjsua2Trunk
from cato_dialer.dial.domain.call.line_events import ReleaseCause
from cato_exchange.exchange import Exchange
from cato_exchange.plan import Plan
from cato_runtime.configuration.config import DialingConfig
from services.dialer.tests.support.stations import make_station
from services.dialer.tests.support.trunk.dial_bench import DialBench
from services.dialer.tests.support.trunk.raw_station import RawCall, raw_station
from services.dialer.tests.support.trunk.trunk_kit import Caller, every_code, follow, write_wav

PROMPT_MS = 2_000
PEOPLE = 4

pytestmark = pytest.mark.timeout(90)


def _all_listen(exchange: Exchange) -> bool:
    return len([call for call in exchange.calls if call.ack_ms is not None]) == PEOPLE


async def test_case_t1_four_listeners_of_a_killed_worker_are_called_again_in_the_same_wave(tmp_path: Path):
    audio = every_code(PROMPT_MS // 20)
    prompt = write_wav(tmp_path / "prompt.wav", audio)
    plan = Plan.parse("rules:\n  - {match: '7.', behaviour: answer}\n")
    async with Exchange(plan) as exchange:
        station = make_station(uri=exchange.uri, channels=PEOPLE)
        async with DialBench((station,), PEOPLE, prompt, PROMPT_MS, calls_per_worker=PEOPLE) as bench:
            (worker,) = bench.trunk.worker_pids
            for no in range(PEOPLE):
                bench.put(no, f"7{no}")
            await exchange.wait_until(
                lambda: sum(call.ack_ms is not None for call in exchange.calls) == PEOPLE, 20
            )
            os.kill(worker, signal.SIGKILL)
            await bench.until_empty(30)
        results = [bench.result(no) for no in range(PEOPLE)]
        kinds = [[event.kind for event in bench.events(no)] for no in range(PEOPLE)]
        invites = len(exchange.calls)
    assert [(result.wave, result.notified) for result in results] == [(1, True)] * PEOPLE
    assert invites == 2 * PEOPLE
    started = sum(of_one.count(CallEventKind.STARTED) for of_one in kinds)
    interrupted = sum(of_one.count(CallEventKind.INTERRUPTED) for of_one in kinds)
    assert (started, interrupted) == (invites, PEOPLE)


async def test_call_of_a_worker_that_dies_right_after_its_invite_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(worker_process, "_MODULE", "services.dialer.tests.support.trunk.dying_worker")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))

    async def ring(call: RawCall) -> None:
        await call.until(lambda message: message.method == "CANCEL", 60)

    async with raw_station(ring) as station:
        trunk = Pjsua2Trunk(DialingConfig(bind_address="127.0.0.1"), 1)
        await trunk.open()
        prompt = write_wav(tmp_path / "prompt.wav", every_code(2))
        line = Caller(trunk, make_station(uri=station.uri), prompt).call("1")
        heard = await follow(line, timeout=60)
        async with asyncio.timeout(60):
            await line.gone()
        await trunk.close()
    assert heard.end.cause is ReleaseCause.FAULT
    (call,) = station.calls
    assert [message.method for message in call.received][:2] == ["INVITE", "CANCEL"]
    assert line.sip_call_id == call.invite.header("Call-ID")
