"""Uploaded lists: read, refused with all their faults, or stored."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from cato_contracts.api.rules.duplicates import ListDuplicates
from cato_contracts.errors import InvalidError
from cato_contracts.ids import derived_id
from cato_contracts.messages.campaign_commands import ListFormat, SubscriberListCheck, UploadedList
from cato_contracts.objects import Bucket, ObjectRef
from cato_dialer.campaign.domain.lists.duplicates import Duplicates
from cato_dialer.campaign.domain.lists.faults import refusal_of
from cato_dialer.campaign.domain.lists.subscriber_list import ListOrder
from cato_dialer.campaign.ports import ListReader
from cato_runtime.objects import ObjectMissingError, ObjectStore
from cato_runtime.requests import RequestContext

_PIECE = 256 * 1024
_NOBODY = UUID(int=0)
PLACES = {ListFormat.JSON: "subscriber", ListFormat.CSV: "line", ListFormat.XLSX: "row"}


@dataclass(frozen=True, slots=True)
class StoredList:
    """A list in the object store, and what was found in it."""

    subscribers: ObjectRef
    count: int
    duplicates: ListDuplicates


class UploadedLists:
    """Reads lists of at most `limit` subscribers."""

    def __init__(self, objects: ObjectStore, reader: ListReader, limit: int) -> None:
        self._objects = objects
        self._reader = reader
        self._limit = limit
        self._storing: dict[str, asyncio.Task[StoredList]] = {}

    async def check(self, upload: UploadedList, context: RequestContext) -> SubscriberListCheck:
        """Return what a list contains, with its faults; nothing is stored."""
        async with self._read(upload, _NOBODY, context.deadline) as (check, _):
            return check

    async def store(self, upload: UploadedList, group_id: UUID, context: RequestContext) -> StoredList:
        """Store a list. A command that is repeated while its list is read waits for the same result.

        Raises:
            InvalidListError: with all faults, if there are any.
            TooLargeError: if there are too many subscribers.
            OverloadedError: if too many lists wait.
            UnavailableError: if there is no time to read it.

        """
        key = context.command_id
        storing = self._storing.get(key)
        if storing is None:
            storing = self._storing[key] = asyncio.create_task(self._store(upload, group_id, context))
            storing.add_done_callback(lambda _: self._storing.pop(key, None))
        return await asyncio.shield(storing)

    async def duplicates_of(self, subscribers: ObjectRef) -> ListDuplicates:
        """Count the duplicates of a stored list."""
        try:
            content = await self._objects.get(subscribers)
        except ObjectMissingError:  # it was replaced in the meantime
            return ListDuplicates()
        return await asyncio.to_thread(_duplicates, content)

    async def _store(self, upload: UploadedList, group_id: UUID, context: RequestContext) -> StoredList:
        async with self._read(upload, group_id, context.deadline) as (check, lines):
            if check.fault_count:
                raise refusal_of(check, PLACES[upload.format])
            # Named after the command, so a list that is in use is never overwritten.
            name = f"group/{group_id}/{derived_id(context.command_id)}"
            ref = await self._objects.put(Bucket.LISTS, name, _pieces(lines))
            return StoredList(ref, check.subscriber_count, check.duplicates)

    @asynccontextmanager
    async def _read(
        self, upload: UploadedList, group_id: UUID, deadline: float | None
    ) -> AsyncIterator[tuple[SubscriberListCheck, Path]]:
        with tempfile.TemporaryDirectory(prefix="cato-list-") as directory:
            source, target = Path(directory, "upload"), Path(directory, "lines")
            try:
                await self._objects.fetch(upload.upload, source)
            except ObjectMissingError as error:
                raise InvalidError("the uploaded list is no longer there; send it again") from error
            order = ListOrder(
                format=upload.format,
                charset=upload.charset,
                columns=upload.columns,
                group_id=group_id,
                limit=self._limit,
            )
            yield await self._reader.read(source, target, order, deadline=deadline), target


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece


def _duplicates(content: bytes) -> ListDuplicates:
    found = Duplicates()
    for line in content.splitlines():
        contact = json.loads(line)
        found.add(contact["full_name"], contact["phones"])
    return found.found()
