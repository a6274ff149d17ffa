"""RTCP: our sender reports with a CNAME (RFC 3550, 6.4.1), and the reports of far ends about our packets."""

import struct

_SR, _RR, _SDES, _BYE = 200, 201, 202, 203
_NTP_EPOCH_S = 2_208_988_800
_CNAME = 1
_VERSION, _HEADER, _BLOCK = 2, 4, 24


def sender_report(ssrc: int, at_ns: int, stamp: int, *, packets: int, octets: int, cname: bytes) -> bytes:
    """Return a compound packet. `at_ns`: Unix time; `stamp`: the RTP time stamp of that moment."""
    seconds, fraction = divmod(at_ns, 1_000_000_000)
    report = struct.pack(
        ">BBHIIIIII",
        *(0x80, _SR, 6, ssrc),
        *((seconds + _NTP_EPOCH_S) & 0xFFFF_FFFF, (fraction << 32) // 1_000_000_000),
        *(stamp & 0xFFFF_FFFF, packets & 0xFFFF_FFFF, octets & 0xFFFF_FFFF),
    )
    return report + _description(ssrc, cname)


def goodbye(ssrc: int) -> bytes:
    return struct.pack(">BBHI", 0x81, _BYE, 1, ssrc)


def lost_of(data: bytes, ssrc: int, otherwise: int | None) -> int | None:
    """Return how many packets of this source the report counts as lost; `otherwise` if it says nothing."""
    while len(data) >= _HEADER and data[0] >> 6 == _VERSION:
        length = 4 * (1 + int.from_bytes(data[2:4], "big"))
        start = {_SR: 28, _RR: 8}.get(data[1])
        if start is not None:
            for at in range(start, start + _BLOCK * (data[0] & 0x1F), _BLOCK):
                block = data[at : min(at + _BLOCK, length)]
                if len(block) == _BLOCK and int.from_bytes(block[:4], "big") == ssrc:
                    # Signed: duplicates count as received. Below 0 nothing is lost.
                    return max(0, int.from_bytes(block[5:8], "big", signed=True))
        data = data[length:]
    return otherwise


def _description(ssrc: int, cname: bytes) -> bytes:
    item = struct.pack(">BB", _CNAME, len(cname)) + cname
    chunk = struct.pack(">I", ssrc) + item
    chunk += b"\0" * (4 - len(chunk) % 4)
    return struct.pack(">BBH", 0x81, _SDES, len(chunk) // 4) + chunk
