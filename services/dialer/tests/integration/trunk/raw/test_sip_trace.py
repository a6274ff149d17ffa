"""A SIP trace of a call has the messages that went over the network, of both engines."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from cato_contracts.messages.sip_traces import StoredTrace, TracedMessage
from cato_dialer.dial.domain.call.line_events import LinePlaybackFinished
from cato_dialer.dial.domain.sip_trace.masking import masked
from cato_dialer.dial.domain.sip_trace.recorder import TraceRecorder
from services.dialer.tests.integration.trunk.conftest import Bench
from services.dialer.tests.support.stations import make_station
from services.dialer.tests.support.trunk.raw_station import RawCall, RawStation, raw_station
from services.dialer.tests.support.trunk.trunk_kit import Caller, follow, follow_until

pytestmark = pytest.mark.timeout(90)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def order(**fields: Any) -> StoredTrace:
    until = NOW + timedelta(seconds=60)
    return StoredTrace(
        **{"id": uuid4(), "name": "t", "for_s": 60, "began_at": NOW, "ends_at": until, "masked": False}
        | fields
    )


def at_the_network(station: RawStation) -> list[tuple[bool, str]]:
    """Return the list to which all datagrams of a station are added: whether the caller sent it, and it."""
    wire: list[tuple[bool, str]] = []
    receive, transport = station.datagram_received, station._transport

    class Transport:
        def __getattr__(self, name: str) -> Any:
            return getattr(transport, name)

        def sendto(self, data: bytes, address: Any) -> None:
            wire.append((False, data.decode("latin-1")))
            transport.sendto(data, address)

    def received(data: bytes, address: Any) -> None:
        if data.strip():
            wire.append((True, data.decode("latin-1")))
        receive(data, address)

    station._transport = Transport()
    station.datagram_received = received  # type: ignore[method-assign]
    return wire


def of(recorder: TraceRecorder, trace: StoredTrace) -> list[TracedMessage]:
    return [each for trace_id, batch in recorder.batches() if trace_id == trace.id for each in batch.messages]


async def test_trace_has_the_messages_of_a_call_as_the_station_had_them(bench: Bench):
    async def answer(call: RawCall) -> None:
        call.respond(b"180 Ringing")
        call.respond(b"200 OK", sdp=call.audio())
        await call.until(lambda message: message.method == "ACK")
        await call.info("application/dtmf-relay", "Signal=5\r\nDuration=160")

    async with raw_station(answer) as station:
        wire = at_the_network(station)
        caller = Caller(await bench.trunk(), make_station(uri=station.uri), bench.prompt)
        recorder = TraceRecorder("d", lambda: [caller.station], str)
        plain, hidden = order(station_id=caller.station.id), order(number="73437200041", masked=True)
        other = order(number="73437200042")
        recorder.use([plain, hidden, other], NOW)
        caller.trunk.trace(recorder.take)
        await follow_until(caller.call("73437200041"), LinePlaybackFinished)
        await station.calls[0].until(lambda message: message.method == "BYE")
        caller.trunk.trace(None)
        untraced = len(wire)
        await follow_until(caller.call("73437200041"), LinePlaybackFinished)
        assert len(wire) > untraced
        found = recorder.batches()

    traced, here = (
        [],
        [message for trace_id, batch in found if trace_id == plain.id for message in batch.messages],
    )
    traced = [(message.sent, message.text) for message in here]
    assert sorted(traced) == sorted(wire[: len(traced)])
    assert [text.split(" ")[0] for _, text in traced if text.startswith(("INV", "ACK", "INF", "BYE"))] == [
        "INVITE",
        "ACK",
        "INFO",
        "BYE",
    ]
    assert {message.remote for message in here} == {f"127.0.0.1:{station.address[1]}"}
    (local,) = {message.local for message in here}
    assert local.startswith("127.0.0.1:")
    assert {message.transport for message in here} == {"udp"}
    in_order = [message.at_us for message in here]
    assert in_order == sorted(in_order)
    of_number = [message for trace_id, batch in found if trace_id == hidden.id for message in batch.messages]
    assert [message.text for message in of_number] == [
        masked(text.encode("latin-1")).decode("latin-1") for _, text in traced
    ]
    text = "".join(message.text for message in of_number)
    assert "73437200041" not in text
    assert "Signal=x" in text
    assert all(trace_id != other.id for trace_id, _ in found)


async def test_credentials_are_in_no_trace(bench: Bench):
    async def challenge(call: RawCall) -> None:
        call.respond(b"401 Unauthorized", extra=('WWW-Authenticate: Digest realm="r", nonce="n"',))
        second = await call.until(lambda message: "Authorization:" in message.text)
        call.respond(b"486 Busy Here", to=second)

    auth = {"username": "u", "password": "secret"}
    async with raw_station(challenge) as station:
        caller = Caller(await bench.trunk(), make_station(uri=station.uri, auth=auth), bench.prompt)
        recorder = TraceRecorder("d", lambda: [caller.station], str)
        trace = order(number="1")
        recorder.use([trace], NOW)
        caller.trunk.trace(recorder.take)
        await follow(caller.call("1"))
        messages = of(recorder, trace)
    invites = [message.text for message in messages if message.text.startswith("INVITE")]
    assert len(invites) == 2
    assert "\r\nAuthorization: removed\r\n" in invites[1]
    assert "response=" not in "".join(message.text for message in messages)
