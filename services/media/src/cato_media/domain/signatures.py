"""Formats by their first bytes: those that are accepted, and those that are rejected by name."""

import re
from dataclasses import dataclass

from cato_media.domain.sound import Coding, Kind

WINDOW = 8192
"""Bytes at the beginning of a file that the functions of this module look at."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A format with a fixed sequence of bytes at `offset`."""

    offset: int
    magic: bytes
    name: str


_ACCEPTED: tuple[tuple[int, bytes, Kind, Coding], ...] = (
    (0, b"fLaC", Kind.FLAC, Coding.FLAC),
    (0, b"OggS", Kind.OGG, Coding.OGG),
    (4, b"ftyp", Kind.M4A, Coding.MOV),
    (0, b"#!AMR", Kind.AMR, Coding.AMR),
    (0, b".snd", Kind.AU, Coding.AU),
    (0, b"caff", Kind.CAF, Coding.CAF),
    (0, b"\x1a\x45\xdf\xa3", Kind.WEBM, Coding.MATROSKA),
)

_OTHER: tuple[Signature, ...] = tuple(
    Signature(*row)
    for row in (
        (0, b"PK\x03\x04", "a zip archive or an Office document"),
        (0, b"PK\x05\x06", "a zip archive"),
        (0, b"\x1f\x8b\x08", "a gzip archive"),
        (0, b"BZh", "a bzip2 archive"),
        (0, b"\xfd7zXZ\x00", "an xz archive"),
        (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (0, b"Rar!\x1a\x07", "a rar archive"),
        (0, b"\x28\xb5\x2f\xfd", "a zstd archive"),
        (0, b"\x04\x22\x4d\x18", "an lz4 archive"),
        (257, b"ustar", "a tar archive"),
        (0, b"\x89PNG\r\n\x1a\n", "a PNG image"),
        (0, b"\xff\xd8\xff", "a JPEG image"),
        (0, b"GIF8", "a GIF image"),
        (0, b"II*\x00", "a TIFF image"),
        (0, b"MM\x00*", "a TIFF image"),
        (0, b"%PDF", "a PDF document"),
        (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
        (0, b"MThd", "a MIDI file"),
        (0, b"Creative Voice File", "a Creative Voice file"),
        (0, b"wvpk", "WavPack audio"),
        (0, b"MAC ", "Monkey's Audio"),
        (0, b"TTA1", "True Audio"),
        (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media"),
        (0, b"DSD ", "DSD audio"),
        (0, b"riff\x2e\x91\xcf\x11", "Wave64 audio"),
        (0, b"\x7f\xfe\x80\x01", "DTS audio"),
        (0, b"FLV\x01", "Flash video"),
        (0, b"\x00\x00\x01\xba", "MPEG video"),
        (0, b"\x00\x00\x01\xb3", "MPEG video"),
        (0, b"\x7fELF", "a program"),
        (0, b"MZ\x90\x00", "a program"),
        (0, b"SQLite format 3\x00", "a database"),
    )
)
_ENOUGH_TEXT = 32
_TEXT_WINDOW = 512
_UTF_8_TAIL = 3
_TS_PACKETS = ((188, 0), (192, 4), (204, 0))
_TS_SYNC = 0x47
_AC3_SYNC = b"\x0b\x77"
_AC3_FRAME = 4096
_MAX_AC3_ID = 16
_Pattern = tuple[re.Pattern[str], str]
_WRAPPERS: tuple[_Pattern, ...] = (
    (
        re.compile(r"--\S+\s+content-(disposition|type)\s*:", re.IGNORECASE),
        "a multipart form; send the file itself as the body",
    ),
    (re.compile(r"<(!doctype\s+html|html|head|body)\b", re.IGNORECASE), "an HTML page, which is text"),
    (
        re.compile(r"(HTTP/[\d.]+ \d{3}|content-type\s*:|mime-version\s*:)", re.IGNORECASE),
        "text with headers",
    ),
)
_KINDS_OF_TEXT: tuple[_Pattern, ...] = (
    (re.compile(r"<\?xml|<[a-z]", re.IGNORECASE), "XML text"),
    (re.compile(r"[{\[]\s*[\"{\[\]}\d]"), "JSON text"),
)


def accepted_kind(data: bytes) -> tuple[Kind, Coding] | None:
    """Return the kind and the coding of an accepted format other than WAV and MP3."""
    for offset, magic, kind, coding in _ACCEPTED:
        if data.startswith(magic, offset):
            return kind, coding
    if data[:4] == b"FORM" and data[8:12] in {b"AIFF", b"AIFC"}:
        return Kind.AIFF, Coding.AIFF
    if _is_adts(data):
        return Kind.AAC, Coding.AAC
    return None


def other_format(data: bytes) -> str | None:
    """Return the name of a format that is not accepted; None if the bytes match none."""
    for signature in _OTHER:
        if data.startswith(signature.magic, signature.offset):
            return signature.name
    checks = (
        (data[:4] == b"FORM", "IFF data, but not AIFF"),
        (data[:4] == b"RIFF", "RIFF data, but not WAVE"),
        (data[:2] == b"BM" and data[6:10] == bytes(4), "a BMP image"),
        (_is_transport_stream(data), "an MPEG transport stream"),
        (_is_ac3(data), "AC-3 audio"),
    )
    for holds, name in checks:
        if holds:
            return name
    return _text(data)


def _is_adts(data: bytes) -> bool:
    """Recognise AAC in ADTS frames by two headers in a row, or by one frame that is the whole file."""
    if len(data) < 7 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:  # noqa: PLR2004
        return False
    size = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
    return size >= 7 and (data[size : size + 2] == data[:2] or size == len(data))  # noqa: PLR2004


def _is_ac3(data: bytes) -> bool:
    """Recognise AC-3 and E-AC-3 by three sync words at equal distances; at 44.1 kHz they vary by a word."""
    if not data.startswith(_AC3_SYNC) or len(data) < 8 or data[5] >> 3 > _MAX_AC3_ID:  # noqa: PLR2004
        return False
    following = data.find(_AC3_SYNC, 8, _AC3_FRAME)
    return following > 0 and any(data[2 * following + shift :].startswith(_AC3_SYNC) for shift in (-2, 0, 2))


def _is_transport_stream(data: bytes) -> bool:
    """Recognise MPEG-TS by five sync bytes at the distance of its packets, each with a payload or a field."""
    return any(
        len(data) > start + 4 * size + 3
        and all(data[start + n * size] == _TS_SYNC and data[start + n * size + 3] & 0x30 for n in range(5))
        for size, start in _TS_PACKETS
    )


def _text(data: bytes) -> str | None:
    """Return the kind of text that the data begin with, or that stands before binary data."""
    start = data[:_TEXT_WINDOW].decode("latin-1").lstrip("\xef\xbb\xbf \t\r\n")
    for pattern, name in _WRAPPERS:
        if pattern.match(start):
            return name
    for encoding in ("utf-8-sig", "utf-16"):
        if (text := _decoded(data[:_TEXT_WINDOW], encoding)) is not None:
            return next((name for pattern, name in _KINDS_OF_TEXT if pattern.match(text.lstrip())), "text")
    return None


def _decoded(head: bytes, encoding: str) -> str | None:
    """Return the text in the first bytes; None if they are too few, or not text in this encoding."""
    if len(head) < _ENOUGH_TEXT or (encoding == "utf-16" and head[:2] not in {b"\xff\xfe", b"\xfe\xff"}):
        return None
    for cut in range(_UTF_8_TAIL + 1):  # the window may end within a character
        try:
            text = head[: len(head) - cut].decode(encoding)
        except UnicodeDecodeError:
            continue
        return text if all(character.isprintable() or character in "\t\n\r\f" for character in text) else None
    return None
