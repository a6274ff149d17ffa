"""Calls whose caller no longer responds, on a virtual clock."""

from array import array
from collections import Counter

import pytest
from sipmessage import Request

from cato_exchange import Answer, CallRecord, Challenge, NoReply, Plan, Rule
from cato_exchange.calls.call import Call, CallContext
from cato_exchange.calls.routing import Routing
from cato_exchange.sip.registrar import Registrar
from cato_exchange.sip.transactions import Transactions
from exchange.tests.virtual_transport import RecordingFlow, VirtualClock

OFFER = "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 8\r\n"


class Port:
    number = 4002
    packets = bytearray()
    sizes = array("H")
    arrivals = array("q")


class Pacing:
    """Opens ports without sockets and records the open ones."""

    def __init__(self) -> None:
        self.open_ports = 0

    def open(self, host: str) -> Port:
        self.open_ports += 1
        return Port()

    def close(self, port: Port) -> None:
        self.open_ports -= 1


class Office:
    def __init__(self, clock: VirtualClock, rule: Rule) -> None:
        self.transactions = Transactions(clock)
        self.pacing = Pacing()
        self.records: list[CallRecord] = []
        context = CallContext(
            clock=clock,
            transactions=self.transactions,
            pacing=self.pacing,
            bind_host="127.0.0.1",
            wall_ms=lambda: clock.time() * 1000,
            changed=self._changed,
        )
        self.routing = Routing(
            context, Registrar(clock.time), lambda: Plan(rules=(rule,)), self._began, Counter()
        )

    def _began(self, call: Call) -> None:
        self.records.append(call.record)

    def _changed(self, call: Call) -> None:
        if call.record.ended:
            self.routing.forget(call)

    def receive(self, method: str, flow: RecordingFlow, to_tag: str = "", branch: str = "1") -> None:
        body = OFFER if method == "INVITE" else ""
        text = (
            f"{method} sip:1@127.0.0.1 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bK{branch};rport\r\n"
            f"From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:1@127.0.0.1>{to_tag}\r\nCall-ID: 1\r\n"
            f"Contact: <sip:a@127.0.0.1:5062>\r\nCSeq: 1 {method}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        self.transactions.receive(text.encode(), flow, 0.0)


def last_tag(flow: RecordingFlow) -> str:
    return ";tag=" + flow.sent[-1][1].headers["To"].split(";tag=")[1]


def requests(flow: RecordingFlow, method: str) -> list[float]:
    return [at for at, sent in flow.sent if isinstance(sent, Request) and sent.method == method]


def test_answer_without_ack_ends_in_bye(clock: VirtualClock, flow: RecordingFlow):
    office = Office(clock, Rule(number="1", does=Answer(ring_s=1)))
    office.receive("INVITE", flow)
    clock.advance(34)

    [record] = office.records
    assert flow.codes[:3] == [100, 180, 200]
    assert requests(flow, "BYE")[0] == 33.0
    assert office.routing.calls_now == 0
    assert not record.ended

    clock.advance(40)
    assert (record.ended_by, record.end_ms, record.bye_answered) == ("timeout", 65_000, False)
    assert office.pacing.open_ports == 0


def test_bye_without_a_response_ends_the_call(clock: VirtualClock, flow: RecordingFlow):
    office = Office(clock, Rule(number="1", does=Answer(hang_up_after_s=2)))
    office.receive("INVITE", flow)
    office.receive("ACK", flow, last_tag(flow), branch="2")
    clock.advance(100)

    [record] = office.records
    assert requests(flow, "BYE")[0] == 2.0
    assert (record.ended_by, record.end_ms, record.bye_answered) == ("exchange", 34_000, False)
    assert record.hung_up_ms == 2_000


def test_call_without_reply_ends_after_the_timeout(clock: VirtualClock, flow: RecordingFlow):
    office = Office(clock, Rule(number="1", does=NoReply()))
    office.receive("INVITE", flow)
    clock.advance(1)
    office.receive("INVITE", flow)
    clock.advance(100)

    [record] = office.records
    assert flow.sent == []
    assert (record.final_code, record.ended_by, record.end_ms) == (None, "timeout", 32_000)
    assert record.invite_repeats == 1


@pytest.mark.parametrize("acknowledged", [True, False])
def test_challenge_without_credentials_ends_the_call(
    acknowledged: bool, clock: VirtualClock, flow: RecordingFlow
):
    challenge = Challenge(username="cato", password="secret")
    office = Office(clock, Rule(number="1", challenge=challenge, does=Answer()))
    office.receive("INVITE", flow)
    if acknowledged:
        office.receive("ACK", flow, last_tag(flow))
    clock.advance(100)

    [record] = office.records
    assert (record.final_code, record.ended_by) == (401, "timeout")
    assert office.routing.calls_now == 0
