"""Pages of collections: cursors, and a collection in memory that is read in pages."""

import re
from bisect import bisect_right
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from cato_contracts.api.resources import Page
from cato_contracts.errors import InvalidError
from cato_contracts.requests import Actor

_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


def number(text: str) -> int:
    """Read a part of a cursor that is a number from 0 to 10^19.

    Raises:
        ValueError: for anything else, such as signs, leading zeros and digits of other scripts.

    """
    if not _NUMBER.fullmatch(text):
        msg = f"{text[:60]!r} is not a number"
        raise ValueError(msg)
    return int(text)


def write_cursor(*parts: object) -> str:
    """Return the cursor that `read_cursor` takes apart again; only the last part may contain a dot."""
    return ".".join(map(str, parts))


def read_cursor(cursor: str, *kinds: Callable[[str], Any]) -> list[Any]:
    """Return the parts of a cursor, each read by its kind.

    Raises:
        InvalidError: if no list has returned this cursor; a kind says so by ValueError.

    """
    parts = cursor.split(".", len(kinds) - 1)
    try:
        return [kind(part) for kind, part in zip(kinds, parts, strict=True)]
    except ValueError as error:
        raise InvalidError("cursor is not one that this list has returned") from error


class Listed(Protocol):
    """An item of a collection."""

    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def user_id(self) -> str: ...


V = TypeVar("V", bound=Listed)


class Collection(Generic[V]):
    """Resources in the order of the commits that created them.

    A cursor is the sequence of the commit that created the last item of a page, so items that are added or
    removed between two pages do not shift the next one.
    """

    def __init__(self) -> None:
        self._sequences: list[int] = []
        self._ids: list[UUID] = []
        self._known: set[UUID] = set()
        self._items: dict[UUID, V] = {}

    def put(self, item: V, sequence: int) -> None:
        """Add a new resource, or a newer state of one. Sequences come in ascending order."""
        if item.id not in self._known:
            self._known.add(item.id)
            self._sequences.append(sequence)
            self._ids.append(item.id)
        self._items[item.id] = item

    def drop(self, resource_id: UUID) -> None:
        """Remove a resource; its sequence stays, since a cursor may name it."""
        self._items.pop(resource_id, None)

    def get(self, resource_id: UUID) -> V | None:
        return self._items.get(resource_id)

    def all(self) -> list[V]:
        return list(self._items.values())

    def page(
        self,
        actor: Actor,
        *,
        name: str | None,
        limit: int,
        cursor: str | None,
        shared: Callable[[V], bool] = lambda _: False,
    ) -> "Page[V]":
        """Return the resources that the actor may see and whose names contain `name`, ignoring case.

        Everybody may see those that are `shared`.

        Raises:
            InvalidError: if no list has returned the cursor.

        """
        after: int = 0 if cursor is None else read_cursor(cursor, number)[0]
        wanted = name.casefold() if name else ""
        found: list[V] = []
        last = 0
        for index in range(bisect_right(self._sequences, after), len(self._ids)):
            item = self._items.get(self._ids[index])
            if item is None or wanted not in item.name.casefold():
                continue
            if not actor.may_see(item.user_id) and not shared(item):
                continue
            if len(found) == limit:
                return Page(items=found, next_cursor=write_cursor(last))
            found.append(item)
            last = self._sequences[index]
        return Page(items=found)
