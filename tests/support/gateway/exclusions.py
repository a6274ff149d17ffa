"""Exclusion lists of the services in memory."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

from cato_contracts.api.resources import Page
from cato_contracts.api.rules.exclusions import ExcludedNumber, ExclusionList
from cato_contracts.errors import NotFoundError
from cato_contracts.messages import exclusion_commands as exclusions
from cato_contracts.numbering import Numbering
from cato_contracts.paging import read_cursor, write_cursor
from cato_contracts.requests import Actor
from cato_dialer.campaign.domain.catalog.exclusion_list import check_scope
from cato_dialer.campaign.domain.lists.read_exclusions import entry_of, read_exclusions
from cato_dialer.exclusions.number_set import Entry, NumberSet
from cato_runtime.objects import ObjectStore
from cato_runtime.requests import RequestContext, RequestTable
from tests.support.gateway.resources import check_version, own, page_of

_CANONICAL = Numbering().canonical


@dataclass(slots=True)
class _Stored:
    view: ExclusionList
    numbers: NumberSet


class MemoryExclusions:
    """Enough of the rules of exclusion lists to give every answer."""

    def __init__(self, objects: ObjectStore, table: RequestTable) -> None:
        self._objects = objects
        self.lists: dict[UUID, _Stored] = {}
        table.add(exclusions.AddExclusionList, self._add)
        table.add(exclusions.GetExclusionList, self._get)
        table.add(exclusions.ListExclusionLists, self._list)
        table.add(exclusions.RemoveExclusionList, self._remove)
        table.add(exclusions.ListExcludedNumbers, self._numbers)
        table.add(exclusions.GetExcludedNumber, self._number)
        table.add(exclusions.ExcludeNumber, self._exclude)
        table.add(exclusions.ReadmitNumber, self._readmit)

    async def _add(self, request: exclusions.AddExclusionList, context: RequestContext) -> ExclusionList:
        check_scope(request.scope, request.actor)
        content = await self._objects.get(request.upload)
        numbers = read_exclusions(content, request.format, request.charset, limit=1_000, canonical=_CANONICAL)
        view = ExclusionList(
            id=uuid4(),
            name=request.name,
            user_id=request.actor.user_id,
            scope=request.scope,
            number_count=len(numbers),
            created_at=context.now,
            version=1,
        )
        self.lists[view.id] = _Stored(view, numbers)
        return view

    def _own(self, id_: UUID, actor: Actor) -> _Stored:
        own({key: stored.view for key, stored in self.lists.items()}, id_, actor)
        return self.lists[id_]

    async def _get(self, request: exclusions.GetExclusionList, _: RequestContext) -> ExclusionList:
        return self._own(request.id, request.actor).view

    async def _list(self, request: exclusions.ListExclusionLists, _: RequestContext) -> Page[ExclusionList]:
        return page_of([stored.view for stored in self.lists.values()], request)

    async def _remove(self, request: exclusions.RemoveExclusionList, _: RequestContext) -> None:
        check_version(self._own(request.id, request.actor).view, request)
        del self.lists[request.id]

    async def _numbers(
        self, request: exclusions.ListExcludedNumbers, _: RequestContext
    ) -> Page[ExcludedNumber]:
        numbers = self._own(request.id, request.actor).numbers
        after = read_cursor(request.cursor, _canonical_only)[0] if request.cursor else None
        found = numbers.after(after, request.limit + 1)
        page = found[: request.limit]
        more = len(found) > request.limit
        return Page(
            items=[_view(entry) for entry in page],
            next_cursor=write_cursor(page[-1].number) if more else None,
        )

    async def _number(self, request: exclusions.GetExcludedNumber, _: RequestContext) -> ExcludedNumber:
        return _view(_entry(self._own(request.id, request.actor), request.number))

    async def _exclude(self, request: exclusions.ExcludeNumber, _: RequestContext) -> ExcludedNumber:
        stored = self._own(request.id, request.actor)
        check_version(stored.view, request)
        entry = entry_of(request.exclusion, _CANONICAL(request.exclusion.number))
        stored.numbers.put(entry)
        return _view(entry)

    async def _readmit(self, request: exclusions.ReadmitNumber, _: RequestContext) -> None:
        stored = self._own(request.id, request.actor)
        check_version(stored.view, request)
        stored.numbers.drop(_entry(stored, request.number).number)


def _entry(stored: _Stored, text: str) -> Entry:
    number = _CANONICAL(text)
    entry = stored.numbers.get(number)
    if entry is None:
        raise NotFoundError(f"the number {number} is not on the exclusion list")
    return entry


def _canonical_only(text: str) -> str:
    if _CANONICAL(text) != text:
        raise ValueError(text)
    return text


def _view(entry: Entry) -> ExcludedNumber:
    expires = None if entry.until is None else datetime.fromtimestamp(entry.until, UTC)
    return ExcludedNumber(number=entry.number, reason=entry.reason, expires_at=expires)
