"""The audio of a prompt: G.711 A-law, 8000 bytes/s, mono, and the WAV files that hold it.

Media stores prompts without a header, the gateway serves them and the dialer caches them as WAV files. This
module is the only place that writes or reads such a file. It needs the standard library alone, so that a SIP
worker process can import it.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

RATE = 8000
"""Samples, and so bytes, per second."""

FRAME_BYTES = 160
"""20 ms of audio: the payload of one RTP packet."""

SILENCE = 0xD5
"""The code of the smallest positive level (G.711, table 1a)."""

_WAVE_FORMAT_ALAW = 6
_RIFF_HEADER = 12
_CHUNK_HEADER = 8
_FORMAT = struct.Struct("<HHIIHH")
_HEADER = struct.Struct("<4sI4s 4sIHHIIHHH 4sII 4sI")


class AlawWavError(ValueError):
    """The file is not an A-law WAV file at 8 kHz, mono, or it is cut short."""


def wav_header(size: int) -> bytes:
    """Return the header of a WAV file with `size` bytes of audio.

    The chunks are fmt with cbSize, fact and data, as RIFF asks of a format other than PCM. After an odd
    number of bytes the file needs a pad byte: `wav_file` adds it, a caller that streams adds it itself.
    """
    return _HEADER.pack(
        *(b"RIFF", _HEADER.size - _CHUNK_HEADER + size + size % 2, b"WAVE"),
        *(b"fmt ", 18, _WAVE_FORMAT_ALAW, 1, RATE, RATE, 1, 8, 0),
        *(b"fact", 4, size),
        *(b"data", size),
    )


def wav_file(audio: bytes) -> bytes:
    """Return a complete WAV file with this audio."""
    return wav_header(len(audio)) + audio + b"\0" * (len(audio) % 2)


def pad_to_frames(audio: bytes) -> bytes:
    """Return the audio, filled up with silence to whole frames."""
    return audio + bytes([SILENCE]) * (-len(audio) % FRAME_BYTES)


def audio_length(path: Path) -> int:
    """Return the number of bytes of audio in an A-law WAV file.

    Raises:
        AlawWavError: if the file has another format, is cut short or cannot be read.

    """
    with _audio(path) as (_, size):
        return size


def read_audio(path: Path) -> bytes:
    """Return the audio of an A-law WAV file.

    Raises:
        AlawWavError: as for `audio_length`.

    """
    with _audio(path) as (file, size):
        return file.read(size)


@contextmanager
def _audio(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """Yield the file at the beginning of its audio, and the number of bytes of it."""
    try:
        with path.open("rb") as file:
            yield file, _seek_audio(path, file)
    except OSError as error:
        raise AlawWavError(f"{path} cannot be read: {error.strerror}") from error


def _seek_audio(path: Path, file: BinaryIO) -> int:
    riff = file.read(_RIFF_HEADER)
    if riff[:4] != b"RIFF" or riff[8:] != b"WAVE":
        raise AlawWavError(f"{path} is not a WAV file")
    format_seen = False
    while len(header := file.read(_CHUNK_HEADER)) == _CHUNK_HEADER:
        name, size = header[:4], int.from_bytes(header[4:], "little")
        if name == b"data":
            present = path.stat().st_size - file.tell()
            if not format_seen or size == 0 or size > present:
                raise AlawWavError(f"{path} has no format, no audio, or is cut short")
            return size
        chunk = file.read(size + size % 2)
        if name == b"fmt ":
            _check_format(path, chunk)
            format_seen = True
    raise AlawWavError(f"{path} has no audio")


def _check_format(path: Path, chunk: bytes) -> None:
    if len(chunk) < _FORMAT.size:
        raise AlawWavError(f"{path} is cut short")
    coding, channels, rate, _, _, bits = _FORMAT.unpack_from(chunk)
    if (coding, channels, rate, bits) != (_WAVE_FORMAT_ALAW, 1, RATE, 8):
        raise AlawWavError(f"{path} is not A-law at 8 kHz, mono")
