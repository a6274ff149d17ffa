"""The log line of a call."""

from uuid import UUID, uuid5

from structlog.testing import capture_logs

from cato_contracts.messages.calls import CallEvent, CallEventKind
from cato_dialer.dial.adapters.call_log import CallLog
from services.dialer.tests.support.stations import make_station

SPACE = UUID("11111111-2222-3333-4444-555555555555")
MAIN = make_station(id=uuid5(SPACE, "main"), name="main")


def tell(observer, *happened, **last):
    for seq, (second, kind) in enumerate(happened):
        observer.note(
            CallEvent(
                run_id=SPACE,
                no=3,
                wave=2,
                call_id=uuid5(SPACE, "call"),
                seq=seq,
                kind=kind,
                number="+79991234567",
                phone_index=0,
                station_id=None if kind is CallEventKind.STARTED else MAIN.id,
                **(last if seq == len(happened) - 1 else {}),
            ),
            1_000 * second,
        )


def test_a_call_has_one_line_with_its_sip_call_id():
    begun = [(0, CallEventKind.STARTED), (0, CallEventKind.STATION_CHOSEN), (1, CallEventKind.RINGING)]
    up = [(2, CallEventKind.RINGING), (5, CallEventKind.ANSWERED), (35, CallEventKind.ENDED)]
    with capture_logs() as lines:
        tell(CallLog([MAIN]), *begun, *up, reason="answered", sip_code=200, success=True, sip_call_id="a@b")
    (line,) = lines
    assert line == {
        "event": "call ended",
        "log_level": "info",
        "call_id": str(uuid5(SPACE, "call")),
        "sip_call_id": "a@b",
        "run_id": str(SPACE),
        "subscriber": 3,
        "wave": 2,
        "pii_number": "+79991234567",
        "station": "main",
        "success": True,
        "reason": "answered",
        "sip_code": 200,
        "reason_header": None,
        "heard_ms": None,
        "pdd_ms": 1_000,
        "talk_ms": 30_000,
    }


def test_a_call_of_a_lost_dialer_has_a_line_without_its_times():
    with capture_logs() as lines:
        tell(CallLog([MAIN]), (7, CallEventKind.INTERRUPTED), reason="interrupted", sip_call_id="a@b")
    (line,) = lines
    assert (line["event"], line["sip_call_id"], line["reason"]) == ("call interrupted", "a@b", "interrupted")
    assert "pdd_ms" not in line
