"""The reports of an execution out of server-sent events (WHATWG HTML, 9.2): the same for both clients."""

from collections.abc import Iterator

from cato_client.models import Report

LEAST_TIMEOUT_S = 45.0
"""The server breaks its silence every 15 seconds; after this time it is not there any more."""
RETURN_AFTER_S = 1.0


class Following:
    """What a stream tells, over however many connections; `over` when there is nothing more to come."""

    def __init__(self) -> None:
        self.over = False
        self._last: Report | None = None
        self.connected()

    def connected(self) -> None:
        """Begin with a new connection: what came half over the one before is lost."""
        self._rest = b""
        self._name, self._data = "", ""

    def reports(self, content: bytes) -> Iterator[Report]:
        """Yield what is new in the next bytes."""
        # Not `splitlines`: it takes characters for line ends that may stand in a name.
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
