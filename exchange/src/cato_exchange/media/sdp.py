"""The subset of SDP (RFC 8866) and offer/answer (RFC 3264) that one audio stream needs."""

import re
from dataclasses import dataclass
from typing import Literal

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]

PCMU = 0
PCMA = 8
CODECS = {PCMA: "PCMA", PCMU: "PCMU"}
"In order of preference."

MIRRORED: dict[Direction, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}

_MEDIA = re.compile(r"^m=(\S+) (\d+)(?:/\d+)? (\S+)(.*)$")
_EVENT = re.compile(r"^a=rtpmap:(\d+) telephone-event/8000", re.IGNORECASE)


class NotAcceptableError(ValueError):
    """The SDP has no usable audio stream."""


@dataclass(frozen=True)
class Description:
    """The audio stream of a peer's SDP."""

    address: tuple[str, int]
    payload_type: int
    "Of the common codec that the exchange prefers."
    event_type: int | None
    direction: Direction
    media: tuple[str, ...]
    "All m= lines; the answer must have as many."
    audio_index: int


def read(body: bytes) -> Description:
    """Parse an SDP body. Raises: NotAcceptableError."""
    sections: list[list[str]] = [[]]
    for line in body.decode("utf-8", "replace").splitlines():
        if line.startswith("m="):
            sections.append([])
        sections[-1].append(line.rstrip())
    session, *media = sections
    for index, section in enumerate(media):
        match = _MEDIA.match(section[0])
        if match is None:
            raise NotAcceptableError(f"invalid media line {section[0]!r}")
        kind, port, profile, formats = match.groups()
        if kind != "audio" or profile != "RTP/AVP" or port == "0":
            continue
        offered = {int(number) for number in formats.split() if number.isdigit()}
        chosen = next((number for number in CODECS if number in offered), None)
        host = _value("c=IN IP4 ", section) or _value("c=IN IP4 ", session)
        if chosen is None or host is None:
            continue
        return Description(
            address=(host.partition("/")[0], int(port)),
            payload_type=chosen,
            event_type=_event_type(section, offered),
            direction=_direction(section) or _direction(session) or "sendrecv",
            media=tuple(part[0] for part in media),
            audio_index=index,
        )
    raise NotAcceptableError("no RTP/AVP audio in PCMA or PCMU over IPv4")


def write(
    address: tuple[str, int],
    *,
    version: int,
    direction: Direction = "sendrecv",
    codecs: tuple[int, ...] = tuple(CODECS),
    event_type: int | None = 101,
    beside: Description | None = None,
) -> bytes:
    """Return an offer or an answer; an answer keeps the media lines of `beside` and refuses the others."""
    host, port = address
    formats = [*codecs, *([] if event_type is None else [event_type])]
    audio = [f"m=audio {port} RTP/AVP {' '.join(map(str, formats))}"]
    audio += [f"a=rtpmap:{codec} {CODECS[codec]}/8000" for codec in codecs]
    if event_type is not None:
        audio += [f"a=rtpmap:{event_type} telephone-event/8000", f"a=fmtp:{event_type} 0-15"]
    audio += ["a=ptime:20", f"a={direction}"]
    lines = ["v=0", f"o=- {port} {version} IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0"]
    if beside is None:
        lines += audio
    else:
        for index, offered in enumerate(beside.media):
            if index == beside.audio_index:
                lines += audio
            else:
                kind, _, rest = offered.partition(" ")
                lines.append(f"{kind} 0 {rest.partition(' ')[2]}")
    return "".join(f"{line}\r\n" for line in lines).encode()


def _value(prefix: str, lines: list[str]) -> str | None:
    return next((line[len(prefix) :].strip() for line in lines if line.startswith(prefix)), None)


def _direction(lines: list[str]) -> Direction | None:
    return next((direction for direction in MIRRORED if f"a={direction}" in lines), None)


def _event_type(section: list[str], offered: set[int]) -> int | None:
    numbers = (int(match.group(1)) for line in section if (match := _EVENT.match(line)))
    return next((number for number in numbers if number in offered), None)
