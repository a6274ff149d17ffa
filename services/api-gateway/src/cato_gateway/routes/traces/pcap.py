"""A SIP trace as packets: the file format of tcpdump (draft-ietf-opsawg-pcap), with datagrams in raw IP.

Messages over TCP and TLS are written as datagrams, too: a reader needs no key, and finds SIP by its port.
"""

import ipaddress
import struct

from cato_gateway.ports import RecordedMessage

_US = 1_000_000
_MAGIC, _VERSION, _SNAP_LENGTH, _LINKTYPE_RAW = 0xA1B2C3D4, (2, 4), 262_144, 101
_UDP, _TTL = 17, 64
_LARGEST_DATAGRAM = 65_000
"A message beyond the 65,507 bytes of a datagram is cut."

HEADER = struct.pack("<IHHiIII", _MAGIC, *_VERSION, 0, 0, _SNAP_LENGTH, _LINKTYPE_RAW)
"""The head of the file."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def packet_of(recorded: RecordedMessage) -> bytes:
    """Return a message as a packet with its time."""
    message = recorded.message
    data = message.text.encode("latin-1")[:_LARGEST_DATAGRAM]
    ends = _read(message.local), _read(message.remote)
    source, target = ends if message.sent else ends[::-1]
    frame = _ip(source, target, data)
    seconds, micros = divmod(message.at_us, _US)
    return struct.pack("<IIII", seconds, micros, len(frame), len(frame)) + frame


def _read(address: str) -> tuple[_Address, int]:
    host, _, port = address.rpartition(":")
    return ipaddress.ip_address(host.strip("[]")), int(port)


def _ip(source: tuple[_Address, int], target: tuple[_Address, int], data: bytes) -> bytes:
    (from_host, from_port), (to_host, to_port) = source, target
    if from_host.version != to_host.version:  # one of them is not known
        from_host, to_host = _as_ipv6(from_host), _as_ipv6(to_host)
    length = 8 + len(data)
    head = struct.pack("!HHHH", from_port, to_port, length, 0)
    pseudo = from_host.packed + to_host.packed + struct.pack("!II", length, _UDP)
    datagram = head[:6] + struct.pack("!H", _checksum(pseudo + head + data) or 0xFFFF) + data
    if from_host.version == 6:  # noqa: PLR2004 - IPv6
        return (
            struct.pack("!IHBB", 6 << 28, length, _UDP, _TTL) + from_host.packed + to_host.packed + datagram
        )
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, _TTL, _UDP, 0)
    ip += from_host.packed + to_host.packed
    return ip[:10] + struct.pack("!H", _checksum(ip)) + ip[12:] + datagram


def _as_ipv6(address: _Address) -> ipaddress.IPv6Address:
    if isinstance(address, ipaddress.IPv6Address):
        return address
    return ipaddress.IPv6Address(bytes(10) + b"\xff\xff" + address.packed)


def _checksum(data: bytes) -> int:
    """Return the checksum of the internet (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
