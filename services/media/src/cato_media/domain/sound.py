"""The description of the audio in an upload, known before it is decoded."""

from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from mmap import mmap

Buffer = bytes | mmap
"""The content of a file. A slice of either is a copy, so no slice prevents the mapping from being closed."""

PROMPT_RATE = 8000
"""Samples, and A-law bytes, per second of a stored prompt."""


class Kind(StrEnum):
    """The kinds of file that are accepted."""

    MP3 = "mp3"
    WAV = "wav"
    PCM = "pcm"


class Coding(StrEnum):
    """The sample format in the file, by ffmpeg's name."""

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
    """The audio in a file: the bytes from `start` to `end` and their format.

    `length` is in samples per channel at `rate`, computed from the file's structure. `speaker_mask` is that
    of WAVE_FORMAT_EXTENSIBLE, None for other files.
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
        """Return the length of the prompt in samples, rounded up."""
        return ceil(self.length * PROMPT_RATE / self.rate)
