"""Session descriptions (RFC 4566, RFC 3264): our offer, the far end's answer, and answers to its offers."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

EVENTS_TYPE = 101
"The payload type that we offer for telephone events. Stations that ignore the offer also use 101."
_STATIC = {"PCMU": 0, "PCMA": 8}
_PTIMES = (10, 20, 30, 40, 60)
_UNSPECIFIED = frozenset({"0.0.0.0", "::"})
_DIRECTIONS = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})
_MIRRORED = {"sendonly": "recvonly", "recvonly": "sendonly"}
_TYPES_TILL = 128


class SdpError(ValueError):
    """The description cannot be read."""


class NoMediaError(Exception):
    """The description can be read but has no media that we can send. `str()` is the reason."""


class Session(NamedTuple):
    """Where and how to send, as negotiated.

    `codec` is PCMA or PCMU with its `payload_type`; `events_type` is the payload type of RFC 4733 events,
    None without them; `packet_ms` is the size of a packet; `sending` is false while the far end holds us.
    """

    address: str
    port: int
    codec: str
    payload_type: int
    events_type: int | None
    packet_ms: int
    sending: bool


@dataclass(slots=True)
class _Media:
    kind: str
    port: int
    protocol: str
    types: tuple[int, ...]
    line: str
    address: str | None = None
    direction: str | None = None
    names: dict[int, str] = field(default_factory=dict)
    ptime: int | None = None
    maxptime: int | None = None


class LocalMedia(NamedTuple):
    """Our address and port for RTP and the codecs that we accept, the preferred one first."""

    address: str
    port: int
    codecs: tuple[str, ...]
    events: bool
    session_id: int


def offer(local: LocalMedia, version: int) -> bytes:
    """Return our offer: audio in our codecs, and telephone events."""
    return _description(
        local, version, [_audio_lines(local, [(name, _STATIC[name]) for name in local.codecs], None)]
    )


def read_answer(body: bytes, local: LocalMedia) -> Session:
    """Return the session that an answer to our offer describes.

    Raises:
        SdpError: if it cannot be read.
        NoMediaError: `no-media` or `no-common-codec`.

    """
    medias, _ = _parse(body)
    audio = next((media for media in medias if media.kind == "audio" and media.port), None)
    if audio is None:
        raise NoMediaError("no-media")
    return _session(audio, local)


def answer_offer(body: bytes, local: LocalMedia, version: int) -> tuple[bytes, Session]:
    """Return our answer to an offer within the call, and the session that it describes.

    Raises:
        SdpError: if it cannot be read.
        NoMediaError: if we must refuse it (488).

    """
    medias, _ = _parse(body)
    chosen = next((media for media in medias if media.kind == "audio" and media.port), None)
    if chosen is None:
        raise NoMediaError("no-media")
    session = _session(chosen, local)
    blocks = []
    for media in medias:
        if media is chosen:
            direction = media.direction or "sendrecv"
            if not session.sending and direction == "sendrecv":
                direction = "inactive"
            mirrored = _MIRRORED.get(direction, direction)
            blocks.append(_audio_lines(local, [(session.codec, session.payload_type)], mirrored, session))
        else:
            types = " ".join(media.line.split()[3:]) or "0"
            blocks.append([f"m={media.kind} 0 {media.protocol} {types}"])
    return _description(local, version, blocks), session


def _session(audio: _Media, local: LocalMedia) -> Session:
    if audio.protocol not in {"RTP/AVP", "RTP/AVPF"}:
        raise NoMediaError("no-common-codec")
    found = None
    events = None
    for number in audio.types:
        name = audio.names.get(number, "").upper()
        if name == "TELEPHONE-EVENT/8000" and local.events and events is None:
            events = number
        for codec in local.codecs:
            static = number == _STATIC[codec] and not name
            if found is None and (static or name in {f"{codec}/8000", f"{codec}/8000/1"}):
                found = (codec, number)
    if found is None:
        raise NoMediaError("no-common-codec")
    if audio.address is None:
        raise SdpError("no address (c=)")
    held = audio.direction in {"sendonly", "inactive"} or audio.address in _UNSPECIFIED
    return Session(audio.address, audio.port, *found, events, _packet_ms(audio), not held)


def _packet_ms(audio: _Media) -> int:
    """Return the packet size that is nearest to the far end's wish, at most 60 ms."""
    wanted = audio.ptime or 20
    fitting = [size for size in _PTIMES if audio.maxptime is None or size <= audio.maxptime] or [_PTIMES[0]]
    return min(fitting, key=lambda size: (abs(size - wanted), size))


def _parse(body: bytes) -> tuple[list[_Media], str | None]:
    text = body.decode("utf-8", "replace")
    lines = [line for line in map(str.strip, text.replace("\r", "\n").split("\n")) if line]
    if not lines or not lines[0].startswith("v="):
        raise SdpError("it does not begin with v=")
    medias: list[_Media] = []
    address: str | None = None
    direction: str | None = None
    for line in lines:
        kind, _, value = line.partition("=")
        media = medias[-1] if medias else None
        if kind == "m":
            medias.append(_media_line(value))
        elif kind == "c":
            found = _address(value)
            if media is None:
                address = found
            else:
                media.address = found
        elif kind == "a" and value in _DIRECTIONS:
            if media is None:
                direction = value
            else:
                media.direction = value
        elif kind == "a" and media is not None:
            _attribute(media, value)
    for media in medias:
        media.address = media.address or address
        media.direction = media.direction or direction
    return medias, address


def _media_line(value: str) -> _Media:
    match = re.fullmatch(r"(\S{1,32})\s+(\d{1,5})(?:/\d+)?\s+(\S{1,32})((?:\s+\S+)*)", value)
    if match is None or int(match[2]) > 65_535:  # noqa: PLR2004 - the last port
        raise SdpError("a media line is not valid")
    numbers = [int(one) for one in match[4].split() if re.fullmatch("[0-9]{1,3}", one)]
    types = tuple(number for number in numbers if number < _TYPES_TILL)
    return _Media(match[1].lower(), int(match[2]), match[3].upper(), types, value)


@lru_cache(maxsize=4_096)
def _address(value: str) -> str:
    match = re.fullmatch(r"IN\s+IP[46]\s+(\S+?)(?:/.*)?", value, re.IGNORECASE)
    if match is None:
        raise SdpError("a connection line is not valid")
    try:
        return str(ipaddress.ip_address(match[1]))
    except ValueError as error:
        raise SdpError(f"{match[1]!r} is not an address") from error


def _attribute(media: _Media, value: str) -> None:
    name, _, rest = value.partition(":")
    if name == "rtpmap":
        match = re.fullmatch(r"\s*(\d{1,3})\s+(\S+)\s*", rest)
        if match:
            media.names[int(match[1])] = match[2]
    elif name in {"ptime", "maxptime"}:
        match = re.match(r"\s*(\d{1,5})", rest)
        if match and int(match[1]):
            setattr(media, name, int(match[1]))


def _audio_lines(
    local: LocalMedia,
    codecs: Sequence[tuple[str, int]],
    direction: str | None,
    session: Session | None = None,
) -> list[str]:
    events = EVENTS_TYPE if session is None else session.events_type
    if not local.events:
        events = None
    types = [number for _, number in codecs] + ([] if events is None else [events])
    lines = [f"m=audio {local.port} RTP/AVP {' '.join(map(str, types))}"]
    lines += [f"a=rtpmap:{number} {name}/8000" for name, number in codecs]
    if events is not None:
        lines += [f"a=rtpmap:{events} telephone-event/8000", f"a=fmtp:{events} 0-15"]
    return [*lines, f"a=ptime:{session.packet_ms if session else 20}", f"a={direction or 'sendrecv'}"]


def _description(local: LocalMedia, version: int, blocks: Sequence[Sequence[str]]) -> bytes:
    family = "IP6" if ":" in local.address else "IP4"
    lines = [
        "v=0",
        f"o=- {local.session_id} {version} IN {family} {local.address}",
        "s=-",
        f"c=IN {family} {local.address}",
        "t=0 0",
    ]
    for block in blocks:
        lines += block
    return ("\r\n".join(lines) + "\r\n").encode()
