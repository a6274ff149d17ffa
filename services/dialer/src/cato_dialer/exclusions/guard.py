"""Whether a number may be called now, as far as exclusion lists go; and until when that stands.

A request to exclude a number is answered once no dialer can start a call to it any more. So each dialer
announces up to which commit it has applied the lists, under a key that expires. A dialer without a valid key
starts no call, as nothing waits for it. After a key has expired, or at first, the key is written before the
end of the log is read: a commit that was stored earlier is read, one that is stored later waits for the key.
"""

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from cato_contracts.api.rules.exclusions import ExclusionChoice
from cato_contracts.errors import BrokerError
from cato_contracts.messages.jobs import DialJob
from cato_dialer.exclusions.board import ReadingBoard
from cato_dialer.exclusions.reader import ExclusionReader
from cato_runtime.clock import Clock
from cato_runtime.process.tasks import end_tasks

log = structlog.get_logger()

KEY_TTL_S = 6
_MARGIN_S = 1.0
_ANNOUNCE_S = 1.5
_RETRY_S = 0.3
_LEAST_WAIT_S = 0.01
_LEAST_S = 0.5
"""The least time for which a call may rely on the lists."""


@dataclass(frozen=True, slots=True)
class _Order:
    """A call that may not be sent yet; it is not sent after `not_after`."""

    job: DialJob
    phone_index: int
    not_after: datetime


class ExclusionGuard:
    """The exclusion lists as the dial role sees them."""

    def __init__(self, reader: ExclusionReader, board: ReadingBoard, clock: Clock) -> None:
        self._reader = reader
        self._board = board
        self._clock = clock
        self._valid_until = 0.0
        self._proven: object | None = None
        """The life of the reader for which the key was there before the end of the log was read."""
        self._orders: deque[_Order] = deque()
        self._announced = 0
        self._changed = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        reader.on_change(self._changed.set)

    async def open(self) -> None:
        """Read the lists, and announce that. Raises BrokerError."""
        await self._reader.start()
        await self._announce()
        self._keeping = asyncio.create_task(self._keep())

    async def close(self) -> None:
        await end_tasks(self._keeping)
        self._valid_until = 0.0
        try:
            await self._board.withdraw()
        except BrokerError as error:
            log.info("position in the exclusion lists is left to expire", error=str(error))
        await self._reader.stop()

    def excluded(self, job: DialJob) -> frozenset[int]:
        """Return the indexes of the job's numbers that may not be called now."""
        book = self._reader.book
        if book.empty:
            return frozenset()
        choice = job.exclusions or ExclusionChoice(user_id=job.settings.user_id)
        return book.excluded(job.subscriber.phones, choice, self._clock.now().timestamp())

    def usable_until(self) -> datetime | None:
        """Return until when a call may rely on the lists as they are now; None if no call may start."""
        now = self._clock.now()  # first: a freeze between the two clocks must not lengthen the time
        left = self._valid_until - asyncio.get_running_loop().time()
        if self._proven is not self._reader.life or left < _LEAST_S:
            return None
        return now + timedelta(seconds=left)

    def ordered(self, job: DialJob, phone_index: int, not_after: datetime) -> None:
        """Note a call that is ordered now, and that is sent until `not_after` or never."""
        self._forget_orders()
        self._orders.append(_Order(job, phone_index, not_after))

    async def _keep(self) -> None:
        while True:
            self._changed.clear()
            wait_s = _ANNOUNCE_S
            try:
                await self._announce()
            except BrokerError as error:
                log.warning("position in the exclusion lists cannot be announced", error=str(error))
                wait_s = _RETRY_S
            if (held := self._held_back_s()) is not None:
                wait_s = min(wait_s, held + _LEAST_WAIT_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()

    async def _announce(self) -> None:
        loop = asyncio.get_running_loop()
        life, asked_at = self._reader.life, loop.time()
        if self._held_back_s() is None:
            self._announced = self._reader.position
        await self._board.announce(self._announced, KEY_TTL_S)
        lapsed = loop.time() >= self._valid_until
        if lapsed:
            self._proven = None
        self._valid_until = asked_at + KEY_TTL_S - _MARGIN_S
        if self._proven is not life:
            await self._reader.catch_up()
            if life is self._reader.life and loop.time() < self._valid_until:
                self._proven = life
                self._changed.set()

    def _held_back_s(self) -> float | None:
        """Return for how long the position must not advance: a call to a number excluded now may be sent."""
        self._forget_orders()
        now = self._clock.now()
        left = [
            (order.not_after - now).total_seconds()
            for order in self._orders
            if order.not_after >= now and order.phone_index in self.excluded(order.job)
        ]
        return max(left, default=None)

    def _forget_orders(self) -> None:
        now = self._clock.now()
        while self._orders and self._orders[0].not_after < now:
            self._orders.popleft()
