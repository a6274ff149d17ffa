"""Read one subject of a stream: all messages, or the last one as the stream's leader has it."""

import asyncio
import base64
import json

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import Header

from cato_jetstream.errors import NotFound, Unavailable
from cato_jetstream.eventlog.log import Record
from cato_jetstream.replies.reply_inbox import ReplyInbox
from cato_jetstream.translation import translate_answer

_BATCH = 512
_END_OF_BATCH, _NOT_FOUND = "204", "404"


class SubjectReader:
    """Reads subjects of one stream; wildcards are allowed.

    Methods raise EventLogError, and the exceptions of the client, which the caller translates.
    """

    def __init__(self, client: Client, stream: str, *, timeout_s: float) -> None:
        self._inbox = ReplyInbox(client, timeout_s)
        self._stream = stream
        self._direct = f"$JS.API.DIRECT.GET.{stream}"
        self._leader = f"$JS.API.STREAM.MSG.GET.{stream}"

    async def messages(self, subject: str, *, until: int | None = None) -> list[Record]:
        """Return all messages, or those up to the sequence `until`, oldest first.

        A replica that lags behind may answer.
        """
        records: list[Record] = []
        while await self._batch(subject, records):
            if until is not None and records[-1].sequence >= until:
                break
        return records if until is None else [each for each in records if each.sequence <= until]

    async def last(self, subject: str) -> Record | None:
        """Return the last message, None if there is none; the stream's leader answers."""
        found: list[Record] = []

        def note(message: Msg, over: asyncio.Future[None]) -> None:
            answer = json.loads(message.data)
            if "error" in answer:
                error = translate_answer(answer["error"])
                if not isinstance(error, NotFound):
                    raise error
            else:
                stored = answer["message"]
                data = base64.b64decode(stored.get("data", ""))
                found.append(Record(stored["subject"], int(stored["seq"]), data))
            over.set_result(None)

        await self._inbox.request(self._leader, json.dumps({"last_by_subj": subject}).encode(), note)
        return found[0] if found else None

    async def _batch(self, subject: str, records: list[Record]) -> bool:
        """Add the messages after the last record (ADR-31); return whether there are more."""
        start = records[-1].sequence + 1 if records else 1
        request = {"seq": start, "next_by_subj": subject, "batch": _BATCH}
        pending = 0

        def note(message: Msg, over: asyncio.Future[None]) -> None:
            nonlocal pending
            headers = message.headers or {}
            status = headers.get(Header.STATUS)
            if status is None:
                found = headers["Nats-Subject"]
                records.append(Record(found, int(headers["Nats-Sequence"]), message.data))
                return
            if status == _END_OF_BATCH:
                pending = int(headers.get("Nats-Num-Pending", 0))
            elif status != _NOT_FOUND:
                raise Unavailable(f"{subject}: {status} {headers.get(Header.DESCRIPTION)}")
            over.set_result(None)

        await self._inbox.request(self._direct, json.dumps(request).encode(), note)
        return pending > 0
