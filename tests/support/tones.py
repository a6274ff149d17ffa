"""Generated audio for prompts without repeated parts."""

import math
import struct


def tone(seconds: float, hertz: float = 440) -> bytes:
    """Return raw PCM, 16 bit little-endian, 8 kHz: a tone with a sweep, so that no part repeats."""
    samples = (
        int(9000 * math.sin(2 * math.pi * hertz * n / 8000) + 3000 * math.sin(n * n / 9e5))
        for n in range(int(seconds * 8000))
    )
    return b"".join(struct.pack("<h", sample) for sample in samples)
