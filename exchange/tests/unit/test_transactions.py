"""Timers of RFC 3261 17 on a virtual clock."""

import pytest
from sipmessage import URI, Request, Response

from cato_exchange.sip.messages import reply
from cato_exchange.sip.transactions import ServerTransaction, Transactions
from exchange.tests.virtual_transport import RecordingFlow, VirtualClock

CODES = [486, 200]


def message(method: str, branch: str = "z9hG4bK1", to: str = "<sip:1@h>", via: str = ";rport") -> bytes:
    return (
        f"{method} sip:1@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5062;branch={branch}{via}\r\n"
        f"From: <sip:a@b>;tag=1\r\nTo: {to}\r\nCall-ID: 1\r\nCSeq: 1 {method}\r\n\r\n"
    ).encode()


class Layer:
    def __init__(self, clock: VirtualClock) -> None:
        self.transactions = Transactions(clock)
        self.requests: list[ServerTransaction] = []
        self.acks: list[Request] = []
        self.cancelled: list[ServerTransaction | None] = []
        self.transactions.on_request = self.requests.append
        self.transactions.on_ack = self.acks.append
        self.transactions.on_cancel = lambda _cancel, invite: self.cancelled.append(invite)

    def receive(self, data: bytes, flow: RecordingFlow) -> None:
        self.transactions.receive(data, flow, 0.0)


@pytest.fixture
def layer(clock: VirtualClock) -> Layer:
    return Layer(clock)


def answered(layer: Layer, flow: RecordingFlow, code: int) -> ServerTransaction:
    layer.receive(message("INVITE"), flow)
    [transaction] = layer.requests
    transaction.respond(reply(transaction.request, code, to_tag="x"))
    return transaction


@pytest.mark.parametrize("code", CODES)
def test_final_response_is_retransmitted_with_doubled_intervals(
    code: int, layer: Layer, flow: RecordingFlow, clock: VirtualClock
):
    answered(layer, flow, code)

    clock.advance(20)

    assert flow.times == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5]
    assert set(flow.codes) == {code}


@pytest.mark.parametrize("code", CODES)
def test_retransmission_stops_after_64_t1_without_ack(
    code: int, layer: Layer, flow: RecordingFlow, clock: VirtualClock
):
    given_up: list[float] = []
    answered(layer, flow, code).unacknowledged = lambda: given_up.append(clock.time())

    clock.advance(100)

    assert given_up == [32.0]
    assert flow.times[-1] < 32


def test_ack_of_a_refusal_stops_retransmission(layer: Layer, flow: RecordingFlow, clock: VirtualClock):
    answered(layer, flow, 486)
    clock.advance(1)

    layer.receive(message("ACK", to="<sip:1@h>;tag=x"), flow)
    clock.advance(100)

    assert flow.times == [0, 0.5]
    assert layer.acks == []


def test_ack_of_a_2xx_goes_to_the_call(layer: Layer, flow: RecordingFlow, clock: VirtualClock):
    transaction = answered(layer, flow, 200)

    layer.receive(message("ACK", branch="z9hG4bK2", to="<sip:1@h>;tag=x"), flow)
    transaction.acknowledge()
    clock.advance(100)

    assert len(layer.acks) == 1
    assert flow.times == [0]


def test_repeated_invite_gets_the_last_response_again(layer: Layer, flow: RecordingFlow):
    layer.receive(message("INVITE"), flow)
    [transaction] = layer.requests
    layer.receive(message("INVITE"), flow)
    transaction.respond(reply(transaction.request, 100))
    layer.receive(message("INVITE"), flow)
    transaction.respond(reply(transaction.request, 180))
    layer.receive(message("INVITE"), flow)

    assert flow.codes == [100, 100, 180, 180]
    assert layer.requests == [transaction]
    assert transaction.retransmissions == 3


def test_cancel_is_matched_with_its_invite(layer: Layer, flow: RecordingFlow):
    layer.receive(message("INVITE"), flow)
    layer.receive(message("CANCEL"), flow)
    layer.receive(message("CANCEL", branch="z9hG4bKother"), flow)

    assert layer.cancelled == [layer.requests[0], None]


def test_same_request_is_new_only_after_its_transaction(
    layer: Layer, flow: RecordingFlow, clock: VirtualClock
):
    for pause in (0, 31, 2):
        clock.advance(pause)
        layer.receive(message("OPTIONS"), flow)

    assert len(layer.requests) == 2


def test_second_final_response_raises(layer: Layer, flow: RecordingFlow):
    transaction = answered(layer, flow, 486)

    with pytest.raises(RuntimeError):
        transaction.respond(reply(transaction.request, 200))


def test_response_without_rport_goes_to_the_port_in_via(layer: Layer, flow: RecordingFlow):
    layer.receive(message("OPTIONS", via=""), flow.towards("127.0.0.1", 9))

    assert layer.requests[0].flow.peer == ("127.0.0.1", 5062)


def bye() -> Request:
    request = Request("BYE", URI.parse("sip:a@127.0.0.1"))
    for name, value in [
        ("Via", "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKours"),
        ("From", "<sip:1@h>;tag=x"),
        ("To", "<sip:a@b>;tag=1"),
        ("Call-ID", "1"),
        ("CSeq", "1 BYE"),
    ]:
        request.headers.add(name, value)
    return request


def test_bye_is_retransmitted_until_its_response(layer: Layer, flow: RecordingFlow, clock: VirtualClock):
    codes: list[int] = []
    request = bye()
    layer.transactions.send(request, flow, lambda response: codes.append(response.code))
    clock.advance(8)

    response = reply(request, 200)
    layer.receive(bytes(response), flow)
    layer.receive(bytes(response), flow)
    clock.advance(100)

    assert flow.times == [0, 0.5, 1.5, 3.5, 7.5]
    assert codes == [200]


def test_bye_without_a_response_times_out(layer: Layer, flow: RecordingFlow, clock: VirtualClock):
    timeouts: list[float] = []
    layer.transactions.send(bye(), flow, on_timeout=lambda: timeouts.append(clock.time()))

    clock.advance(100)

    assert timeouts == [32.0]


def test_refused_reinvite_is_acknowledged_in_its_transaction(layer: Layer, flow: RecordingFlow):
    request = bye()
    request.method = "INVITE"
    request.headers.set("CSeq", "1 INVITE")
    codes: list[int] = []
    layer.transactions.send(request, flow, lambda response: codes.append(response.code))

    refusal = bytes(reply(request, 491))
    layer.receive(refusal, flow)
    layer.receive(refusal, flow)

    acks = [sent for _, sent in flow.sent if isinstance(sent, Request) and sent.method == "ACK"]
    assert [ack.headers["Via"] for ack in acks] == [request.headers["Via"]] * 2
    assert codes == [491]


def test_malformed_messages_are_counted_and_keep_alives_are_not(layer: Layer, flow: RecordingFlow):
    layer.receive(b"\r\n\r\n", flow)
    layer.receive(b"noise", flow)
    layer.receive(bytes(Response(200, "OK")), flow)

    assert layer.transactions.malformed == 2
