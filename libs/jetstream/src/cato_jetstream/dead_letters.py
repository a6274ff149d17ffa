"""Dead letters: messages that a service could not process, on `dead.<service>` in the stream DEAD.

The body is the unchanged message; headers hold its origin and the reason.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

from nats.js import JetStreamContext
from nats.js.api import Header, RawStreamMsg

from cato_contracts.subjects import DEAD, STREAMS, Retention, dead_letter
from cato_jetstream.errors import Misuse, NotFound
from cato_jetstream.translation import translated

_REASON = "Cato-Reason"
_SUBJECT = "Cato-Subject"
_STREAM = "Cato-Stream"
_SEQUENCE = "Cato-Sequence"
_TIMEOUT_S = 5.0
_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a message came from: its subject, its stream and its sequence there."""

    subject: str
    stream: str
    sequence: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A letter; `number` is its sequence in the stream of dead letters."""

    number: int
    service: str
    time: datetime | None
    origin: Origin
    reason: str
    data: bytes


class DeadLetters:
    """Publishes the dead letters of one service."""

    def __init__(self, js: JetStreamContext, service: str) -> None:
        self._js = js
        self._service = service

    async def publish(self, data: bytes, origin: Origin, reason: str) -> bool:
        """Store a message as a dead letter; return False if it was stored before.

        Raises:
            Unavailable: the broker does not answer in time; the letter may have been kept.

        """
        headers = {
            _REASON: " ".join(reason.encode("ascii", "backslashreplace").decode().split())[:_LONGEST_REASON],
            _SUBJECT: origin.subject,
            _STREAM: origin.stream,
            _SEQUENCE: str(origin.sequence),
            Header.MSG_ID.value: f"{self._service}:{origin.stream}:{origin.sequence}",
        }
        with translated("a dead letter could not be kept"):
            ack = await self._js.publish(
                dead_letter(self._service), data, timeout=_TIMEOUT_S, headers=dict(headers)
            )
        return not ack.duplicate


class DeadLetterStream:
    """The letters of all services, for operators. Methods raise Unavailable without an answer in time."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js

    async def letters(self, service: str = "*") -> AsyncIterator[DeadLetter]:
        """Yield the letters of one service, or of all, oldest first."""
        number = 0
        while True:
            try:
                with translated("the dead letters cannot be read"):
                    message = await self._js.get_msg(
                        DEAD.name, seq=number + 1, subject=dead_letter(service), next=True
                    )
            except NotFound:
                return
            letter = _letter(message)
            number = letter.number
            yield letter

    async def letter(self, number: int) -> DeadLetter:
        """Return one letter.

        Raises:
            NotFound: there is none with this number.

        """
        with translated(f"dead letter {number} cannot be read"):
            return _letter(await self._js.get_msg(DEAD.name, seq=number))

    async def replay(self, number: int) -> DeadLetter:
        """Publish the message on its subject again and delete the letter.

        Raises:
            NotFound: there is no letter with this number.
            Misuse: the message is still in its stream, which the service has to read again.

        """
        letter = await self.letter(number)
        if letter.origin.stream not in _QUEUES:
            raise Misuse(
                f"message {letter.origin.sequence} is still in stream {letter.origin.stream}, which keeps its"
                f" messages: publishing it again would make it happen twice"
            )
        with translated(f"dead letter {number} cannot be replayed"):
            await self._js.publish(letter.origin.subject, letter.data, timeout=_TIMEOUT_S)
            await self._js.delete_msg(DEAD.name, number)
        return letter


_QUEUES = frozenset(stream.name for stream in STREAMS if stream.retention is Retention.WORK_QUEUE)


def _letter(message: RawStreamMsg) -> DeadLetter:
    headers = message.headers or {}
    time = message.time
    return DeadLetter(
        number=message.seq or 0,
        service=(message.subject or "").partition(".")[2],
        time=time.astimezone(UTC) if time is not None else None,
        origin=Origin(
            headers.get(_SUBJECT, ""), headers.get(_STREAM, ""), int(headers.get(_SEQUENCE, "0") or 0)
        ),
        reason=headers.get(_REASON, ""),
        data=message.data or b"",
    )
