"""The prompt of the benchmark: one byte distinguishes every frame from its neighbours.

Frame k is 160 times the byte k % 251, so the first bytes of the received packets show whether a frame is
missing, repeated or damaged.
"""

from pathlib import Path

from cato_contracts.alaw_wav import wav_file

FRAME = 160
"Bytes of 20 ms of A-law at 8 kHz."
PERIOD = 251
PATTERN = bytes(range(PERIOD))


def frames(count: int) -> bytes:
    """Return the first byte of each of so many frames from the beginning."""
    return (PATTERN * (count // PERIOD + 1))[:count]


def write_prompt(path: Path, seconds: float) -> Path:
    """Write an A-law WAV of the pattern."""
    audio = b"".join(bytes([mark]) * FRAME for mark in frames(round(seconds * 50)))
    path.write_bytes(wav_file(audio))
    return path
