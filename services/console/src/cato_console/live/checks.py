"""The checks of tasks, which take seconds for a large list: each is asked for once, and a page follows it."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from cato_client import AsyncClient, CatoClientError, ConflictError, InvalidError, operations
from cato_client.list_models import TaskCheck

_SHOWN_S = 5.0
"""A check that a page has shown is true for so long: stations and calling hours change."""
_WAITING_S = 600.0
"""A check that no page has shown yet is kept for a browser without the script, whose person looks again."""
_MOST = 200
_PATIENCE_S = 0.1

_Key = tuple[UUID, str]


@dataclass(slots=True)
class _Kept:
    reading: "asyncio.Task[TaskCheck]"
    ended: float | None = None
    shown: bool = False

    def fresh(self, now: float) -> bool:
        return self.ended is None or now - self.ended < (_SHOWN_S if self.shown else _WAITING_S)


class Checks:
    """The checks of the tasks that people look at, by task and by the version of what the task consists of.

    They are the same for all who may see a task. That a person may see it the caller finds out with the
    person's own token. `patience_s`: how long a page waits for a check.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, patience_s: float = _PATIENCE_S
    ) -> None:
        self.patience_s = patience_s
        self._clock = clock
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()

    async def of(self, client: AsyncClient, task_id: UUID, version: str) -> TaskCheck:
        """Return the check of a task; `version` is that of its lists, settings and files before the check."""
        kept = self._kept.get((task_id, version))
        if kept is not None and kept.fresh(self._clock()):
            try:
                return await _shown(kept)
            except CatoClientError:
                # It was asked with the token of another person: what that one may not is no reason here.
                pass
        return await _shown(self._read(client, (task_id, version)))

    async def soon(self, client: AsyncClient, task_id: UUID, version: str) -> TaskCheck | None:
        """Return the check; None if a page cannot wait for it. It goes on, and its result is kept."""
        try:
            async with asyncio.timeout(self.patience_s):
                return await self.of(client, task_id, version)
        except TimeoutError:
            return None

    def _read(self, client: AsyncClient, key: _Key) -> _Kept:
        reading = asyncio.create_task(client.do(operations.check_task(key[0])), name=f"check {key[0]}")
        kept = self._kept[key] = _Kept(reading)
        self._kept.move_to_end(key)
        if len(self._kept) > _MOST:
            self._kept.popitem(last=False)

        def done(task: "asyncio.Task[TaskCheck]") -> None:
            kept.ended = self._clock()
            if (task.cancelled() or task.exception() is not None) and self._kept.get(key) is kept:
                del self._kept[key]

        reading.add_done_callback(done)
        return kept


async def _shown(kept: _Kept) -> TaskCheck:
    check = await asyncio.shield(kept.reading)
    kept.shown = True
    return check


@dataclass(frozen=True, slots=True)
class CheckState:
    """What the page of a check shows: the check, or why there is none."""

    check: TaskCheck | None
    fault: str | None = None


class CheckSource:
    """Waits for one check. `ask` returns it."""

    def __init__(self, ask: Callable[[], Awaitable[TaskCheck]]) -> None:
        self._ask = ask

    async def updates(self) -> AsyncIterator[CheckState]:
        """Yield the check when it is done; what the API refuses is shown on the page."""
        try:
            state = CheckState(await self._ask())
        except (ConflictError, InvalidError) as error:
            state = CheckState(None, error.message)
        yield state

    async def close(self) -> None:
        """There is nothing to release: the client belongs to all pages."""
