"""Looks at the prompt before somebody is called to hear it."""

import struct
from pathlib import Path

FRAME_BYTES = 160
"20 ms of A-law at 8 kHz."
_CHUNK_HEADER = 8
_ALAW = 6
_FORMAT = struct.Struct("<HHIIHH")


class AudioError(ValueError):
    """The file is not a prompt that can be sent as it is."""


def alaw_length(path: Path) -> int:
    """Return the bytes of audio in an A-law WAV file (8 kHz, mono).

    Raises:
        AudioError: if it is something else, or cannot be read.

    """
    try:
        with path.open("rb") as file:
            riff = file.read(12)
            if riff[:4] != b"RIFF" or riff[8:] != b"WAVE":
                raise AudioError(f"{path} is no WAV file")
            format_seen = False
            while len(header := file.read(_CHUNK_HEADER)) == _CHUNK_HEADER:
                name, size = header[:4], int.from_bytes(header[4:], "little")
                if name == b"data":
                    present = path.stat().st_size - file.tell()
                    if not format_seen or size == 0 or size > present:
                        raise AudioError(f"{path} has no format, no audio, or is cut short")
                    return size
                chunk = file.read(size + size % 2)
                if name == b"fmt ":
                    _check_format(path, chunk)
                    format_seen = True
    except OSError as error:
        raise AudioError(f"{path} cannot be read: {error.strerror}") from error
    raise AudioError(f"{path} has no audio")


def _check_format(path: Path, chunk: bytes) -> None:
    if len(chunk) < _FORMAT.size:
        raise AudioError(f"{path} is cut short")
    coding, channels, rate, _, _, bits = _FORMAT.unpack_from(chunk)
    if (coding, channels, rate, bits) != (_ALAW, 1, 8000, 8):
        raise AudioError(f"{path} is not A-law at 8 kHz, mono")
