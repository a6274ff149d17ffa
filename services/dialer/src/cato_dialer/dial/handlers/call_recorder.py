"""The chain of a subscriber's records: what is noted here is written in order, for as long as that takes."""

import asyncio
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from uuid import UUID

import structlog

from cato_contracts.calls import CallEvent
from cato_contracts.envelope import Envelope
from cato_contracts.errors import BrokerError
from cato_contracts.runs import SubscriberResult
from cato_dialer.dial.domain.subscriber.plan import PastCall, calls_of
from cato_dialer.dial.ports.dial import CallJournal, FencedError, SubscriberLog
from cato_runtime.tasks import end_tasks

log = structlog.get_logger()

_FIRST_RETRY_S = 0.2
_LAST_RETRY_S = 5.0


class SubscriberBook:
    """Notes are taken at once and written by a task of its own, so that no line waits for the broker.

    Used as a context: leaving it gives up what is not written, as a crash would; await `flushed` first.
    """

    def __init__(self, journal: CallJournal, run_id: UUID, seen: SubscriberLog) -> None:
        self._journal = journal
        self._correlation = str(run_id)
        self._events = list(seen.events)
        self._events_head = seen.events_head
        self._result = seen.result
        self._result_head = seen.result_head
        self._waiting: asyncio.Queue[Envelope[CallEvent] | Envelope[SubscriberResult]] = asyncio.Queue()
        self._unwritten = 0
        self._writer: asyncio.Task[None] | None = None
        self.fenced = asyncio.Event()

    @property
    def calls(self) -> tuple[PastCall, ...]:
        return calls_of(self._events)

    @property
    def result(self) -> SubscriberResult | None:
        return self._result

    @property
    def unwritten(self) -> bool:
        """Something has been noted that is not in the log yet."""
        return self._unwritten > 0

    def agrees_with(self, seen: SubscriberLog) -> bool:
        """Tell whether nobody else has written; everything noted must be in the log."""
        return (seen.events_head, seen.result_head) == (self._events_head, self._result_head)

    def adopt_result(self, seen: SubscriberLog) -> None:
        """Take over a result that somebody else has written before we kept them from writing."""
        self._result, self._result_head = seen.result, seen.result_head

    def note_event(self, event: CallEvent, at: int) -> None:
        """Note what happened at `at` (Unix ms)."""
        self._events.append(event)
        self._put(self._wrap_event(event, at))

    def note_result(self, result: SubscriberResult, at: int) -> None:
        self._result = result
        self._put(
            Envelope[SubscriberResult].wrap(
                result,
                event_id=f"{result.run_id}:{result.no}:{result.wave}",
                occurred_at=_instant(at),
                correlation_id=self._correlation,
            )
        )

    async def flushed(self) -> None:
        """Return once everything noted so far is in the log.

        Raises:
            FencedError: if somebody else works on the subscriber now, or nothing can be written.

        """
        drained = asyncio.ensure_future(self._waiting.join())
        fenced = asyncio.ensure_future(self.fenced.wait())
        try:
            await asyncio.wait((drained, fenced), return_when=asyncio.FIRST_COMPLETED)
        finally:
            drained.cancel()
            fenced.cancel()
        if self.fenced.is_set():
            raise FencedError("the subscriber's records are not ours to write any more")

    async def __aenter__(self) -> Self:
        self._writer = asyncio.create_task(self._write())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await end_tasks(self._writer)

    async def _write(self) -> None:
        while True:
            entry = await self._waiting.get()
            try:
                await self._write_one(entry)
            except FencedError:
                self.fenced.set()
                return
            except Exception:
                # Without a record there must be no call.
                log.exception("a call's record cannot be written")
                self.fenced.set()
                return
            self._unwritten -= 1
            self._waiting.task_done()

    def _put(self, entry: Envelope[CallEvent] | Envelope[SubscriberResult]) -> None:
        self._unwritten += 1
        self._waiting.put_nowait(entry)

    async def _write_one(self, entry: Envelope[CallEvent] | Envelope[SubscriberResult]) -> None:
        delay = _FIRST_RETRY_S
        while True:
            try:
                if isinstance(entry.body, CallEvent):
                    self._events_head = await self._journal.append_event(entry, self._events_head)
                else:
                    self._result_head = await self._journal.append_result(entry, self._result_head)
            except BrokerError as error:
                log.warning("a call's record waits for the broker", error=str(error), retry_s=delay)
                await asyncio.sleep(delay)
                delay = min(2 * delay, _LAST_RETRY_S)
            else:
                return

    def _wrap_event(self, event: CallEvent, at: int) -> Envelope[CallEvent]:
        return Envelope[CallEvent].wrap(
            event,
            event_id=event.event_id,
            occurred_at=_instant(at),
            correlation_id=self._correlation,
            causation_id=str(event.call_id),
        )


def _instant(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
