"""A-law decoding (ITU-T G.711), to compare a prompt with a peer's recording."""

import struct

_INVERTED = 0x55
_SIGN = 0x80


def _linear(code: int) -> int:
    code ^= _INVERTED
    segment, step = (code >> 4) & 7, code & 15
    magnitude = (step << 4) + 8 if segment == 0 else ((step << 4) + 0x108) << (segment - 1)
    return magnitude if code & _SIGN else -magnitude


def decoded(alaw: bytes) -> bytes:
    """Return 16-bit little-endian samples."""
    return struct.pack(f"<{len(alaw)}h", *map(_linear, alaw))
