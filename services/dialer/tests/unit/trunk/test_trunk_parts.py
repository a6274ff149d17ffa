"""Addresses, ports, digits, files and messages of the trunk on PJSIP."""

from dataclasses import replace

import pytest

from cato_contracts.errors import ConfigurationError
from cato_dialer.dial.adapters.pjsua2 import protocol
from cato_dialer.dial.adapters.pjsua2.supervisor.line import Pjsua2Line
from cato_dialer.dial.adapters.pjsua2.supervisor.rtp_ports import share_ports
from cato_dialer.dial.adapters.pjsua2.supervisor.sip_identity import identity_of, registered_identity_of
from cato_dialer.dial.adapters.pjsua2.worker.sip.info_digits import digit_of_info
from cato_dialer.dial.adapters.sip.addresses import target_uri
from cato_dialer.dial.domain.call.line_events import (
    DigitSource,
    LineDigit,
    LineReleased,
    LineRinging,
    ReleaseCause,
)
from cato_runtime.configuration.station_config import StationAuth
from services.dialer.tests.support.stations import make_station


@pytest.mark.parametrize(
    ("uri", "target", "transport", "port", "named"),
    [
        ("sip:10.0.0.1", "sip:+7812@10.0.0.1", "udp", 5060, False),
        ("sip:10.0.0.1:5070;transport=tcp", "sip:+7812@10.0.0.1:5070;transport=tcp", "tcp", 5070, False),
        ("sip:pbx.example:5070", "sip:+7812@pbx.example:5070", "udp", 5070, True),
        ("sip:pbx.example;transport=TCP", "sip:+7812@pbx.example;transport=TCP", "tcp", 5060, True),
        ("sip:pbx.example;transport=TLS", "sip:+7812@pbx.example;transport=TLS", "tls", 5061, True),
    ],
)
def test_a_station_and_a_number_make_an_address(
    uri: str, target: str, transport: str, port: int, named: bool
):
    station = make_station(uri=uri)
    assert target_uri(station, "+7812") == target
    assert (station.transport, station.port, station.host_is_name) == (transport, port, named)


def test_a_number_cannot_break_out_of_its_part_of_the_address():
    station = make_station(uri="sip:10.0.0.1")
    assert target_uri(station, "1@evil>\r\nX: y") == "sip:1%40evil%3E%0D%0AX%3A%20y@10.0.0.1"


def test_the_caller_is_at_the_station_unless_it_says_otherwise():
    station = make_station(uri="sip:pbx.example", caller_id="776400")
    assert identity_of(station).uri == "sip:776400@pbx.example"
    elsewhere = replace(station, caller_id="776400@city.example")
    assert identity_of(elsewhere).uri == "sip:776400@city.example"


def test_a_registration_is_for_the_user_of_the_credentials_or_the_caller_id():
    station = make_station(uri="sip:[fd00::1]:5070", caller_id="776400")
    assert registered_identity_of(station).uri == "sip:776400@[fd00::1]"
    known = make_station(uri="sip:10.0.0.1", auth=StationAuth(username="cato", password="secret"))
    assert registered_identity_of(known).uri == "sip:cato@10.0.0.1"


def test_workers_look_for_ports_in_shares_that_begin_even_and_do_not_meet():
    shares = share_ports(20_001, 20_100, 12)
    ranges = [shares.of(place, 4) for place in range(3)]
    assert ranges == [(20_002, 20_033), (20_034, 20_065), (20_066, 20_097)]
    assert shares.of(3, 4) == ranges[0]


def test_a_range_without_two_ports_for_each_call_stops_the_start():
    with pytest.raises(ConfigurationError, match="rtpPortFrom"):
        share_ports(20_000, 20_010, 6)


@pytest.mark.parametrize(
    ("head", "body", "digit"),
    [
        ("Content-Type: application/dtmf", "5", "5"),
        ("c:application/dtmf", " # \r\n", "#"),
        ("Content-Type: application/dtmf;x=y", "Signal=d", "D"),
        ("Content-Type: application/dtmf-relay", "Signal=5", "5"),
        ("Content-Type: application/dtmf-relay", "Signal=11\r\nDuration=160\r\n", "#"),
        ("Content-Type: application/dtmf-relay", "5", None),
        ("Content-Type: application/dtmf-relay", "Signal=16", None),
        ("Content-Type: application/dtmf", "10", "*"),
        ("Content-Type: application/dtmf", "55", None),
        ("Content-Type: text/plain", "5", None),
    ],
)
def test_the_digit_of_an_info_request_is_read(head: str, body: str, digit: str | None):
    assert digit_of_info(f"INFO sip:x SIP/2.0\r\n{head}\r\nContent-Length: 1\r\n\r\n{body}") == digit


def test_messages_come_through_the_pipe_as_they_went_in():
    identity = protocol.SipIdentity("sip:c@h", "udp", None, "u", "п\n", "*")
    order = protocol.Place(1, "sip:1@h", identity, ("PCMA", "PCMU"), "/a", None)
    events = (
        LineRinging(2, 180, "Ringing"),
        LineDigit(2, "#", DigitSource.SIP_INFO),
        LineReleased(3, ReleaseCause.REJECTED, 486, "\ufffd", 0),
    )
    reports = tuple(protocol.LineReport(1, event) for event in events)
    for message in (order, protocol.HangUp(1), protocol.Ready(4), *reports):
        line = protocol.encode(message)
        assert line.count(b"\n") == 1
        assert protocol.decode(line) == message


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"PJSIP says\n",
        b"{}\n",
        b'{"type":"Ready"}\n',
        b'{"type":"X"}\n',
        b"3\n",
        b'{"type":"LineReport","line":1,"event":{"at":1}}\n',
    ],
)
def test_anything_else_in_the_pipe_is_an_error(line: bytes):
    with pytest.raises(protocol.ProtocolError):
        protocol.decode(line)


@pytest.mark.parametrize(
    ("cause", "told"),
    [(ReleaseCause.NO_RESPONSE, 1), (ReleaseCause.NOT_SENT, 0), (ReleaseCause.MISSED, 0)],
)
def test_station_is_silent_only_if_it_was_sent_an_invite(cause: ReleaseCause, told: int):
    silences: list[None] = []
    line = Pjsua2Line(1, lambda _: None, lambda: silences.append(None))
    line.sent = True  # it is set before the library is asked to send
    line.release(cause, "")
    assert len(silences) == told


def test_line_whose_worker_dies_after_it_may_have_sent_the_invite_was_a_call():
    line = Pjsua2Line(1, lambda _: None, lambda: None)
    line.sent = True
    line.lose("killed")
    assert line._events.get_nowait().cause is ReleaseCause.FAULT
