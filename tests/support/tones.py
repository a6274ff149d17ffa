"""Audio made by rule, for prompts whose every byte is known to differ from its neighbours."""

import math
import struct


def tone(seconds: float, hertz: float = 440) -> bytes:
    """Return raw PCM, 16 bit little-endian, 8 kHz: a tone with a sweep over it, so that no part repeats."""
    samples = (
        int(9000 * math.sin(2 * math.pi * hertz * n / 8000) + 3000 * math.sin(n * n / 9e5))
        for n in range(int(seconds * 8000))
    )
    return b"".join(struct.pack("<h", sample) for sample in samples)
