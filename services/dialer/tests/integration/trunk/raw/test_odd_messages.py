"""Odd and malformed messages, against people who are on calls in the same SIP workers.

At most the call that a message concerns is touched. The messages come from tables that follow the grammars of
SIP and SDP.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from cato_contracts.messages.calls import FINAL_KINDS, CallEventKind
from services.dialer.tests.support.stations import make_station
from services.dialer.tests.support.trunk.dial_bench import DialBench
from services.dialer.tests.support.trunk.odd.descriptions import DESCRIPTIONS
from services.dialer.tests.support.trunk.odd.requests import REQUESTS, request
from services.dialer.tests.support.trunk.odd.responses import RESPONSES, response
from services.dialer.tests.support.trunk.raw_station import RawCall, RawStation, raw_station
from services.dialer.tests.support.trunk.trunk_kit import every_code, write_wav

PEOPLE, CHANNELS = 40, 8
PROMPT_MS = 1_000
LIMIT_S = 40
SETTLE_S = 0.1
"For the caller to act on an odd message, before the call is ended in the right way."

Script = Callable[[RawCall], Awaitable[None]]


async def answered(call: RawCall, sdp: str) -> bool:
    """Answer the call; tell whether that was acknowledged."""
    call.respond(b"200 OK", sdp=sdp)
    try:
        await call.until(lambda message: message.method == "ACK", 1.0)
    except TimeoutError:
        return False
    return True


async def person(call: RawCall) -> None:
    """Listen until the caller hangs up."""
    call.respond(b"100 Trying")
    call.respond(b"180 Ringing")
    await answered(call, call.audio())


async def ended(call: RawCall) -> None:
    """End the call in whatever state it is, as the RFC says."""
    await asyncio.sleep(SETTLE_S)
    # A challenge may have been answered by another INVITE.
    for invite in [message for message in call.received if message.method == "INVITE"]:
        call.respond(b"486 Busy Here", to=invite)
    call.start_request("BYE")


def with_response(name: str) -> Script:
    async def script(call: RawCall) -> None:
        call.send(response(call, RESPONSES[name]))
        await ended(call)

    return script


def with_request(name: str) -> Script:
    async def script(call: RawCall) -> None:
        if await answered(call, call.audio()):
            call.send(request(call, REQUESTS[name]))
        call.sequence = 800  # above that of the odd request
        await ended(call)

    return script


def with_description(name: str) -> Script:
    async def script(call: RawCall) -> None:
        call.respond(b"183 Session Progress", sdp=DESCRIPTIONS[name])
        await asyncio.sleep(SETTLE_S)
        await answered(call, DESCRIPTIONS[name])
        await ended(call)

    return script


ODD: list[tuple[str, Script]] = [
    *((f"response {name}", with_response(name)) for name in RESPONSES),
    *((f"request {name}", with_request(name)) for name in REQUESTS),
    *((f"description {name}", with_description(name)) for name in DESCRIPTIONS),
]


def test_the_tables_are_large_enough():
    assert len(RESPONSES) >= 60
    assert len(REQUESTS) >= 70
    assert len(DESCRIPTIONS) >= 45


def number(no: int) -> str:
    return f"40{no:04}"


def script_of(call: RawCall) -> Awaitable[None]:
    no = int(call.invite.start_line.partition("sip:40")[2][:4])
    return person(call) if no < PEOPLE else ODD[no - PEOPLE][1](call)


def interleaved() -> list[int]:
    """Return people and odd calls in an order in which all people are called among odd calls."""
    step = len(ODD) / PEOPLE
    order = [(index * step, index) for index in range(PEOPLE)]
    order += [(float(index), PEOPLE + index) for index in range(len(ODD))]
    return [no for _, no in sorted(order)]


async def call_all(
    station: RawStation, prompt: Path, engine: str
) -> tuple[DialBench, tuple[int, ...], set[int]]:
    stations = (make_station(uri=station.uri, channels=CHANNELS, max_setup_delay_s=4),)
    bench = DialBench(stations, CHANNELS, prompt, PROMPT_MS, engine=engine, calls_per_worker=CHANNELS // 2)
    async with bench:
        workers = bench.trunk.worker_pids
        for no in interleaved():
            bench.put(no, number(no))
        await bench.until_empty(LIMIT_S)
        return bench, workers, set(bench.trunk.worker_pids)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("engine", ["pjsua2", "dense"])
async def test_no_odd_message_touches_the_calls_of_others(tmp_path: Path, engine: str):
    prompt = write_wav(tmp_path / "prompt.wav", every_code(PROMPT_MS // 20))
    async with raw_station(script_of) as station:
        bench, workers, at_the_end = await call_all(station, prompt, engine)
    faults = {
        ODD[no - PEOPLE][0] if no >= PEOPLE else f"person {no}": event.reason
        for no in range(PEOPLE + len(ODD))
        for event in bench.events(no)
        if event.kind is CallEventKind.INTERRUPTED
    }
    results = {no: bench.result(no) for no in range(PEOPLE)}
    calls = [sum(event.kind in FINAL_KINDS for event in bench.events(no)) for no in range(PEOPLE)]
    assert (faults, set(workers) - at_the_end) == ({}, set())
    assert {no: result.reason for no, result in results.items() if not result.notified} == {}
    assert calls == [1] * PEOPLE
    started = sum(
        event.kind is CallEventKind.STARTED for no in range(PEOPLE + len(ODD)) for event in bench.events(no)
    )
    assert len(station.invites) >= started
