"""The metrics of calls."""

from uuid import UUID, uuid5

import pytest

from cato_contracts.messages.calls import CallEvent, CallEventKind
from cato_dialer.dial.adapters.call_metrics import CallMetrics, station_names
from services.dialer.tests.support.stations import make_station

SPACE = UUID("11111111-2222-3333-4444-555555555555")
MAIN = make_station(id=uuid5(SPACE, "main"), name="main")
SPARE = make_station(id=uuid5(SPACE, "spare"), name="spare")


@pytest.fixture
def metrics():
    return CallMetrics([MAIN, SPARE])


def tell(metrics, call, *happened, station=MAIN, **last):
    """Tell the events of a call, each at its second."""
    for seq, (second, kind) in enumerate(happened):
        final = last if seq == len(happened) - 1 else {}
        event = CallEvent(
            run_id=SPACE,
            no=0,
            wave=1,
            call_id=uuid5(SPACE, call),
            seq=seq,
            kind=kind,
            number="1",
            phone_index=0,
            station_id=None if kind is CallEventKind.STARTED else station.id,
            **final,
        )
        metrics.note(event, round(1_000 * second))


def value(metrics, name, **labels):
    return metrics.registry.get_sample_value(name, labels)


def test_a_call_is_counted_from_its_start_to_its_end(metrics):
    begun = [(0, CallEventKind.STARTED), (0, CallEventKind.STATION_CHOSEN)]
    tell(metrics, "one", *begun, (1.5, CallEventKind.RINGING))
    assert value(metrics, "cato_calls_started_total", station="main") == 1
    assert value(metrics, "cato_calls_in_progress", station="main", phase="ringing") == 1
    assert value(metrics, "cato_call_post_dial_delay_seconds_sum", station="main") == 1.5

    tell(metrics, "one", (4, CallEventKind.RINGING), (5, CallEventKind.ANSWERED))
    assert value(metrics, "cato_calls_in_progress", station="main", phase="talking") == 1
    assert value(metrics, "cato_call_post_dial_delay_seconds_count", station="main") == 1

    tell(metrics, "one", (35, CallEventKind.ENDED), sip_code=200, reason="answered", success=True)
    assert value(metrics, "cato_calls_in_progress", station="main", phase="talking") == 0
    assert value(metrics, "cato_call_talk_seconds_sum", station="main") == 30
    assert value(metrics, "cato_calls_ended_total", station="main", reason="answered", success="true") == 1
    assert value(metrics, "cato_sip_responses_total", station="main", code="200") == 1
    assert value(metrics, "cato_call_answer_seconds_sum", station="main") == 5


def test_lost_packets_are_counted_beside_those_that_are_reported_about(metrics):
    metrics.note_audio(MAIN.id, 500, 3)
    metrics.note_audio(MAIN.id, 200, 0)
    metrics.note_audio(MAIN.id, 100, None)
    assert value(metrics, "cato_rtp_packets_sent_total", station="main", reported="true") == 700
    assert value(metrics, "cato_rtp_packets_sent_total", station="main", reported="false") == 100
    assert value(metrics, "cato_rtp_packets_lost_total", station="main") == 3


def test_the_end_of_another_process_s_call_counts_as_an_end_alone(metrics):
    tell(metrics, "theirs", (9, CallEventKind.INTERRUPTED), station=SPARE, reason="interrupted")
    labels = {"station": "spare", "reason": "interrupted", "success": "false"}
    assert value(metrics, "cato_calls_ended_total", **labels) == 1
    assert value(metrics, "cato_calls_started_total", station="spare") == 0


def test_stations_of_the_same_name_are_labelled_with_their_ids():
    twin = make_station(id=uuid5(SPACE, "twin"), name="main")
    assert station_names([MAIN, SPARE, twin]) == {
        MAIN.id: str(MAIN.id),
        SPARE.id: "spare",
        twin.id: str(twin.id),
    }


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("cato_calls_started_total", {}),
        ("cato_calls_delayed_total", {}),
        ("cato_rtp_packets_lost_total", {}),
        ("cato_rtp_packets_sent_total", {"reported": "true"}),
        ("cato_call_answer_seconds_count", {}),
        ("cato_call_talk_seconds_count", {}),
        ("cato_call_post_dial_delay_seconds_count", {}),
    ],
)
def test_counters_of_a_station_begin_at_zero_so_that_the_first_increase_is_seen(metrics, name, labels):
    for station in ("main", "spare"):
        assert value(metrics, name, station=station, **labels) == 0
