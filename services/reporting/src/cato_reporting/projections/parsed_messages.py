"""Reading each message once, though two follow the log."""

from collections import OrderedDict

from cato_reporting.domain.parsed_message import Reading, read_message
from cato_reporting.ports import LogMessage

_KEPT = 10_000


class Readings:
    """Reads messages for the fold, and keeps them for the read model, which wants the same ones soon after.

    Reading is the dearest part of taking in an event. While the read model is far behind, new readings are
    not kept rather than the old ones thrown away: it would find each just gone.
    """

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._waiting: OrderedDict[int, Reading] = OrderedDict()

    def read(self, message: LogMessage) -> Reading:
        """Read a message, for the first of the two."""
        reading = read_message(message.subject, message.data)
        if len(self._waiting) < self._kept:
            self._waiting[message.position] = reading
        return reading

    def again(self, message: LogMessage) -> Reading:
        """Return what the message says, for the second, who goes through the log in order."""
        while self._waiting:
            position, reading = self._waiting.popitem(last=False)
            if position == message.position:
                return reading
            if position > message.position:
                self._waiting[position] = reading
                self._waiting.move_to_end(position, last=False)
                break
        return read_message(message.subject, message.data)
