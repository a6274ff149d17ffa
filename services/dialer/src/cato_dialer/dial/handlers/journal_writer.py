"""Write the messages of one subscriber to the log: in order, repeated until stored, fenced."""

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self
from uuid import UUID

import structlog

from cato_contracts.errors import BrokerError
from cato_dialer.dial.ports.dial import CallJournal, FencedError, SubscriberLog
from cato_dialer.dial.ports.unsent import Entry, NotKept, Unsent
from cato_runtime.process.tasks import end_tasks

log = structlog.get_logger()

_FIRST_RETRY_S = 0.2
_LAST_RETRY_S = 5.0
_KEEP_AFTER_S = 0.25
"""How long an acknowledgement may take before the queued messages are kept for a restart of this process."""


class JournalWriter:
    """Queue messages at once and write them in a task of its own, so that no line waits for the broker.

    Used as a context manager. Leaving it drops what is not written, as a crash would; await `flushed` first.
    What the broker does not acknowledge in time is kept in `unsent`, and written by the next start of this
    process.
    """

    def __init__(self, journal: CallJournal, seen: SubscriberLog, unsent: Unsent | None = None) -> None:
        self._journal = journal
        self._head = seen.head
        self._unwritten: deque[Entry] = deque()
        self._unsent: Unsent = unsent or NotKept()
        self._kept: tuple[UUID, int] | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self._on_fence: Callable[[], None] | None = None
        self._fenced = False

    @property
    def unwritten(self) -> bool:
        """Tell whether a queued message is not in the log yet."""
        return bool(self._unwritten)

    @property
    def fenced(self) -> bool:
        """Tell whether another replica has written for the subscriber, or nothing can be written any more."""
        return self._fenced

    @property
    def head(self) -> int:
        """The sequence of our last message in the log."""
        return self._head

    def agrees_with(self, seen: SubscriberLog) -> bool:
        """Tell whether the log ends with our own messages. Call it only when all are written."""
        return seen.head == self._head

    def put(self, entry: Entry) -> None:
        self._unwritten.append(entry)
        if self._kept is not None:
            self._unsent.keep(*self._kept, [entry])
        if self._task is None and not self._fenced:
            self._task = asyncio.create_task(self._write())

    def fence(self) -> None:
        """Write no more: another replica has written for the subscriber, or the log cannot be written."""
        self._fenced = True
        self._wake()
        if self._on_fence is not None:
            self._on_fence()

    def on_fence(self, act: Callable[[], None] | None) -> None:
        """Call `act` once the writer is fenced, at once if it is already; None: call nothing any more."""
        self._on_fence = act
        if act is not None and self._fenced:
            act()

    async def flushed(self) -> None:
        """Return once every queued message is in the log.

        Raises:
            FencedError: if another replica works on the subscriber now, or the log cannot be written.

        """
        while self._unwritten and not self._fenced:
            written = asyncio.get_running_loop().create_future()
            self._waiting.append(written)
            await written
        if self._fenced:
            raise FencedError("another replica works on the subscriber, or its log cannot be written")

    async def reject_others(self, run_id: UUID, no: int) -> None:
        """Reject what another replica may have on its way for the subscriber.

        Raises:
            FencedError: if it has arrived.
            BrokerError: without an acknowledgement.

        """
        await self.flushed()
        self._head = await self._journal.fence(run_id, no, self._head)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await end_tasks(self._task)

    async def _write(self) -> None:
        while self._unwritten and not self._fenced:
            keeping = asyncio.get_running_loop().call_later(_KEEP_AFTER_S, self._keep)
            try:
                await self._write_one(self._unwritten[0])
            except FencedError:
                self._forget()
                self.fence()
                return
            except Exception:
                # A call without a record must end, so an unknown failure counts as fenced.
                log.exception("call record cannot be written")
                self.fence()
                return
            finally:
                keeping.cancel()
            self._unwritten.popleft()
            if not self._unwritten or self._fenced:
                self._forget()
        self._task = None
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for written in waiting:
            if not written.done():
                written.set_result(None)

    def _keep(self) -> None:
        """Keep the messages that are queued, and those that follow them."""
        if self._kept is None:
            body = self._unwritten[0].body
            self._kept = body.run_id, body.no
            self._unsent.keep(*self._kept, list(self._unwritten))

    def _forget(self) -> None:
        if self._kept is not None:
            self._unsent.sent(*self._kept)
            self._kept = None

    async def _write_one(self, entry: Entry) -> None:
        delay = _FIRST_RETRY_S
        while True:
            try:
                self._head = await self._journal.append(entry, self._head)
            except BrokerError as error:
                log.warning("call record waits for the broker", error=str(error), retry_s=delay)
                await asyncio.sleep(delay)
                delay = min(2 * delay, _LAST_RETRY_S)
            else:
                return
