"""NAPTR and SRV records, asked of a name server over UDP."""

import asyncio
from collections.abc import AsyncIterator

import dns.asyncresolver
import dns.message
import dns.rrset
import pytest

from cato_dialer.dial.adapters.sip.dns_records import DnsRecords

RECORDS = {
    ("_sip._udp.plain.example.", "SRV"): ("20 0 5062 b.example.", "10 0 5061 a.example."),
    ("named.example.", "NAPTR"): (
        '50 50 "s" "SIPS+D2T" "" _sips._tcp.other.example.',
        '90 50 "s" "SIP+D2U" "" _sip._udp.late.example.',
        '90 10 "S" "sip+d2u" "" _sip._udp.other.example.',
    ),
    ("_sip._udp.other.example.", "SRV"): ("1 1 5070 c.example.",),
    ("_sip._udp.named.example.", "SRV"): ("1 1 5099 never.example.",),
    ("_sip._udp.none.example.", "SRV"): ("0 0 0 .",),
}


class NameServer(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        answer = dns.message.make_response(query)
        found = RECORDS.get((str(question.name), kind))
        if found is not None:
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
        self.transport.sendto(answer.to_wire(), addr)


@pytest.fixture
async def records() -> AsyncIterator[DnsRecords]:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        NameServer, local_addr=("127.0.0.1", 0)
    )
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = transport.get_extra_info("sockname")[1]
    yield DnsRecords(resolver)
    transport.close()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("plain.example", [("a.example", 5061), ("b.example", 5062)]),
        ("named.example", [("c.example", 5070)]),
        ("none.example", []),
        ("unknown.example", []),
        ("localhost", []),
    ],
)
async def test_t19_services_are_found_in_the_order_of_rfc_3263(
    records: DnsRecords, name: str, found: list[tuple[str, int]]
):
    assert await records.services(name, "udp") == found


async def test_a_name_server_that_is_not_there_means_no_records():
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port, resolver.timeout = ["127.0.0.1"], 9, 0.1
    records = DnsRecords(resolver)
    assert await records.services("plain.example", "udp") == []


async def test_addresses_come_from_the_system(records: DnsRecords):
    assert await records.addresses("localhost") == ["127.0.0.1"]
    with pytest.raises(OSError):
        await records.addresses("station.invalid")
