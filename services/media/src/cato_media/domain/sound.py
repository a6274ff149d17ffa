"""What is known of an uploaded file before it is decoded."""

from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from mmap import mmap

Buffer = bytes | mmap
"""A file's content. A slice of either is bytes of its own, so nothing keeps a mapping from being closed."""

PROMPT_RATE = 8000
"""Samples (and A-law bytes) per second of a stored prompt."""


class Kind(StrEnum):
    """The kinds of file that are taken."""

    MP3 = "mp3"
    WAV = "wav"
    PCM = "pcm"


class Coding(StrEnum):
    """How samples are written in the file."""

    MP3 = "mp3"
    U8 = "u8"
    S16LE = "s16le"
    S24LE = "s24le"
    S32LE = "s32le"
    F32LE = "f32le"
    F64LE = "f64le"
    S16BE = "s16be"
    S24BE = "s24be"
    S32BE = "s32be"
    F32BE = "f32be"
    F64BE = "f64be"
    ALAW = "alaw"
    MULAW = "mulaw"


@dataclass(frozen=True, slots=True)
class Sound:
    """The sound in a file: the bytes `start` to `end`, and what they hold.

    `length` is in samples per channel at `rate`, as the file's structure tells it. `speaker_mask` is the
    one of WAVE_FORMAT_EXTENSIBLE, None when the file has none.
    """

    kind: Kind
    coding: Coding
    start: int
    end: int
    rate: int
    channels: int
    length: int
    speaker_mask: int | None = None

    @property
    def seconds(self) -> float:
        return self.length / self.rate

    @property
    def prompt_length(self) -> int:
        """Return the length in samples of a prompt, a started one counting as a whole one."""
        return ceil(self.length * PROMPT_RATE / self.rate)
