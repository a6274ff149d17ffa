"""Workers that die, hang or are orphaned; ports, addresses, and many calls at once."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from cato_contracts.errors import ConfigurationError
from cato_dialer.dial.adapters.pjsua2.supervisor import trunk as trunk_module
from cato_dialer.dial.adapters.pjsua2.supervisor import worker_process
from cato_dialer.dial.adapters.pjsua2.supervisor.trunk import Pjsua2Trunk
from cato_dialer.dial.domain.call.line_events import (
    LineAnswered,
    LineEvent,
    LinePlaybackFinished,
    LinePlaybackStarted,
    LineRinging,
    ReleaseCause,
)
from cato_dialer.dial.ports.trunk import Line
from cato_runtime.configuration.config import DialingConfig
from services.dialer.tests.integration.trunk.conftest import Bench
from services.dialer.tests.support.stations import make_station
from services.dialer.tests.support.trunk.trunk_kit import Caller, follow, follow_until

pytestmark = [pytest.mark.timeout(60), pytest.mark.engines("pjsua2")]


async def reached(condition: Callable[[], bool], timeout: float) -> None:
    """Look until it holds: of other processes, nothing can be awaited."""
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.sleep(0.02)


async def until(line: Line, kind: type[LineEvent]) -> None:
    async with asyncio.timeout(10):
        async for event in line.events():
            if isinstance(event, kind):
                return


async def playing(line: Line) -> None:
    await until(line, LinePlaybackStarted)


async def test_eight_calls_share_two_workers(bench: Bench):
    exchange = await bench.exchange("match: '1.', behaviour: answer")
    caller = await bench.caller(exchange, channels=8)
    trunk = caller.trunk
    assert trunk.capacity == 8
    heard = await asyncio.gather(
        *(follow_until(caller.call(f"1{n}"), LinePlaybackFinished) for n in range(8))
    )
    records = await exchange.wait_calls(8, 5)
    assert exchange.peak_calls == 8
    assert all(record.contains_prompt(bench.audio) for record in records)
    assert {one.end.heard_ms for one in heard} == {1_000}


async def test_s7_workers_that_start_on_demand_start_with_the_first_order(bench: Bench):
    exchange = await bench.exchange("match: '1.', behaviour: answer")
    caller = await bench.caller(exchange, channels=8, on_demand=True)
    trunk = caller.trunk
    assert (trunk.capacity, trunk.worker_pids) == (8, ())
    lines = [caller.call(f"1{n}") for n in range(8)]
    heard = await asyncio.gather(*(follow_until(line, LinePlaybackFinished) for line in lines))
    assert {one.end.heard_ms for one in heard} == {1_000}
    assert len(trunk.worker_pids) == 2
    async with asyncio.timeout(10):
        while trunk.capacity < 8:  # the ends of the lines are reported one by one
            await asyncio.sleep(0.02)


async def test_s7_workers_start_when_a_line_is_waited_for(bench: Bench):
    trunk = await bench.trunk(on_demand=True)
    await asyncio.wait_for(trunk.line_free(), 10)
    assert trunk.worker_pids


async def test_s7_a_trunk_that_is_starting_can_be_closed(bench: Bench):
    trunk = await bench.trunk(on_demand=True)
    waiting = asyncio.create_task(trunk.line_free())
    await asyncio.sleep(0)
    await asyncio.wait_for(trunk.close(), 10)
    waiting.cancel()
    assert trunk.worker_pids == ()


async def test_a_station_that_refuses_at_once_costs_no_worker(bench: Bench):
    """Without the quota of sockets the library runs out of handles and aborts."""
    exchange = await bench.exchange("number: '1', behaviour: reject, code: 503")
    caller = await bench.caller(exchange, channels=4)
    pids = caller.trunk.worker_pids

    async def call_again_and_again() -> set[tuple[ReleaseCause, str]]:
        ends = [(await follow(caller.call("1"))).end for _ in range(30)]
        return {(end.cause, end.phrase) for end in ends}

    causes = await asyncio.gather(*(call_again_and_again() for _ in range(4)))
    assert {cause for one in causes for cause, _ in one} == {ReleaseCause.REJECTED}, causes
    assert caller.trunk.worker_pids[:1] == pids


async def test_more_calls_per_worker_than_the_library_carries_mean_more_workers(bench: Bench):
    trunk = await bench.trunk(channels=8, calls_per_worker=1_000)
    assert trunk.capacity == 8
    assert len(trunk.worker_pids) > 1


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGABRT])
async def test_a_dead_worker_costs_its_calls_and_is_replaced(bench: Bench, kill: int):
    exchange = await bench.exchange("match: '1.', behaviour: answer")
    trunk = await bench.trunk(channels=4, calls_per_worker=2)
    caller = Caller(trunk, make_station(uri=exchange.uri), bench.prompt)
    lines = [caller.call(f"1{n}") for n in range(4)]
    for line in lines:
        await playing(line)
    victim = trunk.worker_pids[0]
    os.kill(victim, kill)
    ends = [(await follow_until(line, LinePlaybackFinished)).end for line in lines]
    assert sorted(end.cause for end in ends) == sorted(
        [ReleaseCause.FAULT] * 2 + [ReleaseCause.LOCAL_HANGUP] * 2
    )
    assert all("signal" in end.phrase for end in ends if end.cause is ReleaseCause.FAULT)
    await reached(lambda: trunk.capacity == 4, 2)
    assert victim not in trunk.worker_pids
    again = await asyncio.gather(*(follow_until(caller.call("11"), LineAnswered) for _ in range(4)))
    assert {heard.end.cause for heard in again} == {ReleaseCause.LOCAL_HANGUP}


async def test_calls_of_a_dead_worker_are_hung_up_by_its_supervisor(bench: Bench):
    exchange = await bench.exchange("match: '1.', behaviour: answer", "number: '2', behaviour: no_answer")
    trunk = await bench.trunk(channels=3, calls_per_worker=3)
    caller = Caller(trunk, make_station(uri=exchange.uri), bench.prompt)
    listening = [caller.call(f"1{n}") for n in range(2)]
    for line in listening:
        await playing(line)
    # Until the supervisor knows: of a call that its worker did not report, it cannot send the CANCEL.
    await until(caller.call("2"), LineRinging)
    os.kill(trunk.worker_pids[0], signal.SIGKILL)
    await exchange.wait_until(lambda: all(call.ended for call in exchange.calls), 5)
    assert {call.ended_by for call in exchange.calls} == {"caller"}
    assert sorted(call.final_code or 0 for call in exchange.calls) == [200, 200, 487]


async def test_case_t1_an_order_whose_worker_dies_before_the_invite_left_is_not_sent(bench: Bench):
    exchange = await bench.exchange("number: '1', behaviour: answer")
    trunk = await bench.trunk(channels=1)
    caller = Caller(trunk, make_station(uri=exchange.uri), bench.prompt)
    (victim,) = trunk.worker_pids
    os.kill(victim, signal.SIGSTOP)
    line = caller.call("1")
    await asyncio.sleep(0.1)  # for the order to be in the pipe of the frozen worker
    os.kill(victim, signal.SIGKILL)
    heard = await follow(line)
    assert (heard.kinds, heard.end.cause) == (["Released"], ReleaseCause.NOT_SENT)
    await asyncio.wait_for(trunk.line_free(), 5)
    await follow_until(caller.call("1"), LineAnswered)
    assert len(exchange.calls) == 1


async def test_case_t22_an_order_that_a_frozen_worker_takes_late_is_not_sent(bench: Bench):
    exchange = await bench.exchange("number: '1', behaviour: answer")
    trunk = await bench.trunk(channels=1)
    (worker,) = trunk.worker_pids
    os.kill(worker, signal.SIGSTOP)
    line = Caller(trunk, make_station(uri=exchange.uri), bench.prompt).call("1")
    await asyncio.sleep(2.2)
    os.kill(worker, signal.SIGCONT)
    heard = await follow(line)
    assert (heard.kinds, heard.end.cause) == (["Released"], ReleaseCause.MISSED)
    assert trunk.worker_pids == (worker,)
    assert len(exchange.calls) == 0


_SLOW = """
import os, sys, time
from cato_contracts.instants import now_ms
from cato_dialer.dial.adapters.pjsua2 import protocol
from cato_dialer.dial.adapters.pjsua2.worker.engine import Engine
from cato_dialer.dial.adapters.pjsua2.worker.sip.library_call import LibraryCall

target, prompt = sys.argv[1:]
heard = []
make = LibraryCall.makeCall

def make_slowly(*call):
    time.sleep(0.2)
    make(*call)

LibraryCall.makeCall = make_slowly
engine = Engine(protocol.Configure(1, "127.0.0.1", None, 0, 0, 0), heard.append)
engine.start()
identity = protocol.SipIdentity("sip:776400@127.0.0.1", "udp")
order = protocol.Place(1, target, identity, ("PCMA",), prompt, None, not_after=now_ms() + 100)
engine.place(order)
while protocol.Gone(1) not in heard:
    engine.poll(20)
print(*heard, sep="\\n", flush=True)
os._exit(0)
"""


async def test_case_t22_an_invite_that_the_library_makes_too_slowly_is_not_sent(bench: Bench):
    exchange = await bench.exchange("number: '1', behaviour: answer")
    target = exchange.uri.replace("sip:", "sip:1@")
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _SLOW, target, str(bench.prompt)), stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(40):
        said, _ = await worker.communicate()
    assert worker.returncode == 0
    assert "cause=<ReleaseCause.MISSED: 'missed'>" in said.decode(), said.decode()
    assert len(exchange.calls) == 0


async def test_a_worker_that_hangs_is_replaced(bench: Bench):
    exchange = await bench.exchange("number: '1', behaviour: answer")
    trunk = await bench.trunk(channels=1)
    line = Caller(trunk, make_station(uri=exchange.uri), bench.prompt).call("1")
    await playing(line)
    (victim,) = trunk.worker_pids
    os.kill(victim, signal.SIGSTOP)
    assert (await follow(line)).end.cause is ReleaseCause.FAULT
    await reached(lambda: trunk.capacity == 1, 2)
    assert trunk.worker_pids != (victim,)


_ORPHAN = """
import asyncio, sys, uuid
from pathlib import Path
from cato_dialer.dial.adapters.pjsua2.supervisor.trunk import Pjsua2Trunk
from cato_dialer.dial.domain.call.line_events import LinePlaybackStarted
from cato_dialer.dial.ports.trunk import CallOrder
from cato_dialer.dial.adapters.configured_stations import station_of
from cato_runtime.configuration.config import DialingConfig
from cato_runtime.configuration.station_config import StationConfig

async def main(uri, prompt):
    trunk = Pjsua2Trunk(DialingConfig(bind_address="127.0.0.1"), workers_for=1)
    await trunk.open()
    line = trunk.place(CallOrder(uuid.uuid4(), station_of(StationConfig(uri=uri)), "1", Path(prompt)))
    async for event in line.events():
        if isinstance(event, LinePlaybackStarted):
            print(*trunk.worker_pids, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_an_orphaned_worker_hangs_up_and_ends(bench: Bench, tmp_path: Path):
    exchange = await bench.exchange("number: '1', behaviour: answer")
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _ORPHAN, exchange.uri, str(bench.prompt), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    async with asyncio.timeout(20):
        worker = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    (record,) = await exchange.wait_calls(1, 3)
    assert (record.ended_by, record.bye_answered) == ("caller", True)
    await reached(lambda: not Path(f"/proc/{worker}").exists(), 3)


async def test_an_address_of_another_machine_stops_the_start(bench: Bench):
    with pytest.raises(ConfigurationError, match="no SIP worker can start"):
        await bench.trunk(bind_address="192.0.2.1")
    with pytest.raises(ConfigurationError, match=r"dialing\.bindAddress 192\.0\.2\.1"):
        await bench.trunk(bind_address="192.0.2.1", on_demand=True)


async def invite_of(order: Callable[[str], Awaitable[Line]]) -> str:
    """Return the INVITE that a station without a voice gets."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as station:
        station.bind(("127.0.0.1", 0))
        station.setblocking(False)
        line = await order(f"sip:127.0.0.1:{station.getsockname()[1]}")
        async with asyncio.timeout(5):
            request = await asyncio.get_running_loop().sock_recv(station, 65_535)
        await line.hang_up()
        await follow(line)
    return request.decode()


@pytest.mark.engines("pjsua2", "dense")
async def test_an_invite_shows_the_public_address_and_ports_of_the_range(bench: Bench):
    trunk = await bench.trunk(public_address="203.0.113.7", rtp_port_from=23_000, rtp_port_till=23_019)

    async def order(uri: str) -> Line:
        return Caller(trunk, make_station(uri=uri, caller_id="776400"), bench.prompt).call("1")

    invite = await invite_of(order)
    assert re.search(r"^Contact: <sip:776400@203\.0\.113\.7:\d+", invite, re.MULTILINE)
    assert "c=IN IP4 203.0.113.7" in invite
    media = re.search(r"^m=audio (\d+) RTP/AVP 8 (\d+)\r$", invite, re.MULTILINE)
    assert media is not None
    assert 23_000 <= int(media[1]) <= 23_019
    assert int(media[1]) % 2 == 0
    assert f"a=rtpmap:{media[2]} telephone-event/8000" in invite


@pytest.mark.engines("pjsua2", "dense")
async def test_a_name_stays_in_the_request_and_the_resolved_address_out_of_it(bench: Bench):
    trunk = await bench.trunk()

    async def order(uri: str) -> Line:
        station = make_station(uri=uri.replace("127.0.0.1", "localhost"))
        return Caller(trunk, station, bench.prompt).call("1")

    invite = await invite_of(order)
    assert invite.startswith("INVITE sip:1@localhost:")
    assert "Route:" not in invite


async def test_workers_are_those_that_the_share_of_this_dialer_needs(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trunk_module, "_TICK_S", 0.02)
    monkeypatch.setattr(trunk_module, "_SURPLUS_TICKS", 2)
    monkeypatch.setattr(worker_process, "SILENT_TICKS", 3_000)
    share = 2
    trunk = Pjsua2Trunk(DialingConfig(bind_address="127.0.0.1", calls_per_worker=2), 8)
    trunk.follow(lambda: share)
    await trunk.open()
    bench.stack.push_async_callback(trunk.close)
    assert (trunk.capacity, len(trunk.worker_pids)) == (2, 1)
    share = 6
    await reached(lambda: trunk.capacity == 6, 60)
    exchange = await bench.exchange("match: '1.', behaviour: answer")
    caller = Caller(trunk, make_station(uri=exchange.uri), bench.prompt)
    lines = [caller.call(f"1{no}") for no in range(6)]
    calls = [asyncio.ensure_future(follow(line, timeout=60)) for line in lines]
    await reached(lambda: sum(call.ack_ms is not None for call in exchange.calls) == 6, 60)
    share = 0
    for line in lines:
        await line.hang_up()
    ends = [(await call).end.cause for call in calls]
    assert ends == [ReleaseCause.LOCAL_HANGUP] * 6
    await reached(lambda: (trunk.capacity, len(trunk.worker_pids)) == (2, 1), 60)
    assert trunk.worker_deaths == 0
