"""Reading each message once, though two follow the log."""

from collections import OrderedDict

from cato_reporting.domain.reading import Reading, read_message
from cato_reporting.ports import LogMessage

_KEPT = 4_096


class Readings:
    """Reads messages and keeps the latest: the fold and the read model want the same ones, a moment apart.

    Reading is the dearest part of taking in an event, and whoever comes second gets it for nothing.
    """

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._latest: OrderedDict[int, Reading] = OrderedDict()

    def read(self, message: LogMessage) -> Reading:
        known = self._latest.pop(message.position, None)
        if known is not None:
            return known
        reading = read_message(message.subject, message.data)
        self._latest[message.position] = reading
        if len(self._latest) > self._kept:
            self._latest.popitem(last=False)
        return reading
