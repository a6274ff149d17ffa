"""Recognise the format of a file by its bytes.

The name only decides whether bytes of no known format may be raw PCM.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath

from cato_contracts.errors import InvalidError, UnsupportedMediaError
from cato_media.domain.containers import read_container
from cato_media.domain.mpeg import frame_at, is_free_format, read_mp3, skip_tags, skip_zeros
from cato_media.domain.plausibility import implausible
from cato_media.domain.signatures import WINDOW, accepted_kind, other_format
from cato_media.domain.sound import Buffer, Coding, Kind, Sound, check_length
from cato_media.domain.wav import check_rate, is_wav, read_wav

MIN_SECONDS = 0.02
"""The length of one RTP packet."""

ACCEPTED = "MP3, WAV, FLAC, Ogg, M4A, AAC and raw PCM are accepted"

_RAW_RATE = 8000
_TAGS = (b"ID3", b"APETAGEX")
_MP3_WINDOW = 64 * 1024
_MP3_CHAIN = 4


@dataclass(frozen=True, slots=True)
class Recognised:
    """A kind of file, how its audio is coded, and where it begins."""

    kind: Kind
    coding: Coding
    start: int = 0


def inspect(data: Buffer, name: str, *, max_seconds: float) -> Sound:
    """Return the description of the audio in an uploaded file.

    Raises:
        UnsupportedMediaError: if it is in no accepted format, or not plausible as raw PCM.
        InvalidError: if it is damaged, cut, empty or too short.
        TooLargeError: if it lasts longer than `max_seconds`.

    """
    if len(data) == 0:
        raise InvalidError("the file is empty")
    found = recognise(data, name)
    if found.kind is Kind.WAV:
        sound = read_wav(data)
    elif found.kind is Kind.MP3:
        sound = read_mp3(data, max_seconds=max_seconds)
    elif found.kind is Kind.PCM:
        sound = _read_pcm(data)
    else:
        return read_container(data, found.kind, found.coding, found.start, max_seconds=max_seconds)
    check_length(sound, max_seconds)
    check_rate(sound)
    known_by_the_decoder_alone = sound.coding is Coding.WAV and not sound.length
    if sound.length < MIN_SECONDS * sound.rate and not known_by_the_decoder_alone:
        raise InvalidError(
            f"the file has {sound.seconds * 1000:.1f} ms of audio,"
            f" at least {MIN_SECONDS * 1000:g} ms are required"
        )
    return sound


def recognise(data: Buffer, name: str) -> Recognised:
    """Return the format of a file that is not empty.

    Raises:
        UnsupportedMediaError: if it is none of the accepted ones.

    """
    if is_wav(data):
        return Recognised(Kind.WAV, Coding.WAV)
    tagged = data[:8].startswith(_TAGS)
    start = skip_tags(data, 0) if tagged else 0
    head = data[start : start + WINDOW]
    accepted = accepted_kind(head)
    if accepted is not None:
        return Recognised(*accepted, start)
    other = other_format(head)
    if other is not None:
        raise UnsupportedMediaError(f"the file is {other}: {ACCEPTED}")
    if tagged or _begins_with_frames(data):
        return Recognised(Kind.MP3, Coding.MP3)
    if PurePosixPath(name).suffix.lower() in {".pcm", ""}:
        return Recognised(Kind.PCM, Coding.S16LE)
    raise UnsupportedMediaError(
        f"the format of the file is not known: {ACCEPTED}, raw PCM under a name that ends in .pcm"
    )


def _begins_with_frames(data: Buffer) -> bool:
    """Recognise an MP3 stream by two frames of one kind in a row, or by one frame that is the whole file.

    A single header is not enough: raw samples can contain the same bytes.
    """
    place = skip_zeros(data, 0)
    if is_free_format(data, place):
        return _free_format_repeats(data, place)
    first = frame_at(data, place)
    if first is None:
        return False
    place += first.size
    if place == len(data) or data[place : place + 3] in {b"TAG", b"APE", b"ID3"}:
        return True
    second = frame_at(data, place)
    return second is not None and (first.version, first.rate) == (second.version, second.rate)


def _free_format_repeats(data: Buffer, place: int) -> bool:
    """Recognise a free-format stream: its frames have one size, so the header repeats at equal distances."""
    head = data[place : place + 2]
    window = data[place : place + 8192]
    following = window.find(head, 4)
    while following >= 0:
        third = window[2 * following : 2 * following + 2]
        # The padding bit moves a frame by one byte.
        if third == head or window[2 * following + 1 : 2 * following + 3] == head:
            return True
        following = window.find(head, following + 1)
    return False


def _read_pcm(data: Buffer) -> Sound:
    if len(data) % 2:
        raise InvalidError(
            f"raw PCM is signed 16-bit samples: its length must be even, it is {len(data)} bytes"
        )
    seemingly = (
        f"MP3 audio behind {mp3} bytes of something else" if (mp3 := _mp3_within(data)) else implausible(data)
    )
    if seemingly is not None:
        raise UnsupportedMediaError(
            "the file is not raw PCM speech of signed 16-bit samples at 8 kHz, it would be played as noise;"
            f" it seems to be {seemingly}"
        )
    return Sound(
        kind=Kind.PCM,
        coding=Coding.S16LE,
        start=0,
        end=len(data),
        rate=_RAW_RATE,
        channels=1,
        length=len(data) // 2,
    )


def _mp3_within(data: Buffer) -> int | None:
    """Return the position of an MP3 stream that begins in the first 64 KiB; four frames in a row prove it."""
    place = data.find(b"\xff", 1)
    while 0 < place < _MP3_WINDOW:
        if _chain_at(data, place):
            return place
        place = data.find(b"\xff", place + 1)
    return None


def _chain_at(data: Buffer, place: int) -> bool:
    first = frame = frame_at(data, place)
    for _ in range(_MP3_CHAIN - 1):
        if first is None or frame is None or (first.version, first.rate) != (frame.version, frame.rate):
            return False
        place += frame.size
        frame = frame_at(data, place)
    return frame is not None
