"""The description of the audio in an upload, known before it is decoded."""

from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from mmap import mmap

from cato_contracts.errors import TooLargeError

Buffer = bytes | mmap
"""The content of a file. A slice of either is a copy, so no slice prevents the mapping from being closed."""

PROMPT_RATE = 8000
"""Samples, and A-law bytes, per second of a stored prompt."""


class Kind(StrEnum):
    """The kinds of file that are accepted."""

    MP3 = "mp3"
    WAV = "wav"
    PCM = "pcm"
    FLAC = "flac"
    OGG = "ogg"
    M4A = "m4a"
    AAC = "aac"
    AMR = "amr"
    AIFF = "aiff"
    AU = "au"
    CAF = "caf"
    WEBM = "webm"


class Coding(StrEnum):
    """How the audio is coded, by ffmpeg's name for its reader.

    A sample format for samples whose position and format are known, a container format otherwise.
    """

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
    WAV = "wav"
    FLAC = "flac"
    OGG = "ogg"
    MOV = "mov"
    AAC = "aac"
    AMR = "amr"
    AIFF = "aiff"
    AU = "au"
    CAF = "caf"
    MATROSKA = "matroska"

    @property
    def is_samples(self) -> bool:
        """Return whether the audio is plain samples, without a structure that has to be read."""
        return self in _SAMPLE_FORMATS


_SAMPLE_FORMATS = frozenset(
    {
        *(Coding.U8, Coding.ALAW, Coding.MULAW),
        *(Coding.S16LE, Coding.S24LE, Coding.S32LE, Coding.F32LE, Coding.F64LE),
        *(Coding.S16BE, Coding.S24BE, Coding.S32BE, Coding.F32BE, Coding.F64BE),
    }
)


@dataclass(frozen=True, slots=True)
class Sound:
    """The audio in a file: the bytes from `start` to `end` and their format.

    `length` is in samples per channel at `rate`, computed from the file's structure; 0 if only the decoder
    can tell, as with most containers, whose `rate` and `channels` are 0, too. `speaker_mask` is that of
    WAVE_FORMAT_EXTENSIBLE, None for other files. `parts` are the positions of several MP3 files that were
    joined into one; empty for one file. `open_ended` means that the file does not say where its audio ends.
    """

    kind: Kind
    coding: Coding
    start: int
    end: int
    rate: int
    channels: int
    length: int
    speaker_mask: int | None = None
    parts: tuple[tuple[int, int], ...] = ()
    open_ended: bool = False

    @property
    def seconds(self) -> float:
        """Return the length in seconds; 0 if it is not known yet."""
        return self.length / self.rate if self.length else 0.0

    @property
    def prompt_length(self) -> int:
        """Return the length of the prompt in samples, rounded up; 0 if it is not known yet."""
        return ceil(self.length * PROMPT_RATE / self.rate) if self.length else 0


def check_length(sound: Sound, max_seconds: float) -> None:
    """Check the length that the structure of the file gives, before anything is decoded.

    Raises:
        TooLargeError: if it is above `max_seconds`.

    """
    if sound.length > max_seconds * sound.rate:
        raise TooLargeError(f"the audio is longer than the {max_seconds:g} s that are allowed")
