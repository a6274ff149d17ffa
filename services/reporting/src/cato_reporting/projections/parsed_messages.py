"""Parse each message once, although two projections follow the log."""

from collections import OrderedDict

from cato_reporting.domain.parsed_message import ParsedMessage, parse_message
from cato_reporting.ports import LogMessage

_KEPT = 10_000


class ParsedMessages:
    """Parses messages for the live projection and keeps them for the projector, which needs them soon after.

    Parsing is the most expensive part of taking in an event. At most `kept` messages are kept. While the
    projector is further behind than that, newer messages are not kept: it needs the older ones first.
    """

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._waiting: OrderedDict[int, ParsedMessage] = OrderedDict()

    def parse(self, message: LogMessage) -> ParsedMessage:
        """Parse a message for the live projection."""
        parsed = parse_message(message.subject, message.data)
        if len(self._waiting) < self._kept:
            self._waiting[message.position] = parsed
        return parsed

    def take(self, message: LogMessage) -> ParsedMessage:
        """Return the parsed message to the projector, which takes messages in the order of the log."""
        while self._waiting:
            position, parsed = self._waiting.popitem(last=False)
            if position == message.position:
                return parsed
            if position > message.position:
                self._waiting[position] = parsed
                self._waiting.move_to_end(position, last=False)
                break
        return parse_message(message.subject, message.data)
