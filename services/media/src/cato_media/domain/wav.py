"""The structure of WAV files: RIFF, RIFX (big-endian), RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from cato_contracts.errors import InvalidError, UnsupportedMediaError
from cato_media.domain.sound import Buffer, Coding, Kind, Sound

FORM_TYPES = (b"RIFF", b"RIFX", b"RF64", b"BW64")
_FORM_HEADER = 12
_CHUNK_HEADER = 8
_FMT_SIZE = 16
_EXTENSIBLE_SIZE = 40
_MAX_CHUNKS = 4096
_UNKNOWN_SIZE = 0xFFFFFFFF
_IMPOSSIBLE_SIZE = 0x7FFF0000
"""From this size on, and with 0, a program that writes to a pipe could not return to the header.

Programs write 0, 0x7FFFEFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF and values below these; the audio then ends
with the file.
"""

_MISSING_TOLERANCE_S = 0.02
_MAX_CHANNELS = 8
_MIN_RATE, _MAX_RATE = 4_000, 384_000

_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 0x0001, 0x0003, 0x0006, 0x0007, 0xFFFE
_SUBTYPE_TAIL = bytes.fromhex("000000001000800000aa00389b71")
"""The last 14 bytes of a sub-format GUID that carries a format number (mmreg.h, KSDATAFORMAT_SUBTYPE_*)."""

_CODINGS = {
    (_PCM, 1): (Coding.U8, Coding.U8),
    (_PCM, 2): (Coding.S16LE, Coding.S16BE),
    (_PCM, 3): (Coding.S24LE, Coding.S24BE),
    (_PCM, 4): (Coding.S32LE, Coding.S32BE),
    (_FLOAT, 4): (Coding.F32LE, Coding.F32BE),
    (_FLOAT, 8): (Coding.F64LE, Coding.F64BE),
    (_ALAW, 1): (Coding.ALAW, Coding.ALAW),
    (_MULAW, 1): (Coding.MULAW, Coding.MULAW),
}
_MS_ADPCM, _IMA_ADPCM, _YAMAHA_ADPCM, _GSM, _MP3 = 0x0002, 0x0011, 0x0020, 0x0031, 0x0055
_BLOCKS = frozenset({_MS_ADPCM, _IMA_ADPCM, _YAMAHA_ADPCM, _GSM, _MP3})
"""Codings in blocks, which ffmpeg reads together with the header."""

_BLOCK_SAMPLES = 18
"""The position of the number of samples in a block."""

_CODING_NAMES = {_PCM: "PCM", _FLOAT: "floating point", _ALAW: "A-law", _MULAW: "µ-law"}


@dataclass(frozen=True, slots=True)
class _Format:
    coding: Coding
    channels: int
    rate: int
    frame_bytes: int
    speaker_mask: int | None
    byte_rate: int
    frame_samples: int = 1
    """Samples per channel in `frame_bytes`; 0: unknown."""


def is_wav(data: Buffer) -> bool:
    return data[:4] in FORM_TYPES and data[8:12] == b"WAVE"


def read_wav(data: Buffer) -> Sound:
    """Return the position and the format of the audio.

    Raises:
        InvalidError: if the file is damaged, has no audio, or less audio than its header says.
        UnsupportedMediaError: if its coding is not PCM, floating point, A-law, µ-law, ADPCM, GSM or MP3.

    """
    order = ">" if data[:4] == b"RIFX" else "<"
    form: _Format | None = None
    long_size: int | None = None
    for name, start, size in _chunks(data, order):
        if name == b"ds64" and size >= 16:  # noqa: PLR2004 - riff size and data size
            long_size = struct.unpack_from("<Q", data, start + 8)[0]
        elif name == b"fmt ":
            form = _format(data[start : start + min(size, _EXTENSIBLE_SIZE)], order)
        elif name == b"data":
            if form is None:
                raise InvalidError("the WAV file is damaged: it has no fmt chunk before its data")
            promised = long_size if size == _UNKNOWN_SIZE and long_size is not None else size
            # A header that was completed also states the size of the whole file.
            whole = struct.unpack_from(f"{order}I", data, 4)[0] + _CHUNK_HEADER
            return _sound(data, form, start, promised, says_its_size=abs(whole - len(data)) <= 1)
    if form is None:
        raise InvalidError("the WAV file is damaged: it has no fmt chunk")
    raise InvalidError("the WAV file has no data chunk: it is cut or empty")


def _chunks(data: Buffer, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name, position and stated size (both in bytes) of each chunk."""
    place = _FORM_HEADER
    for _ in range(_MAX_CHUNKS):
        if place + _CHUNK_HEADER > len(data):
            return
        name, size = struct.unpack_from(f"{order}4sI", data, place)
        yield name, place + _CHUNK_HEADER, size
        place += _CHUNK_HEADER + size + size % 2
    raise InvalidError(f"the WAV file is damaged: it has more than {_MAX_CHUNKS} chunks")


def _format(chunk: bytes, order: str) -> _Format:
    if len(chunk) < _FMT_SIZE:
        raise InvalidError("the WAV file is damaged: its fmt chunk is cut")
    tag, channels, rate, byte_rate, frame_bytes, _ = struct.unpack_from(f"{order}HHIIHH", chunk)
    speaker_mask = None
    if tag == _EXTENSIBLE:
        tag, speaker_mask = _extension(chunk, order)
    if tag not in _CODING_NAMES and tag not in _BLOCKS:
        raise UnsupportedMediaError(
            f"the WAV file's coding 0x{tag:04x} is not supported:"
            " PCM, floating point, A-law, µ-law, ADPCM, GSM and MP3 are"
        )
    if not 1 <= channels <= _MAX_CHANNELS:
        raise InvalidError(f"the WAV file has {channels} channels: 1 to {_MAX_CHANNELS} are allowed")
    if rate == 0:
        raise InvalidError("the WAV file is damaged: its sample rate is 0")
    if tag in _BLOCKS:
        frame_bytes, byte_rate = max(frame_bytes, 1), byte_rate or rate
        samples = int.from_bytes(
            chunk[_BLOCK_SAMPLES : _BLOCK_SAMPLES + 2], "big" if order == ">" else "little"
        )
        return _Format(
            Coding.WAV, channels, rate, frame_bytes, None, byte_rate, 0 if tag == _MP3 else samples
        )
    codings = _CODINGS.get((tag, frame_bytes // channels))
    if codings is None or frame_bytes % channels:
        raise InvalidError(
            f"the WAV file is damaged: {frame_bytes} bytes are no {channels} samples of {_CODING_NAMES[tag]}"
        )
    return _Format(codings[order == ">"], channels, rate, frame_bytes, speaker_mask, rate * frame_bytes)


def _extension(chunk: bytes, order: str) -> tuple[int, int]:
    if len(chunk) < _EXTENSIBLE_SIZE:
        raise InvalidError("the WAV file is damaged: its extensible fmt chunk is cut")
    mask, tag = struct.unpack_from(f"{order}IH", chunk, 20)
    if chunk[26:40] != _SUBTYPE_TAIL:
        raise UnsupportedMediaError("the WAV file's coding is not supported: its sub-format is unknown")
    return tag, mask


def _sound(data: Buffer, form: _Format, start: int, promised: int, *, says_its_size: bool) -> Sound:
    there = max(len(data) - start, 0)
    open_ended = not says_its_size and (promised == 0 or promised >= _IMPOSSIBLE_SIZE)
    if open_ended:
        promised = there
    missing = promised - there
    if missing > _MISSING_TOLERANCE_S * form.byte_rate:
        raise InvalidError(
            f"the WAV file is cut: its header says {promised} bytes of sound, {there} are there"
        )
    frames = min(promised, there) // form.frame_bytes
    in_blocks = form.coding is Coding.WAV
    if frames == 0:
        raise InvalidError("the WAV file has no sound")
    return Sound(
        kind=Kind.WAV,
        coding=form.coding,
        start=0 if in_blocks else start,
        end=start + (min(promised, there) if in_blocks else frames * form.frame_bytes),
        rate=form.rate,
        channels=form.channels,
        length=frames * form.frame_samples,
        speaker_mask=form.speaker_mask,
        open_ended=open_ended,
    )


def check_rate(sound: Sound) -> None:
    """Check that the sample rate is plausible: at a very low one, a few bytes would last for hours.

    Raises:
        InvalidError: if it is outside of the limits.

    """
    if not _MIN_RATE <= sound.rate <= _MAX_RATE:
        raise InvalidError(
            f"the WAV file's sample rate is {sound.rate} Hz: {_MIN_RATE} to {_MAX_RATE} Hz are allowed"
        )
