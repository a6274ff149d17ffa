"""Many messages to JetStream at once: all are sent, then all acknowledgements are awaited."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from cato_contracts.errors import BrokerError

_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message for a stream."""

    subject: str
    data: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The sequence of the stored message, or the server's error code for the refusal."""

    sequence: int
    error_code: int | None = None


async def publish_all(client: Client, messages: Sequence[Outgoing]) -> list[Outcome]:
    """Publish the messages and return what became of each, in their order.

    Raises:
        BrokerError: if one has not been acknowledged in time; any of them may have been stored.

    """
    if not messages:
        return []
    outcomes: list[Outcome | None] = [None] * len(messages)
    left = len(messages)
    complete = asyncio.Event()

    async def note(message: Msg) -> None:
        nonlocal left
        number = int(message.subject.rsplit(".", 1)[1])
        # Without a body it is the server's word that no stream listens: the time-out tells of that.
        if outcomes[number] is None and message.data:
            outcomes[number] = _outcome(message.data)
            left -= 1
            if not left:
                complete.set()

    with broker_errors("messages could not be published"):
        inbox = client.new_inbox()
        subscription = await client.subscribe(f"{inbox}.*", cb=note)
        try:
            for number, message in enumerate(messages):
                await client.publish(
                    message.subject,
                    message.data,
                    reply=f"{inbox}.{number}",
                    headers=dict(message.headers) or None,
                )
            async with asyncio.timeout(_TIMEOUT_S):
                await complete.wait()
        finally:
            if not client.is_closed and client.is_connected:
                await subscription.unsubscribe()
    return [outcome for outcome in outcomes if outcome is not None]


@contextmanager
def broker_errors(what: str) -> Iterator[None]:
    """Turn what the client raises into BrokerError."""
    try:
        yield
    except (NatsError, OSError, TimeoutError) as error:
        raise BrokerError(f"{what}: {error!r}") from error


def _outcome(data: bytes) -> Outcome:
    answer = json.loads(data)
    error = answer.get("error")
    if error is not None:
        return Outcome(0, int(error.get("err_code", 0)))
    return Outcome(int(answer["seq"]))
