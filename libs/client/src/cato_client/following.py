"""Reads server-sent events (WHATWG HTML, 9.2), for both clients."""

from collections.abc import Iterator, Mapping
from typing import Protocol, TypeVar

from cato_client.models import Report, TaskExec

LEAST_TIMEOUT_S = 45.0
"""The server sends something every 15 seconds. After this time without data the connection is dead."""
RETURN_AFTER_S = 1.0


T_co = TypeVar("T_co", covariant=True)


class Followed(Protocol[T_co]):
    """The state of a stream across reconnections; `over` is set when there is nothing more to come."""

    over: bool

    def connected(self) -> None:
        """Start a new connection."""
        ...

    def headers(self) -> Mapping[str, str]:
        """Return the headers of the next connection."""
        ...

    def items(self, content: bytes) -> Iterator[T_co]:
        """Yield what is in the next bytes."""
        ...


class EventLines:
    """Splits bytes into events; `last_id` is the id to send when the connection is made again."""

    def __init__(self) -> None:
        self.last_id: str | None = None
        self.connected()

    def connected(self) -> None:
        """Start a new connection; an incomplete event of the previous connection is dropped."""
        self._rest = b""
        self._name, self._data, self._id = "", "", self.last_id

    def events(self, content: bytes) -> Iterator[tuple[str, str]]:
        """Yield name and data of the events in the next bytes."""
        # Not `splitlines`: it also splits at characters that a name may contain.
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            event = self._take(line.removesuffix(b"\r").decode())
            if event is not None:
                yield event

    def _take(self, line: str) -> tuple[str, str] | None:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self._name = value
        elif field == "data":
            self._data += value
        elif field == "id":
            self._id = value
        if line:
            return None
        name, data, self._name, self._data = self._name, self._data, "", ""
        self.last_id = self._id
        return (name, data) if data else None


class Following:
    """The state of a stream of reports across reconnections; `over` is set by the last report."""

    def __init__(self) -> None:
        self.over = False
        self._last: Report | None = None
        self._lines = EventLines()

    def connected(self) -> None:
        """Start a new connection."""
        self._lines.connected()

    def headers(self) -> Mapping[str, str]:
        """Return the headers of the next connection."""
        return {}

    def items(self, content: bytes) -> Iterator[Report]:
        """Yield the reports in the next bytes that differ from the one before."""
        for name, data in self._lines.events(content):
            if name not in {"report", "end"}:
                continue
            self.over = name == "end"
            report = Report.model_validate_json(data)
            if report != self._last:
                self._last = report
                yield report


class FollowingAll:
    """The state of the stream of all executions; `over` is set when the token is not valid any more."""

    def __init__(self) -> None:
        self.over = False
        self._lines = EventLines()

    def connected(self) -> None:
        """Start a new connection."""
        self._lines.connected()

    def headers(self) -> Mapping[str, str]:
        """Return the headers of the next connection: where to go on."""
        last = self._lines.last_id
        return {} if last is None else {"Last-Event-ID": last}

    def items(self, content: bytes) -> Iterator[TaskExec | None]:
        """Yield the executions in the next bytes; None stands for `synced`."""
        for name, data in self._lines.events(content):
            if name == "run":
                yield TaskExec.model_validate_json(data)
            elif name == "synced":
                yield None
            elif name == "end":
                self.over = "TOKEN" in data
