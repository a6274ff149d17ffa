"""Follow the log from its beginning, to fold it into lists in memory."""

import asyncio
import inspect
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Generic, TypeVar

from cato_jetstream.backoff import backoff_s
from cato_jetstream.errors import Corrupt, Misuse, Unavailable
from cato_jetstream.eventlog.log import Log, Record

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Follower(Generic[T]):
    """All messages under some subjects, each once and in order, through reconnects and server restarts.

    `decode` converts a message to an item: `Commit.from_record`, or your own function. A message for which it
    raises Corrupt ends the follower, unless `on_corrupt` is set: then that is called and the message skipped.

    Run it once, either with `run(fold)` or with `async for item in follower.items()`.
    """

    def __init__(
        self,
        log: Log,
        subjects: Sequence[str],
        decode: Callable[[Record], T],
        *,
        on_corrupt: Callable[[Record, Corrupt], None] | None = None,
    ) -> None:
        self._log = log
        self._subjects = tuple(subjects)
        self._decode = decode
        self._on_corrupt = on_corrupt
        self._position = 0
        self._target: int | None = None
        self._current = _Milestone()
        self._waiting: list[tuple[int, _Milestone]] = []
        self._started = False
        self._end: BaseException | None = None

    @property
    def position(self) -> int:
        """The sequence of the last message that was folded, 0 before the first."""
        return self._position

    @property
    def is_current(self) -> bool:
        """Whether all messages that were in the log at the start have been folded. It stays true."""
        return self._current.reached

    async def until_current(self, timeout_s: float | None = None) -> None:
        """Wait for `is_current`: a service is ready only then.

        Raises:
            Unavailable: not within this time, or the following has ended.

        """
        await self._wait(self._current, timeout_s, "the end of the log")

    async def wait_for(self, sequence: int, timeout_s: float | None = 5.0) -> None:
        """Wait until the message with this sequence is folded, so that a client finds what it has written.

        `sequence` must be of a message under the follower's subjects: other ones may never be passed.

        Raises:
            Unavailable: not within this time, or the following has ended.

        """
        if sequence <= self._position:
            return
        milestone = _Milestone()
        self._waiting.append((sequence, milestone))
        try:
            await self._wait(milestone, timeout_s, f"message {sequence}")
        finally:
            self._waiting = [entry for entry in self._waiting if entry[1] is not milestone]

    async def run(self, fold: Callable[[T], Awaitable[None] | None]) -> None:
        """Pass each item to `fold`, without end.

        Raises:
            Unavailable: the connection was closed for good; shorter failures are retried.
            Corrupt: a message cannot be read, or the log has lost its tail: the folded state is then invalid.
            any exception of `fold`

        """
        async with aclosing(self.items()) as items:
            try:
                async for item in items:
                    result = fold(item)
                    if inspect.isawaitable(result):
                        await result
            except BaseException as error:
                self._finish(error)
                raise

    async def items(self) -> AsyncGenerator[T, None]:
        """The items, without end. Requesting the next item marks the last one as folded.

        Raises as `run`.
        """
        if self._started:
            raise Misuse("a follower runs once")
        self._started = True
        attempt = 0
        try:
            while True:
                before = self._position
                try:
                    async with aclosing(self._session()) as session:
                        async for item in session:
                            yield item
                except Unavailable as error:
                    if self._log.closed:
                        raise
                    logger.warning("following the log was interrupted", extra={"reason": str(error)})
                attempt = 0 if self._position > before else attempt + 1
                await asyncio.sleep(backoff_s(attempt))
        except BaseException as error:
            self._finish(error)
            raise

    async def _session(self) -> AsyncGenerator[T, None]:
        if not self._current.reached:
            self._aim(await self._log.end(self._subjects))
        async with aclosing(self._log.read(self._subjects, after=self._position)) as records:
            async for record in records:
                if record is None:
                    if not self._current.reached:
                        # No more messages come, so the message that was the last one no longer exists.
                        self._aim(await self._log.end(self._subjects))
                    continue
                try:
                    item = self._decode(record)
                except Corrupt as error:
                    if self._on_corrupt is None:
                        raise
                    self._on_corrupt(record, error)
                else:
                    yield item
                self._advance(record.sequence)

    def _aim(self, end: int) -> None:
        self._target = end
        self._advance(self._position)

    def _advance(self, sequence: int) -> None:
        self._position = sequence
        if self._target is not None and sequence >= self._target:
            self._current.reach()
        for wanted, milestone in self._waiting:
            if wanted <= sequence:
                milestone.reach()

    def _finish(self, error: BaseException) -> None:
        self._end = self._end or error
        self._current.abandon()
        for _, milestone in self._waiting:
            milestone.abandon()

    async def _wait(self, milestone: "_Milestone", timeout_s: float | None, what: str) -> None:
        if self._end is not None:
            milestone.abandon()
        try:
            async with asyncio.timeout(timeout_s):
                await milestone.wait()
        except TimeoutError as error:
            raise Unavailable(f"{what} was not reached in {timeout_s} s, only {self._position}") from error
        if not milestone.reached:
            raise Unavailable(f"{what} will not be reached: {self._end!r}") from self._end


class _Milestone:
    """A goal that is either reached or abandoned, once."""

    def __init__(self) -> None:
        self._settled = asyncio.Event()
        self.reached = False

    def reach(self) -> None:
        if not self._settled.is_set():
            self.reached = True
            self._settled.set()

    def abandon(self) -> None:
        self._settled.set()

    async def wait(self) -> None:
        await self._settled.wait()
