"""The structure of MP3 files: frames (ISO 11172-3, 13818-3), the tags around them, the Xing header."""

from dataclasses import dataclass

from cato_contracts.errors import InvalidError, UnsupportedMediaError
from cato_media.domain.sound import Buffer, Coding, Kind, Sound

HEADER = 4
_LAYER_3 = 1
_FREE_FORMAT, _BAD_BIT_RATE = 0, 15
_MONO = 3
_RESERVED = 1
_MPEG_1 = 3
_SAMPLE_RATES = {0: (11025, 12000, 8000), 2: (22050, 24000, 16000), 3: (44100, 48000, 32000)}
_BIT_RATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BIT_RATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)

_MAX_PADDING = 64 * 1024
_LYRICS_ENDS = (b"LYRICS200", b"LYRICSEND")
_MAX_LYRICS = 1024 * 1024
_MAX_TAGS = 64
_XING = (b"Xing", b"Info")


@dataclass(frozen=True, slots=True)
class Frame:
    """The header of a frame; `size` is in bytes, `samples` per channel."""

    version: int
    rate: int
    channels: int
    size: int
    samples: int
    side_information: int


@dataclass(frozen=True, slots=True)
class Information:
    """The Xing header: the number of frames after it, and the samples that the encoder added at both ends."""

    frames: int | None
    padding: int


def is_layer_3(data: Buffer, place: int) -> bool:
    """Return whether a layer III header begins at `place`, with a bit rate of the table or in free format."""
    if place + HEADER > len(data):
        return False
    first, second, third = data[place], data[place + 1], data[place + 2]
    return (
        first == 0xFF  # noqa: PLR2004 - the sync word is eleven ones
        and second & 0xE0 == 0xE0  # noqa: PLR2004
        and second >> 3 & 3 != _RESERVED
        and second >> 1 & 3 == _LAYER_3
        and third >> 4 != _BAD_BIT_RATE
        and third >> 2 & 3 != 3  # noqa: PLR2004 - reserved sample rate
    )


def is_free_format(data: Buffer, place: int) -> bool:
    return is_layer_3(data, place) and data[place + 2] >> 4 == _FREE_FORMAT


def frame_at(data: Buffer, place: int) -> Frame | None:
    """Return the frame that begins at `place`; it may extend beyond the end of the data."""
    if not is_layer_3(data, place) or is_free_format(data, place):
        return None
    second, third, fourth = data[place + 1], data[place + 2], data[place + 3]
    version = second >> 3 & 3
    rate = _SAMPLE_RATES[version][third >> 2 & 3]
    mono = fourth >> 6 == _MONO
    bit_rates, samples = (_BIT_RATES_1, 1152) if version == _MPEG_1 else (_BIT_RATES_2, 576)
    size = samples // 8 * bit_rates[third >> 4] * 1000 // rate + (third >> 1 & 1)
    side_information = (17 if mono else 32) if version == _MPEG_1 else (9 if mono else 17)
    return Frame(version, rate, 1 if mono else 2, size, samples, side_information)


def skip_tags(data: Buffer, place: int) -> int:
    """Return the position after all ID3, APE and Lyrics3 tags that begin at `place`.

    Raises:
        InvalidError: if a tag is longer than the file, or there are too many.

    """
    for _ in range(_MAX_TAGS):
        end = _tag_end(data, place)
        if end == place:
            return place
        if end > len(data):
            raise InvalidError("the MP3 file is cut: it ends within a tag")
        place = end
    raise InvalidError(f"the MP3 file is damaged: it has more than {_MAX_TAGS} tags in a row")


def _tag_end(data: Buffer, place: int) -> int:
    head = data[place : place + 16]
    if head.startswith(b"ID3") and len(head) >= 10 and all(byte < 0x80 for byte in head[6:10]):  # noqa: PLR2004
        size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        footer = 10 if head[5] & 0x10 else 0
        return place + 10 + size + footer
    if head.startswith(b"TAG+"):
        return place + 227
    if head.startswith(b"TAG"):
        return place + 128
    if head.startswith(b"APETAGEX") and len(head) == 16:  # noqa: PLR2004
        return place + 32 + int.from_bytes(head[12:16], "little")
    if head.startswith(b"LYRICSBEGIN"):
        ends = [data.find(mark, place, place + _MAX_LYRICS) for mark in _LYRICS_ENDS]
        return min((end + len(_LYRICS_ENDS[0]) for end in ends if end >= 0), default=len(data) + 1)
    return place


def skip_zeros(data: Buffer, place: int) -> int:
    """Return the position after zero padding, which some programs write; at most 64 KiB."""
    stretch = data[place : place + _MAX_PADDING]
    return place + len(stretch) - len(stretch.lstrip(b"\0"))


@dataclass(frozen=True, slots=True)
class _Part:
    """One of the MP3 files in the data; `following` is the position behind its last frame."""

    start: int
    following: int
    first: Frame
    length: int

    @property
    def seconds(self) -> float:
        return self.length / self.first.rate


def read_mp3(data: Buffer, *, max_seconds: float) -> Sound:
    """Read the header of every frame until the file ends or `max_seconds` are exceeded.

    Several MP3 files that were joined are several parts: a part begins behind a tag, or with a Xing header.
    The length is in samples at the rate of the first part.

    Raises:
        InvalidError: if the file is damaged or cut.
        UnsupportedMediaError: for a free-format stream.

    """
    parts: list[_Part] = []
    place, seconds = _first_frame(data), 0.0
    while place < len(data) and seconds <= max_seconds + 1:
        part = _read_part(data, place, max_seconds + 1 - seconds)
        parts.append(part)
        seconds += part.seconds
        place = _next_part(data, part.following)
    if not parts:
        raise InvalidError("the MP3 file is damaged: it holds no whole frame")
    first = parts[0].first
    return Sound(
        kind=Kind.MP3,
        coding=Coding.MP3,
        start=parts[0].start,
        end=parts[-1].following,
        rate=first.rate,
        channels=first.channels,
        length=round(seconds * first.rate),
        parts=tuple((part.start, part.following) for part in parts) if len(parts) > 1 else (),
    )


def _read_part(data: Buffer, start: int, max_seconds: float) -> _Part:
    first = frame_at(data, start)
    if first is None:
        raise InvalidError("the MP3 file is damaged: it holds no whole frame")
    information = _information(data, start, first)
    place, frames = start, 0
    if information is not None:
        place += first.size
    while (frame := frame_at(data, place)) is not None:
        if (frame.version, frame.rate) != (first.version, first.rate):
            raise InvalidError(f"the MP3 file is damaged: its sample rate changes at byte {place}")
        if frames and _is_information(data, place, frame):
            break
        place += frame.size
        if place > len(data):
            raise InvalidError("the MP3 file is cut: its last frame is not complete")
        frames += 1
        if frames * first.samples > max_seconds * first.rate:
            return _Part(start, place, first, frames * first.samples)
    _check_promise(information, frames)
    padding = information.padding if information else 0
    return _Part(start, place, first, max(0, frames * first.samples - padding))


def _next_part(data: Buffer, place: int) -> int:
    """Return the position of the next part, or the end of the data."""
    following = skip_tags(data, place)
    if following == len(data) or frame_at(data, following) is not None:
        return following
    if following > place and frame_at(data, padded := skip_zeros(data, following)) is not None:
        return padded
    _check_rest(data, following)
    return len(data)


def _first_frame(data: Buffer) -> int:
    place = skip_zeros(data, skip_tags(data, 0))
    if is_free_format(data, place):
        raise UnsupportedMediaError(
            "the MP3 file is in free format, which is not supported: give it a bit rate"
        )
    return place


def _check_rest(data: Buffer, place: int) -> None:
    if len(data) - place <= _MAX_PADDING and skip_zeros(data, place) == len(data):
        return
    if len(data) - place < HEADER:
        raise InvalidError("the MP3 file is cut: its last frame is not complete")
    raise InvalidError(f"the MP3 file is damaged: there is no frame at byte {place}")


def _check_promise(information: Information | None, frames: int) -> None:
    # Some encoders count the information frame itself.
    if information is not None and information.frames is not None and frames + 1 < information.frames:
        raise InvalidError(f"the MP3 file is cut: it says {information.frames} frames, {frames} are there")


def _is_information(data: Buffer, place: int, frame: Frame) -> bool:
    mark = place + HEADER + frame.side_information
    return data[mark : mark + 4] in _XING


def _information(data: Buffer, place: int, frame: Frame) -> Information | None:
    """Read the frame of Xing, LAME or Fraunhofer encoders that describes the others and has no sound."""
    content = data[place : place + frame.size]
    vbri = content[HEADER + 32 :]
    if vbri.startswith(b"VBRI") and len(vbri) >= 18:  # noqa: PLR2004
        return Information(int.from_bytes(vbri[14:18], "big"), 0)
    xing = content[HEADER + frame.side_information :]
    if not xing.startswith(_XING) or len(xing) < 8:  # noqa: PLR2004
        return None
    flags = xing[7]
    frames = int.from_bytes(xing[8:12], "big") if flags & 1 else None
    lame = xing[8 + sum(size for bit, size in ((1, 4), (2, 4), (4, 100), (8, 4)) if flags & bit) :]
    padding = 0
    if lame.startswith((b"LAME", b"Lavf", b"Lavc")) and len(lame) >= 24:  # noqa: PLR2004
        delays = int.from_bytes(lame[21:24], "big")
        padding = (delays >> 12) + (delays & 0xFFF)
    return Information(frames, padding)
