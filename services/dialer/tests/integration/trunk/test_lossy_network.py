"""Calls over a network that loses, repeats and reorders 5 % of the datagrams each.

The ordinary run makes 200 calls; CATO_LOSSY_CALLS sets another number.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from cato_dialer.dial.adapters.dense.sip.transactions.timing import Timing
from cato_dialer.dial.adapters.dense.trunk import DenseTrunk, Usage
from cato_dialer.dial.domain.call.line_events import (
    DigitSource,
    LineAnswered,
    LineDigit,
    LineEvent,
    LinePlaybackFinished,
    ReleaseCause,
)
from cato_dialer.dial.ports.trunk import Line
from cato_runtime.configuration.config import DialingConfig
from cato_runtime.configuration.station_config import DigitWay, StationAuth
from services.dialer.tests.integration.trunk.conftest import Bench
from services.dialer.tests.support.stations import make_station
from services.dialer.tests.support.trunk.lossy_network import lossy_network
from services.dialer.tests.support.trunk.trunk_kit import Caller, every_code, follow, write_wav

CALLS = int(os.environ.get("CATO_LOSSY_CALLS", "200"))
PER_SECOND = 40
SHARE = 0.05
TIMING = Timing(t1_s=0.1, t2_s=0.8, t4_s=1.0)
"A fifth of the usual times: a transaction ends after 6.4 s."
RINGS_S = 1.5

pytestmark = [pytest.mark.timeout(60 + CALLS // 10), pytest.mark.engines("dense")]


@dataclass(frozen=True)
class Kind:
    """What the exchange does, and how the call has to end."""

    does: str
    cause: ReleaseCause
    code: int | None
    answered: bool = False
    digits: str = ""


KINDS = (
    Kind("behaviour: answer", ReleaseCause.LOCAL_HANGUP, 200, answered=True),
    Kind("behaviour: answer, hang_up_after_s: 0.5", ReleaseCause.REMOTE_HANGUP, 200, answered=True),
    Kind("behaviour: busy", ReleaseCause.REJECTED, 486),
    Kind("behaviour: no_answer", ReleaseCause.LOCAL_HANGUP, None),
    Kind("behaviour: cancel_crossing", ReleaseCause.LOCAL_HANGUP, None),
    Kind(
        "behaviour: answer, challenge: {username: cato, password: secret}",
        ReleaseCause.LOCAL_HANGUP,
        200,
        answered=True,
    ),
    Kind("behaviour: early_media, answer_after_s: 0.2", ReleaseCause.LOCAL_HANGUP, 200, answered=True),
    Kind(
        "behaviour: answer, digits: [{digits: '5', after_s: 0.1, by: info}], hang_up_after_s: 4",
        ReleaseCause.REMOTE_HANGUP,
        200,
        answered=True,
        digits="5",
    ),
    Kind(
        "behaviour: answer, reinvite_after_s: 0.1, resume_after_s: 0.2", ReleaseCause.LOCAL_HANGUP, 200, True
    ),
    Kind("behaviour: no_reply", ReleaseCause.NO_RESPONSE, None),
)


async def test_all_calls_end_rightly_under_loss_and_nothing_is_left(bench: Bench):
    exchange = await bench.exchange(*(f"match: '{no}.*', {kind.does}" for no, kind in enumerate(KINDS)))
    network = await bench.stack.enter_async_context(lossy_network(exchange.port, share=SHARE, seed=1))
    trunk = DenseTrunk(DialingConfig(bind_address="127.0.0.1"), CALLS, timing=TIMING)
    await trunk.open()
    bench.stack.push_async_callback(trunk.close)
    ports = trunk.free_ports
    station = make_station(
        uri=f"sip:127.0.0.1:{network.port}",
        auth=StationAuth(username="cato", password="secret"),
        dtmf=(DigitWay.INFO,),
    )
    caller = Caller(trunk, station, write_wav(bench.prompt, every_code(10)))
    results: Counter[str] = Counter()
    async with asyncio.TaskGroup() as calls:
        for number in range(CALLS):
            line = caller.call(f"{number % len(KINDS)}{number}")
            calls.create_task(one_call(line, KINDS[number % len(KINDS)], results))
            await asyncio.sleep(1 / PER_SECOND)
    assert results == {"right": CALLS}
    assert min(network.lost, network.repeated, network.delayed) > CALLS // 10
    await until(lambda: trunk.usage == Usage(), 2 * TIMING.life_s)
    assert sorted(trunk.free_ports) == sorted(ports)
    await exchange.wait_until(
        lambda: all(call.ended or call.behaviour == "no_reply" for call in exchange.calls), 10
    )


async def one_call(line: Line, kind: Kind, results: Counter[str]) -> None:
    async def react(event: LineEvent) -> None:
        played = isinstance(event, LinePlaybackFinished)
        if played and kind.cause is ReleaseCause.LOCAL_HANGUP:
            await line.hang_up()

    loop = asyncio.get_running_loop()
    gives_up = not kind.answered and kind.cause is ReleaseCause.LOCAL_HANGUP
    timer = loop.call_later(RINGS_S, lambda: loop.create_task(line.hang_up())) if gives_up else None
    try:
        heard = await follow(line, react, timeout=30)
    except TimeoutError as error:
        error.add_note(kind.does)
        raise
    if timer is not None:
        timer.cancel()
    keys = [(event.digit, event.source) for event in heard.all(LineDigit)]
    found = (heard.end.cause, heard.end.sip_code, len(heard.all(LineAnswered)), keys)
    digits = [(digit, DigitSource.SIP_INFO) for digit in kind.digits]
    wanted = (kind.cause, kind.code, int(kind.answered), digits)
    results["right" if found == wanted else f"{kind.does}: {found}"] += 1


async def until(condition: Callable[[], bool], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)
