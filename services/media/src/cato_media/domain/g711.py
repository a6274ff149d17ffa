"""The levels of G.711 codes, as signed 16-bit samples (ITU-T G.711, tables 1a and 2a)."""


def _alaw(code: int) -> int:
    code ^= 0x55
    segment, mantissa = code >> 4 & 7, code & 15
    level = (mantissa << 4) + 8 if segment == 0 else (mantissa << 4) + 0x108 << segment - 1
    return level if code & 0x80 else -level


def _mulaw(code: int) -> int:
    code ^= 0xFF
    level = (((code & 15) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
    return -level if code & 0x80 else level


ALAW_LEVELS = tuple(map(_alaw, range(256)))
MULAW_LEVELS = tuple(map(_mulaw, range(256)))
