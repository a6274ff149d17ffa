"""Reads reports from server-sent events (WHATWG HTML, 9.2), for both clients."""

from collections.abc import Iterator

from cato_client.models import Report

LEAST_TIMEOUT_S = 45.0
"""The server sends something every 15 seconds. After this time without data the connection is dead."""
RETURN_AFTER_S = 1.0


class Following:
    """The state of a stream of reports across reconnections; `over` is set by the last report."""

    def __init__(self) -> None:
        self.over = False
        self._last: Report | None = None
        self.connected()

    def connected(self) -> None:
        """Start a new connection; an incomplete event of the previous connection is dropped."""
        self._rest = b""
        self._name, self._data = "", ""

    def reports(self, content: bytes) -> Iterator[Report]:
        """Yield the reports in the next bytes that differ from the one before."""
        # Not `splitlines`: it also splits at characters that a name may contain.
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            report = self._take(line.removesuffix(b"\r").decode())
            if report is not None and report != self._last:
                self._last = report
                yield report

    def _take(self, line: str) -> Report | None:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self._name = value
        elif field == "data":
            self._data += value
        if line:
            return None
        name, data, self._name, self._data = self._name, self._data, "", ""
        if name not in {"report", "end"}:
            return None
        self.over = name == "end"
        return Report.model_validate_json(data)
