"""Tones in G.711 A-law: ringback, a steady tone in place of speech, and DTMF digits."""

import math
from collections.abc import Sequence
from functools import lru_cache

RATE = 8000
FRAME = 160
"Bytes in one packet: 20 ms."

_KEYS = "123A456B789C*0#D"
_ROWS = (697, 770, 852, 941)
_COLUMNS = (1209, 1336, 1477, 1633)
_RINGBACK_HZ = 425
_TALK_HZ = 300
_SILENCE = 0xD5


def alaw(sample: int) -> int:
    """Encode one signed 16-bit sample (ITU-T G.711 table 1a)."""
    sign = 0x80 if sample >= 0 else 0
    magnitude = min((sample if sample >= 0 else ~sample) >> 4, 0x7FF)
    exponent = max(magnitude.bit_length() - 4, 0)
    mantissa = magnitude >> max(exponent - 1, 0) & 0x0F
    return (sign | exponent << 4 | mantissa) ^ 0x55


def tone(frequencies: Sequence[int], seconds: float, peak: int = 8000) -> bytes:
    """Return the sum of the frequencies at equal levels; `peak` is the peak of the sum."""
    level = peak / len(frequencies)
    return bytes(
        alaw(round(level * sum(math.sin(2 * math.pi * hz * n / RATE) for hz in frequencies)))
        for n in range(round(seconds * RATE))
    )


@lru_cache
def ringback() -> bytes:
    """Return one period of the ringback tone: 1 s of 425 Hz, 4 s of silence."""
    return tone([_RINGBACK_HZ], 1) + bytes([_SILENCE]) * (4 * RATE)


@lru_cache
def talking() -> bytes:
    """Return one second of a steady tone."""
    return tone([_TALK_HZ], 1)


@lru_cache
def key(digit: str) -> bytes:
    """Return 100 ms of the digit's tone pair (ITU-T Q.23) and 100 ms of silence."""
    row, column = divmod(_KEYS.index(digit), 4)
    return tone([_ROWS[row], _COLUMNS[column]], 0.1) + bytes([_SILENCE]) * (RATE // 10)


def muted(payload: bytes | bytearray) -> bytes:
    """Strip A-law silence (0xD5 and 0x55, plus and minus zero) from both ends."""
    return bytes(payload).strip(b"\xd5\x55")
