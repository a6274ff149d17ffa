"""The structure of container formats that ffmpeg reads: enough of it to recognise a file that is cut.

Where the structure gives the length, the decoded audio is checked against it. The other containers state
their length, which the survey of the decoder returns.
"""

from collections.abc import Callable

from cato_contracts.errors import InvalidError
from cato_media.domain.mpeg import skip_tags
from cato_media.domain.sound import Buffer, Coding, Kind, Sound, check_length

_FLAC_HEADER = 42
_OGG_HEADER, _OGG_END = 27, 0x04
_BOX_HEADER, _LONG_BOX_HEADER = 8, 16
_MAX_BOXES = 4096
_ADTS_HEADER = 7
_ADTS_SAMPLES = 1024
_ADTS_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_AMR_NARROW, _AMR_WIDE = b"#!AMR\n", b"#!AMR-WB\n"
_NARROW_SIZES = {0: 12, 1: 13, 2: 15, 3: 17, 4: 19, 5: 20, 6: 26, 7: 31, 8: 5, 15: 0}
_WIDE_SIZES = {0: 17, 1: 23, 2: 32, 3: 36, 4: 40, 5: 46, 6: 50, 7: 58, 8: 60, 9: 5, 14: 0, 15: 0}


def read_container(data: Buffer, kind: Kind, coding: Coding, start: int, *, max_seconds: float) -> Sound:
    """Return the description of a file; length, rate and channels are 0 where only the decoder can tell.

    Raises:
        InvalidError: if the file is damaged or cut.
        TooLargeError: if it lasts longer than `max_seconds`.

    """
    read = _READERS.get(kind, _read_unknown)
    sound = read(data, kind, coding, start)
    check_length(sound, max_seconds)
    return sound


def _sound(
    data: Buffer,
    kind: Kind,
    coding: Coding,
    start: int,
    *,
    rate: int = 0,
    channels: int = 0,
    length: int = 0,
    open_ended: bool = False,
) -> Sound:
    return Sound(
        kind=kind,
        coding=coding,
        start=start,
        end=len(data),
        rate=rate,
        channels=channels,
        length=length,
        open_ended=open_ended,
    )


def _read_unknown(data: Buffer, kind: Kind, coding: Coding, start: int) -> Sound:
    return _sound(data, kind, coding, start)


def _read_flac(data: Buffer, kind: Kind, coding: Coding, start: int) -> Sound:
    """Read STREAMINFO (RFC 9639, 8.2)."""
    head = data[start : start + _FLAC_HEADER]
    if len(head) < _FLAC_HEADER or head[4] & 0x7F:
        raise InvalidError("the FLAC file is damaged: it does not begin with its stream information")
    packed = int.from_bytes(head[18:26], "big")
    rate, channels, length = packed >> 44, (packed >> 41 & 7) + 1, packed & (1 << 36) - 1
    if rate == 0:
        raise InvalidError("the FLAC file is damaged: its sample rate is 0")
    return _sound(
        data, kind, coding, start, rate=rate, channels=channels, length=length, open_ended=not length
    )


def _read_ogg(data: Buffer, kind: Kind, coding: Coding, start: int) -> Sound:
    """Walk over the pages (RFC 3533, 6); the last page of a complete file ends its stream."""
    place, last_flags = start, 0
    while place < len(data):
        head = data[place : place + _OGG_HEADER]
        if head[:4] != b"OggS"[: len(head)]:
            raise InvalidError(f"the Ogg file is damaged: there is no page at byte {place}")
        lacing = (
            data[place + _OGG_HEADER : place + _OGG_HEADER + head[26]] if len(head) == _OGG_HEADER else b""
        )
        end = place + _OGG_HEADER + len(lacing) + sum(lacing)
        if len(head) < _OGG_HEADER or len(lacing) < head[26] or end > len(data):
            raise InvalidError("the Ogg file is cut: its last page is not complete")
        place, last_flags = end, head[5]
    return _sound(data, kind, coding, start, open_ended=not last_flags & _OGG_END)


def _read_m4a(data: Buffer, kind: Kind, coding: Coding, start: int) -> Sound:
    """Walk over the boxes at the top (ISO 14496-12, 4.2)."""
    place, has_index = start, False
    for _ in range(_MAX_BOXES):
        if place == len(data):
            break
        head = data[place : place + _LONG_BOX_HEADER]
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        elif size == 0:  # the last box, up to the end of the file
            size = len(data) - place
        if size < _BOX_HEADER:
            raise InvalidError(f"the M4A file is damaged: there is no box at byte {place}")
        has_index = has_index or head[4:8] in {b"moov", b"moof"}
        place += size
        if place > len(data):
            raise InvalidError("the M4A file is cut: its last box is not complete")
    else:
        raise InvalidError(f"the M4A file is damaged: it has more than {_MAX_BOXES} boxes")
    if not has_index:
        raise InvalidError("the M4A file is cut: its index is missing")
    return _sound(data, kind, coding, start)


def _read_adts(data: Buffer, kind: Kind, coding: Coding, start: int) -> Sound:
    """Walk over the ADTS frames (ISO 14496-3, 1.A.3.2); an HE-AAC stream lasts as long as its core."""
    place, blocks = start, 0
    rate = (*_ADTS_RATES, 0, 0, 0)[data[start + 2] >> 2 & 15]
    while place < len(data):
        head = data[place : place + _ADTS_HEADER]
        if head[:2] != data[start : start + 2][: len(head)]:
            following = skip_tags(data, place)
            if following == place:
                raise InvalidError(f"the AAC file is damaged: there is no frame at byte {place}")
            place = following
            continue
        size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5 if len(head) == _ADTS_HEADER else 0
        if size < _ADTS_HEADER or place + size > len(data):
            raise InvalidError("the AAC file is cut: its last frame is not complete")
        blocks += (head[6] & 3) + 1
        place += size
    if rate == 0:
        raise InvalidError("the AAC file is damaged: its sample rate is not known")
    return _sound(data, kind, coding, start, rate=rate, length=blocks * _ADTS_SAMPLES)


def _read_amr(data: Buffer, kind: Kind, coding: Coding, start: int) -> Sound:
    """Walk over the frames of 20 ms (RFC 4867, 5)."""
    magic = data[start : start + len(_AMR_WIDE)]
    if magic == _AMR_WIDE:
        place, sizes, rate = start + len(_AMR_WIDE), _WIDE_SIZES, 16000
    elif magic.startswith(_AMR_NARROW):
        place, sizes, rate = start + len(_AMR_NARROW), _NARROW_SIZES, 8000
    else:
        raise InvalidError("the AMR file is damaged, or has several channels")
    frames = 0
    while place < len(data):
        size = sizes.get(data[place] >> 3 & 15)
        if size is None:
            raise InvalidError(f"the AMR file is damaged: there is no frame at byte {place}")
        place, frames = place + 1 + size, frames + 1
    if place > len(data):
        raise InvalidError("the AMR file is cut: its last frame is not complete")
    return _sound(data, kind, coding, start, rate=rate, channels=1, length=frames * rate // 50)


_Reader = Callable[[Buffer, Kind, Coding, int], Sound]
_READERS: dict[Kind, _Reader] = {
    Kind.FLAC: _read_flac,
    Kind.OGG: _read_ogg,
    Kind.M4A: _read_m4a,
    Kind.AAC: _read_adts,
    Kind.AMR: _read_amr,
}
