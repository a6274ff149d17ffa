"""RTCP sender reports (RFC 3550, 6.4.1) with a CNAME, as each RTP stream has to send."""

import struct

_SR, _SDES, _BYE = 200, 202, 203
_NTP_EPOCH_S = 2_208_988_800
_CNAME = 1


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


def _description(ssrc: int, cname: bytes) -> bytes:
    item = struct.pack(">BB", _CNAME, len(cname)) + cname
    chunk = struct.pack(">I", ssrc) + item
    chunk += b"\0" * (4 - len(chunk) % 4)
    return struct.pack(">BBH", 0x81, _SDES, len(chunk) // 4) + chunk
