"""Which messages a trace records, and how many."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from cato_contracts.messages.sip_traces import MAX_MESSAGES, MAX_TRACE_BYTES, StoredTrace, TracedMessage
from cato_contracts.numbering import Numbering
from cato_dialer.dial.domain.sip_trace.recorder import Party, SeenMessage, TraceRecorder
from services.dialer.tests.support.stations import make_station

NOW = datetime(2026, 1, 1, tzinfo=UTC)
A, B = (make_station(id=uuid4(), uri=f"sip:10.0.0.{no}") for no in (1, 2))
CALLS = {"call-a": Party(A.id, "83437200041"), "call-b": Party(B.id, "100")}


def trace(**fields: Any) -> StoredTrace:
    given = {"id": uuid4(), "name": "t", "for_s": 60, "began_at": NOW, "ends_at": NOW + timedelta(seconds=60)}
    return StoredTrace.model_validate(given | fields)


def seen(call_id: str, text: str = "", *, host: str = "10.0.0.1", port: int = 5060) -> SeenMessage:
    data = f"OPTIONS sip:{host} SIP/2.0\r\nCall-ID: {call_id}\r\n\r\n{text}".encode()
    return SeenMessage(1, sent=True, transport="udp", local=("10.0.0.5", 1), remote=(host, port), data=data)


class Recorder:
    """A recorder of a dialer with two stations, and the batches that it has given."""

    def __init__(self, *traces: StoredTrace) -> None:
        self.calls = dict(CALLS)
        self.recorder = TraceRecorder("d-1", lambda: [A, B], Numbering().canonical)
        self.recorder.use(traces, NOW)

    def take(self, *messages: SeenMessage) -> None:
        for each in messages:
            self.recorder.take(each, self.calls.get)

    def recorded(self) -> dict[UUID, list[TracedMessage]]:
        found: dict[UUID, list[TracedMessage]] = {}
        for trace_id, batch in self.recorder.batches():
            found.setdefault(trace_id, []).extend(batch.messages)
        return found


def counts(here: Recorder) -> dict[UUID, int]:
    return {trace_id: len(messages) for trace_id, messages in here.recorded().items()}


def test_station_and_number_select_the_calls_and_both_must_match():
    of_a, of_number = trace(station_id=A.id), trace(number="+73437200041")
    both, neither = trace(station_id=A.id, number="100"), trace(station_id=B.id, number="83437200041")
    here = Recorder(of_a, of_number, both, neither)
    here.take(seen("call-a"), seen("call-a"), seen("call-b", host="10.0.0.2"))
    assert counts(here) == {of_a.id: 2, of_number.id: 2}


def test_last_messages_of_a_call_that_is_over_belong_to_it():
    of_number = trace(number="83437200041")
    here = Recorder(of_number)
    here.take(seen("call-a"))
    here.calls.clear()
    here.take(seen("call-a"), seen("call-b"))
    assert counts(here) == {of_number.id: 2}


def test_message_without_a_call_belongs_to_the_stations_with_its_address():
    of_a, of_b = trace(station_id=A.id), trace(station_id=B.id)
    here = Recorder(of_a, of_b)
    here.take(seen("registration"), seen("stray", host="10.0.0.9"), seen("odd", port=5070))
    assert counts(here) == {of_a.id: 1}
    here.take(seen("call-b", host="10.0.0.9"), seen("stray", host="10.0.0.9"))
    assert counts(here) == {of_b.id: 2}


@pytest.mark.parametrize(
    ("size", "fits"),
    [(0, MAX_MESSAGES), (1_000_000 - len(seen("call-a").data), MAX_TRACE_BYTES // 1_000_000)],
)
def test_recording_is_bounded_and_says_once_that_it_is_cut(size, fits):
    of_a = trace(station_id=A.id, masked=False)
    here = Recorder(of_a)
    here.take(*[seen("call-a", "x" * size)] * (fits + 2))
    batches = [batch for _, batch in here.recorder.batches()]
    assert sum(len(batch.messages) for batch in batches) == fits
    assert (batches[-1].recorded, batches[-1].cut) == (fits, True)
    assert all(len(batch.model_dump_json()) < 1_100_000 for batch in batches)
    here.take(seen("call-a"))
    assert here.recorder.batches() == []


def test_a_cut_after_the_last_batch_is_told_in_one_of_its_own():
    here = Recorder(trace(station_id=A.id))
    here.take(*[seen("call-a")] * MAX_MESSAGES)
    assert not here.recorder.batches()[-1][1].cut
    here.take(seen("call-a"))
    ((_, batch),) = here.recorder.batches()
    assert (batch.messages, batch.recorded, batch.cut) == ([], MAX_MESSAGES, True)


def test_trace_ends_by_itself_and_what_it_has_recorded_is_still_given():
    of_a = trace(station_id=A.id)
    here = Recorder(of_a)
    here.take(seen("call-a"))
    here.recorder.end_due(NOW + timedelta(seconds=59))
    assert here.recorder.running
    here.recorder.end_due(NOW + timedelta(seconds=60))
    assert not here.recorder.running
    here.take(seen("call-a"))
    assert counts(here) == {of_a.id: 1}


def test_trace_that_is_over_does_not_begin_after_a_restart():
    here = Recorder(trace(station_id=A.id, ends_at=NOW), trace(number="1", ends_at=NOW - timedelta(days=1)))
    assert not here.recorder.running


def test_trace_that_is_removed_ends_and_one_that_stays_goes_on():
    stays, goes = trace(station_id=A.id), trace(number="83437200041")
    here = Recorder(stays, goes)
    here.take(seen("call-a"))
    here.recorder.use([stays], NOW)
    here.take(seen("call-a"))
    assert counts(here) == {stays.id: 2, goes.id: 1}


def test_addresses_are_written_as_host_and_port():
    of_number = trace(number="100")
    here = Recorder(of_number)
    here.take(seen("call-b", host="2001:db8::1"))
    (message,) = here.recorded()[of_number.id]
    assert (message.local, message.remote) == ("10.0.0.5:1", "[2001:db8::1]:5060")
