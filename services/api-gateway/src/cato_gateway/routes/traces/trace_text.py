"""A SIP trace as text."""

from datetime import UTC, datetime

from cato_gateway.ports import RecordedMessage

_US = 1_000_000


def text_of(recorded: RecordedMessage) -> bytes:
    """Return a message under a line with its time, its addresses and its dialer, and an empty line."""
    message = recorded.message
    seconds, micros = divmod(message.at_us, _US)
    at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)
    way = "sent to" if message.sent else "received from"
    title = (
        f"--- {at.isoformat(timespec='microseconds')} {way} {message.remote} by {message.local}"
        f" over {message.transport}, dialer {recorded.dialer}\n"
    )
    return title.encode() + message.text.encode("latin-1").rstrip(b"\r\n") + b"\n\n"
