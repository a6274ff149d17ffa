"""Digits as RTP events (RFC 4733) in a capture file, for peers that replay captures."""

import struct
from pathlib import Path

_FRAME_MS = 20
_SAMPLES = 160
"Of 20 ms at 8 kHz."
_FRAMES = 8
"A key that is held for 160 ms; the last packet of an event is sent three times (RFC 4733, 2.5.1.4)."
_ENDS = 3
_ADDRESS = bytes((127, 0, 0, 1))


def write_capture(path: Path, digit: int, payload_type: int) -> None:
    """Write the packets of one key, 0 to 9; the replaying program fills in addresses and ports."""
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)
    packets = [
        _packet(digit, payload_type, frame, end=frame >= _FRAMES - 1) for frame in range(_FRAMES + _ENDS - 1)
    ]
    records = [
        struct.pack("<IIII", 0, frame * _FRAME_MS * 1000, len(packet), len(packet)) + packet
        for frame, packet in enumerate(packets)
    ]
    path.write_bytes(header + b"".join(records))


def _packet(digit: int, payload_type: int, frame: int, *, end: bool) -> bytes:
    duration = min(frame + 1, _FRAMES) * _SAMPLES
    event = struct.pack("!BBH", digit, 0x80 * end | 10, duration)
    marker = 0x80 if frame == 0 else 0
    rtp = struct.pack("!BBHII", 0x80, marker | payload_type, 1000 + frame, 16_000, 0xCA70) + event
    udp = struct.pack("!HHHH", 6000, 6000, 8 + len(rtp), 0) + rtp
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, _ADDRESS, _ADDRESS) + udp
    return bytes(12) + b"\x08\x00" + ip
