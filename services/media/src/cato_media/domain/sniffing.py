"""Recognise the format of a file by its bytes.

The name only decides whether bytes of no known format may be raw PCM.
"""

from pathlib import PurePosixPath

from cato_contracts.errors import InvalidError, TooLargeError, UnsupportedMediaError
from cato_media.domain.mpeg import frame_at, is_free_format, read_mp3, skip_tags, skip_zeros
from cato_media.domain.sound import Buffer, Coding, Kind, Sound
from cato_media.domain.wav import check_rate, is_wav, read_wav

MIN_SECONDS = 0.02
"""The length of one RTP packet."""

_RAW_RATE = 8000
_ENOUGH_TEXT = 32
_TEXT_WINDOW = 512
_TEXT = frozenset(b"\t\n\r\f" + bytes(range(0x20, 0x7F)))

_OTHER: tuple[tuple[int, bytes, str], ...] = (
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"PK\x05\x06", "a zip archive"),
    (0, b"\x1f\x8b\x08", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\x00", "an xz archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!\x1a\x07", "a rar archive"),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"GIF8", "a GIF image"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
    (0, b"OggS", "Ogg audio"),
    (0, b"fLaC", "FLAC audio"),
    (0, b"MThd", "a MIDI file"),
    (0, b"#!AMR", "AMR audio"),
    (0, b".snd", "Sun audio"),
    (0, b"caff", "Core Audio"),
    (0, b"wvpk", "WavPack audio"),
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"riff\x2e\x91\xcf\x11", "Wave64 audio"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska or WebM"),
    (4, b"ftyp", "MP4 or M4A"),
    (0, b"FLV\x01", "Flash video"),
    (0, b"\x00\x00\x01\xba", "MPEG video"),
    (0, b"\x00\x00\x01\xb3", "MPEG video"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ\x90\x00", "a program"),
    (0, b"SQLite format 3\x00", "a database"),
)
_FORMS = {b"FORM": "AIFF audio", b"RIFF": "RIFF data, but not WAVE"}


def inspect(data: Buffer, name: str, *, max_seconds: float) -> Sound:
    """Return the description of the audio in an uploaded file.

    Raises:
        UnsupportedMediaError: if it is not MP3, WAV or raw PCM.
        InvalidError: if it is damaged, cut, empty or too short.
        TooLargeError: if it lasts longer than `max_seconds`.

    """
    if len(data) == 0:
        raise InvalidError("the file is empty")
    kind = kind_of(data, name)
    if kind is Kind.WAV:
        sound = read_wav(data)
    elif kind is Kind.MP3:
        sound = read_mp3(data, max_seconds=max_seconds)
    else:
        sound = _read_pcm(data)
    if sound.length > max_seconds * sound.rate:
        raise TooLargeError(f"the audio is longer than the {max_seconds:g} s that are allowed")
    check_rate(sound)
    if sound.length < MIN_SECONDS * sound.rate:
        raise InvalidError(
            f"the file has {sound.seconds * 1000:.1f} ms of audio,"
            f" at least {MIN_SECONDS * 1000:g} ms are required"
        )
    return sound


def kind_of(data: Buffer, name: str) -> Kind:
    """Return the kind of a file that is not empty.

    Raises:
        UnsupportedMediaError: if it is not MP3, WAV or raw PCM.

    """
    if is_wav(data):
        return Kind.WAV
    other = _other(data)
    if other is not None:
        raise UnsupportedMediaError(f"the file is {other}: only MP3, WAV and raw PCM are accepted")
    if data[:3] == b"ID3":
        place = skip_tags(data, 0)
        behind = _other(data[place : place + 64])
        if behind is not None:
            raise UnsupportedMediaError(f"the file is {behind}: only MP3, WAV and raw PCM are accepted")
        return Kind.MP3
    if _begins_with_frames(data):
        return Kind.MP3
    if PurePosixPath(name).suffix.lower() in {".pcm", ""}:
        return Kind.PCM
    raise UnsupportedMediaError(
        "the format of the file is not known: send MP3, WAV, or raw PCM under a name that ends in .pcm"
    )


def _other(data: Buffer) -> str | None:
    head = data[:_TEXT_WINDOW]
    if head[:4] in _FORMS and not is_wav(data):
        return _FORMS[head[:4]]
    for place, signature, what in _OTHER:
        if head.startswith(signature, place):
            return what
    if _is_other_mpeg(head):
        return "MPEG audio, but not layer III (AAC, MP2 or MP1)"
    if len(head) >= _ENOUGH_TEXT and _TEXT.issuperset(head.removeprefix(b"\xef\xbb\xbf")):
        return "text"
    return None


def _is_other_mpeg(head: bytes) -> bool:
    """Recognise AAC in ADTS frames, and layers I and II, by two headers in a row."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:  # noqa: PLR2004
        return False
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return 7 <= size <= len(head) - 2 and head[size] == 0xFF and head[size + 1] == head[1]  # noqa: PLR2004


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
    return Sound(
        kind=Kind.PCM,
        coding=Coding.S16LE,
        start=0,
        end=len(data),
        rate=_RAW_RATE,
        channels=1,
        length=len(data) // 2,
    )
