"""Publish on the condition that the last message of the subject is the one that the caller has read.

A rejection does not prove that another write came first: an earlier attempt of our own may have been stored
and its acknowledgement lost. And on a cluster the server checks for duplicate message ids before it checks
the sequence, so it acknowledges a write that it must reject with `duplicate: true`. Every write therefore
carries a token; after a refusal or a duplicate the head of the subject is read from the stream's leader, and
the write counts as ours only if the head has our token and our data.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

from nats.js import JetStreamContext
from nats.js.api import Header, PubAck, RawStreamMsg

from cato_jetstream.backoff import backoff_s
from cato_jetstream.errors import Conflict, DuplicateId, InFlight, NotFound, Unavailable
from cato_jetstream.replies.stored_acks import StoredAcks
from cato_jetstream.translation import translated

WRITER = "Cato-Writer"
"""The header by which the write of one writer differs from the same message of another."""

EXPECTED_WITHIN = "Nats-Expected-Last-Subject-Sequence-Subject"
"""The header with the subjects that the condition is about, if they are others than that of the message."""


def condition(expected: int, within: str | None) -> dict[str, str]:
    """Return the headers by which the server compares the last sequence before it writes."""
    headers = {Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value: str(expected)}
    return headers if within is None else {**headers, EXPECTED_WITHIN: within}


@dataclass(frozen=True, slots=True)
class Written:
    """The sequence of the stored message.

    `earlier`: an attempt before this one had stored it, so its time to live began then.
    """

    sequence: int
    earlier: bool = False


class ConditionalPublisher:
    """Writes to one stream.

    `timeout_s` bounds one request, and how long a write waits for another one that is in flight. `acks` is
    for a writer of many messages: it takes the acknowledgements at less cost than the client does.
    """

    def __init__(
        self, js: JetStreamContext, stream: str, *, timeout_s: float = 5.0, acks: StoredAcks | None = None
    ) -> None:
        self._js = js
        self._stream = stream
        self._timeout_s = timeout_s
        self._acks = acks

    async def publish(
        self,
        subject: str,
        data: bytes,
        *,
        expected: int,
        within: str | None = None,
        message_id: str | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        ttl_s: int | None = None,
    ) -> Written:
        """Write, provided that the last message of the subject has the sequence `expected` (0: none yet).

        With `within`, a pattern of subjects that matches this one, the last message of all of them counts. On
        a cluster, all writers of these subjects must give the same pattern.

        A caller that repeats a write after Unavailable gives the same `token` and data, and gets the sequence
        of the first attempt if that was stored. Two writers never share a token.

        Raises:
            DuplicateId: nothing was written; another write with this message id was stored before.
            Conflict: nothing was written; the last message is another one.
            Unavailable: it is unknown whether it was written.
            Rejected: it can never be written as it is.

        """
        token = token or uuid4().hex
        sent = {**(headers or {}), **condition(expected, within), WRITER: token}
        if message_id is not None:
            sent[Header.MSG_ID] = message_id
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout_s
        attempt = 0
        while True:
            ack = await self._try(subject, data, sent, ttl_s)
            if ack is not None and not ack.duplicate:
                return Written(ack.seq)
            head = await self.head(within or subject)
            at = 0 if head is None else head.seq or 0
            if head is not None and (head.data or b"") == data and (head.headers or {}).get(WRITER) == token:
                return Written(at, earlier=True)
            if ack is not None and ack.seq <= at:
                raise DuplicateId(
                    f"{subject} has message {message_id} at {ack.seq} from another write", ack.seq
                )
            if at > expected or (head is None and expected > 0):
                raise Conflict(f"{subject} is at {at}, not at {expected}")
            # Another write is in flight, or the leader that answered has not caught up yet.
            if loop.time() >= deadline:
                if ack is not None:
                    raise DuplicateId(f"{subject}: message {message_id} was removed again", ack.seq)
                if at < expected:
                    raise Conflict(f"{subject} is at {at}, behind {expected}: the stream has lost its tail")
                raise Unavailable(f"{subject}: another write is in flight")
            await asyncio.sleep(backoff_s(attempt))
            attempt += 1

    async def head(self, subject: str) -> RawStreamMsg | None:
        """Return the last message of these subjects as the stream's leader has it. Raises Unavailable."""
        try:
            with translated():
                return await self._js.get_msg(self._stream, subject=subject)
        except NotFound:
            return None

    async def _try(
        self, subject: str, data: bytes, headers: dict[str, str], ttl_s: int | None
    ) -> PubAck | None:
        """Publish once; None if the server refuses because of another write."""
        try:
            with translated():
                if self._acks is not None:
                    ttl = {} if ttl_s is None else {Header.MSG_TTL.value: str(ttl_s)}
                    return await self._acks.publish(subject, data, self._stream, {**headers, **ttl})
                return await self._js.publish(
                    subject,
                    data,
                    timeout=self._timeout_s,
                    stream=self._stream,
                    headers=dict(headers),
                    msg_ttl=ttl_s,
                )
        except (Conflict, InFlight):
            return None
