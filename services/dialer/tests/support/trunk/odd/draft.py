"""A SIP message that can be made odd or malformed in one place."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Draft:
    """The parts of a message as they will be sent. Content-Length is one of the headers."""

    start: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    line_end: bytes = b"\r\n"
    distort: list[Callable[[bytes], bytes]] = field(default_factory=list)

    def encoded(self) -> bytes:
        lines = [self.start, *(name + b": " + value for name, value in self.headers), b"", b""]
        data = self.line_end.join(lines) + self.body
        for change in self.distort:
            data = change(data)
        return data

    def value(self, name: bytes) -> bytes:
        return next((value for known, value in self.headers if known.lower() == name.lower()), b"")


Change = Callable[[Draft], None]


def start(line: bytes) -> Change:
    """Replace the first line."""

    def change(draft: Draft) -> None:
        draft.start = line

    return change


def header(name: bytes, value: bytes) -> Change:
    """Replace a header, or add it."""

    def change(draft: Draft) -> None:
        kept = [(known, old) for known, old in draft.headers if known.lower() != name.lower()]
        draft.headers = [*kept, (name, value)]

    return change


def more(name: bytes, value: bytes) -> Change:
    """Put a header before the others."""

    def change(draft: Draft) -> None:
        draft.headers.insert(0, (name, value))

    return change


def edited(name: bytes, old: bytes, new: bytes) -> Change:
    """Replace a part of a header's value."""

    def change(draft: Draft) -> None:
        draft.headers = [
            (known, value.replace(old, new) if known.lower() == name.lower() else value)
            for known, value in draft.headers
        ]

    return change


def appended(name: bytes, text: bytes) -> Change:
    """Append to a header's value."""

    def change(draft: Draft) -> None:
        draft.headers = [
            (known, value + text if known.lower() == name.lower() else value)
            for known, value in draft.headers
        ]

    return change


def without(*names: bytes) -> Change:
    """Leave headers out."""

    def change(draft: Draft) -> None:
        lower = {name.lower() for name in names}
        draft.headers = [(known, value) for known, value in draft.headers if known.lower() not in lower]

    return change


def body(text: bytes, kind: bytes = b"application/sdp") -> Change:
    """Set the body, its type and its length."""

    def change(draft: Draft) -> None:
        draft.body = text
        header(b"Content-Type", kind)(draft)
        header(b"Content-Length", str(len(text)).encode())(draft)

    return change


def line_end(end: bytes) -> Change:
    """End the lines otherwise."""

    def change(draft: Draft) -> None:
        draft.line_end = end

    return change


def distorted(change_bytes: Callable[[bytes], bytes]) -> Change:
    """Change the message as a whole."""

    def change(draft: Draft) -> None:
        draft.distort.append(change_bytes)

    return change


def all_of(*changes: Change) -> Change:
    def change(draft: Draft) -> None:
        for one in changes:
            one(draft)

    return change
