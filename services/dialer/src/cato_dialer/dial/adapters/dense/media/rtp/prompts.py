"""Prompts in memory, shared by the calls that play them."""

import weakref
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cato_contracts.alaw_wav import SILENCE, read_audio

BYTES_PER_MS = 8
_LONGEST_PACKET_MS = 60
STEP_MS = 10
STEP_BYTES = STEP_MS * BYTES_PER_MS
"Packet sizes are multiples of this step."


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Prompt:
    """G.711 audio, padded with silence so that the last packet of any size is whole.

    `steps` counts it in steps of 10 ms without the padding; `length_ms` is exact. `sums[n]` is the sum of the
    16-bit words before step n: differences give the UDP checksum of any packet.
    """

    audio: npt.NDArray[np.uint8]
    length_ms: int
    sums: npt.NDArray[np.int64]

    @property
    def address(self) -> int:
        return int(self.audio.ctypes.data)

    @property
    def steps(self) -> int:
        return -(-self.length_ms // STEP_MS)


class Prompts:
    """Reads A-law WAV files; a prompt stays in memory while a call plays it."""

    def __init__(self) -> None:
        self._known: weakref.WeakValueDictionary[tuple[str, str], Prompt] = weakref.WeakValueDictionary()

    def get(self, path: str, codec: str) -> Prompt:
        """Return the prompt in a codec. Raises: AlawWavError."""
        prompt = self._known.get((path, codec))
        if prompt is None:
            prompt = self._known[path, codec] = _read(Path(path), codec)
        return prompt


def _read(path: Path, codec: str) -> Prompt:
    """Raises: AlawWavError."""
    audio = np.frombuffer(read_audio(path), np.uint8)
    size = len(audio)
    steps = -(-size // STEP_BYTES) + _LONGEST_PACKET_MS // STEP_MS
    padded = np.full(steps * STEP_BYTES, SILENCE, np.uint8)
    padded[:size] = audio
    if codec == "PCMU":
        padded = ALAW_TO_ULAW[padded]
    words = padded.reshape(steps, STEP_BYTES).view(">u2").sum(axis=1, dtype=np.int64)
    return Prompt(padded, -(-size // BYTES_PER_MS), np.concatenate(([0], np.cumsum(words))))


def _alaw_to_linear(code: int) -> int:
    """Return the 13-bit sample of an A-law byte, as 16 bits (ITU-T G.711)."""
    code ^= 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    value = (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 0x108) << (exponent - 1)
    return value if code & 0x80 else -value


def _linear_to_ulaw(sample: int) -> int:
    """Return the mu-law byte of a 16-bit sample (ITU-T G.711)."""
    bias, clip = 0x84, 32_635
    magnitude = min(abs(sample), clip) + bias
    exponent = magnitude.bit_length() - 8
    code = (exponent << 4) | ((magnitude >> (exponent + 3)) & 15)
    return ~(code | (0x80 if sample < 0 else 0)) & 0xFF


ALAW_TO_ULAW = np.array([_linear_to_ulaw(_alaw_to_linear(code)) for code in range(256)], np.uint8)
