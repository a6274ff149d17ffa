"""Loads the lists of subscribers from the object store into the read model."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from uuid import UUID

import structlog
from pydantic import ValidationError

from cato_contracts.errors import BrokerError, UnavailableError
from cato_contracts.messages.runs import RunSnapshot, RunSubscriber
from cato_contracts.objects import ObjectRef
from cato_reporting.errors import ReadModelAwayError, RowsRefusedError
from cato_reporting.ports import ReadModel
from cato_runtime.objects import ObjectMissingError, ObjectStore

log = structlog.get_logger()

_CHUNK = 5_000
_LOADED_S = 4.0


class ListLostError(UnavailableError):
    """A list that is not in the object store, or cannot be read there: the same attempt fails again."""


class ListLoader:
    """Loads each run's list into the read model.

    This is not part of the projector: a list of 100,000 subscribers takes seconds, and the events of all runs
    would wait. A list is loaded when its run is stored, when a query needs it, and, after a crash in between,
    when the read model is opened.
    """

    def __init__(self, read_model: ReadModel, objects: ObjectStore) -> None:
        self._read_model = read_model
        self._objects = objects
        self._complete: set[UUID] = set()
        self._loading: defaultdict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._wanted: asyncio.Queue[RunSnapshot | None] = asyncio.Queue()
        self._not_loaded: dict[UUID, RunSnapshot] = {}

    def want(self, snapshot: RunSnapshot) -> None:
        """Queue a list for loading."""
        self._wanted.put_nowait(snapshot)

    def recheck(self) -> None:
        """Queue a check for missing lists: the read model may be a new one."""
        self._complete.clear()
        self._wanted.put_nowait(None)

    async def run(self) -> None:
        """Load queued lists until the task is cancelled."""
        while True:
            snapshot = await self._wanted.get()
            try:
                await self._load_wanted(snapshot)
            finally:
                self._wanted.task_done()

    async def _load_wanted(self, snapshot: RunSnapshot | None) -> None:
        try:
            wanted = [snapshot] if snapshot else await self._read_model.unlisted()
        except ReadModelAwayError as error:
            log.warning("missing lists of subscribers unknown", reason=str(error))
            return
        for each in wanted:
            try:
                await self.ensure(each)
            except (ReadModelAwayError, UnavailableError) as error:
                # Not retried here: a query that needs the list, or the next opening of the tables, loads it.
                self._not_loaded[each.run_id] = each
                log.warning("list of subscribers not loaded", reason=str(error))

    async def ensure_all(self) -> bool:
        """Wait until the lists of all runs are in the read model; return False if some of them are lost.

        Raises:
            ReadModelAwayError: if it cannot be reached.
            UnavailableError: if a list cannot be read now, or the loading takes too long.

        """
        try:
            async with asyncio.timeout(_LOADED_S):
                await self._wanted.join()
        except TimeoutError as error:
            raise UnavailableError("the lists of subscribers are being loaded; try again") from error
        complete = True
        for snapshot in list(self._not_loaded.values()):
            try:
                await self.ensure(snapshot)
            except ListLostError as error:
                complete = False
                log.warning("list of subscribers missing in a search", reason=str(error))
        return complete

    async def ensure(self, snapshot: RunSnapshot) -> None:
        """Return when the run's list is in the read model.

        Raises:
            ReadModelAwayError: if it cannot be reached.
            UnavailableError: if the list cannot be read.

        """
        run_id = snapshot.run_id
        if run_id in self._complete:
            return
        async with self._loading[run_id]:
            if run_id not in self._complete:
                if await self._read_model.listed(run_id) < snapshot.subscriber_count:
                    await self._load(snapshot)
                self._complete.add(run_id)
                self._not_loaded.pop(run_id, None)
        self._loading.pop(run_id, None)

    async def _load(self, snapshot: RunSnapshot) -> None:
        chunk: list[RunSubscriber] = []
        try:
            async for line in _lines(self._objects, snapshot.subscribers):
                chunk.append(RunSubscriber.model_validate_json(line))
                if len(chunk) == _CHUNK:
                    await self._read_model.store_list(snapshot.run_id, chunk)
                    chunk = []
            await self._read_model.store_list(snapshot.run_id, chunk)
        except BrokerError as error:
            log.warning("list of subscribers not read", run_id=str(snapshot.run_id), reason=repr(error))
            raise UnavailableError("the list of subscribers cannot be read now; try again") from error
        except (ObjectMissingError, ValidationError, RowsRefusedError) as error:
            log.error("list of subscribers unreadable", run_id=str(snapshot.run_id), reason=repr(error))  # noqa: TRY400
            raise ListLostError("the list of subscribers of this execution cannot be read") from error


async def _lines(objects: ObjectStore, ref: ObjectRef) -> AsyncIterator[bytes]:
    rest = b""
    async for piece in objects.stream(ref):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.strip():
                yield line
    if rest.strip():
        yield rest
