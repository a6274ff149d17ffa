"""`/sip-traces`: started by administrators, and downloaded as text or packets."""

import io
from collections.abc import Iterable
from uuid import UUID

import dpkt
import pytest

from cato_contracts.messages.sip_traces import TracedMessage
from cato_gateway.ports import RecordedMessage

API = "/api/v1/sip-traces"
ADMIN = {"Authorization": "Bearer plain:admin"}
ORDER = {"number": "+7 343 720-00-41", "forS": 600}
INVITE = "INVITE sip:1@10.0.0.1 SIP/2.0\r\nCall-ID: a\r\nContent-Length: 0\r\n\r\n"
RINGING = "SIP/2.0 180 Ringing\r\nCall-ID: a\r\nX-Name: \u00e9\r\nContent-Length: 0\r\n\r\n"
LINKTYPE_RAW = 101
AT_US = 1_711_266_311_695_123


def message(text: str, **fields: object) -> TracedMessage:
    given = {"at_us": AT_US, "sent": True, "transport": "udp", "text": text}
    addresses = {"local": "10.0.0.5:40123", "remote": "10.0.0.1:5060"}
    return TracedMessage.model_validate(given | addresses | fields)


def recorded(*messages: TracedMessage) -> list[RecordedMessage]:
    return [RecordedMessage("0-1", each) for each in messages]


async def started(client, stack, found: Iterable[RecordedMessage], **fields: object) -> str:
    trace = (await client.put(f"{API}/nine", json=ORDER | fields, headers=ADMIN)).json()
    stack.traces.recorded[UUID(trace["id"])] = list(found)
    return f"{API}/nine/file"


async def test_an_administrator_starts_reads_and_removes_a_trace(client, refused):
    trace = (await client.put(f"{API}/nine", json=ORDER, headers=ADMIN)).json()
    assert trace["number"] == "+73437200041"
    assert (trace["format"], trace["masked"], trace["state"]) == ("TEXT", True, "RUNNING")
    assert (await client.get(f"{API}/nine", headers=ADMIN)).json() == trace
    assert (await client.get(API, headers=ADMIN)).json() == {"items": [trace], "nextCursor": None}
    for method, path in (
        ("PUT", "/nine"),
        ("GET", "/nine"),
        ("GET", ""),
        ("GET", "/nine/file"),
        ("DELETE", "/nine"),
    ):
        refused(
            await client.request(method, f"{API}{path}", json=ORDER if method == "PUT" else None),
            403,
            "admin",
        )
    assert (await client.delete(f"{API}/nine", headers=ADMIN)).status_code == 204
    refused(await client.get(f"{API}/nine/file", headers=ADMIN), 404, "nine")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"number": None}, "stationId"),
        ({"number": "x"}, "number"),
        ({"forS": 3601}, "forS"),
        ({"forS": 0}, "forS"),
        ({"format": "HTML"}, "format"),
        ({"name": "x"}, "name"),
    ],
)
async def test_an_order_with_a_mistake_is_rejected(client, refused, change, field):
    refused(await client.put(f"{API}/a", json=ORDER | change, headers=ADMIN), 400, field)


async def test_file_as_text_has_time_addresses_and_bytes_of_each_message(client, stack):
    found = recorded(message(RINGING, sent=False, at_us=AT_US + 1_000), message(INVITE))
    answer = await client.get(await started(client, stack, found), headers=ADMIN)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="sip-trace.txt"'
    assert answer.content.decode("latin-1") == (
        "--- 2024-03-24T07:45:11.695123+00:00 sent to 10.0.0.1:5060 by 10.0.0.5:40123 over udp, dialer 0-1\n"
        + INVITE.rstrip()
        + "\n\n--- 2024-03-24T07:45:11.696123+00:00 received from 10.0.0.1:5060 by 10.0.0.5:40123"
        + " over udp, dialer 0-1\n"
        + RINGING.rstrip()
        + "\n\n"
    )


async def test_file_of_packets_is_read_by_a_library_for_packets(client, stack):
    found = recorded(
        message(INVITE),
        message(RINGING, sent=False, at_us=AT_US + 1_000),
        message(
            INVITE,
            at_us=AT_US + 2_000,
            transport="tls",
            local="[2001:db8::5]:5061",
            remote="[2001:db8::1]:5061",
        ),
        message(INVITE, at_us=AT_US + 3_000, local="0.0.0.0:0", remote="[2001:db8::1]:5061"),
    )
    answer = await client.get(await started(client, stack, found, format="PCAP"), headers=ADMIN)
    assert answer.headers["Content-Type"] == "application/vnd.tcpdump.pcap"
    reader = dpkt.pcap.Reader(io.BytesIO(answer.content))
    assert reader.datalink() == LINKTYPE_RAW
    packets = [(round(at * 1e6), frame) for at, frame in reader]
    assert [at - AT_US for at, _ in packets] == [0, 1_000, 2_000, 3_000]
    first, second = (dpkt.ip.IP(frame) for _, frame in packets[:2])
    third, fourth = (dpkt.ip6.IP6(frame) for _, frame in packets[2:])
    for packet, ports in (
        (first, (40123, 5060)),
        (second, (5060, 40123)),
        (third, (5061, 5061)),
        (fourth, (0, 5061)),
    ):
        assert isinstance(packet.data, dpkt.udp.UDP)
        assert (packet.data.sport, packet.data.dport) == ports
    assert (first.src, first.dst) == (bytes([10, 0, 0, 5]), bytes([10, 0, 0, 1]))
    assert (second.src, second.dst) == (first.dst, first.src)
    request, response = dpkt.sip.Request(first.data.data), dpkt.sip.Response(second.data.data)
    assert (request.method, request.uri, response.status) == ("INVITE", "sip:1@10.0.0.1", "180")
    for packet in (first, second, third):  # the library makes the sums itself when they are 0
        sums = packet.data.sum, getattr(packet, "sum", None)
        packet.data.sum = 0
        if isinstance(packet, dpkt.ip.IP):
            packet.sum = 0
        again = type(packet)(bytes(packet))
        assert (again.data.sum, getattr(again, "sum", None)) == sums


async def test_file_of_a_trace_without_messages_is_empty(client, stack):
    text = await client.get(await started(client, stack, []), headers=ADMIN)
    assert (text.status_code, text.content) == (200, b"")
    packets = await client.get(await started(client, stack, [], format="PCAP"), headers=ADMIN)
    assert list(dpkt.pcap.Reader(io.BytesIO(packets.content))) == []
