"""Publish many messages to JetStream: send all, then await all acknowledgements."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nats.aio.client import Client
from nats.aio.msg import Msg

from cato_jetstream.errors import EventLogError
from cato_jetstream.publish import condition
from cato_jetstream.translation import translate_answer, translated

_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message for a stream; `expected` is the sequence that its subject must be at (None: any).

    `within`: the condition is about these subjects instead (see `ConditionalPublisher.publish`).
    `more` are further headers.
    """

    subject: str
    data: bytes
    expected: int | None = None
    within: str | None = None
    more: Mapping[str, str] | None = None

    def headers(self) -> dict[str, str] | None:
        headers = dict(self.more or {})
        if self.expected is not None:
            headers |= condition(self.expected, self.within)
        return headers or None


async def publish_all(client: Client, messages: Sequence[Outgoing]) -> list[int | EventLogError]:
    """Publish the messages; return each one's sequence or the server's refusal, in their order.

    The messages carry no message id, so the server never takes one for a duplicate. A caller that repeats a
    message with `expected` finds its own first attempt as a Conflict.

    Raises:
        Unavailable: one has not been acknowledged in time; any of them may have been stored.

    """
    if not messages:
        return []
    outcomes: dict[int, int | EventLogError] = {}
    complete = asyncio.Event()

    async def note(message: Msg) -> None:
        # Without a body it is the server's notice that no stream listens; the time-out reports that.
        if message.data:
            outcomes.setdefault(int(message.subject.rsplit(".", 1)[1]), _outcome(message.data))
            if len(outcomes) == len(messages):
                complete.set()

    with translated("messages could not be published"):
        inbox = client.new_inbox()
        subscription = await client.subscribe(f"{inbox}.*", cb=note)
        try:
            for number, message in enumerate(messages):
                await client.publish(
                    message.subject, message.data, reply=f"{inbox}.{number}", headers=message.headers()
                )
            async with asyncio.timeout(_TIMEOUT_S):
                await complete.wait()
        finally:
            if not client.is_closed and client.is_connected:
                await subscription.unsubscribe()
    return [outcomes[number] for number in range(len(messages))]


def _outcome(data: bytes) -> int | EventLogError:
    answer = json.loads(data)
    return translate_answer(answer["error"]) if "error" in answer else int(answer["seq"])
