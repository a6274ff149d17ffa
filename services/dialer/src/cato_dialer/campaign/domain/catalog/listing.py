"""Collections as clients page through them: in the order of creation, by name, by owner."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from bisect import bisect_right
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from cato_contracts.errors import InvalidError
from cato_contracts.requests import Actor
from cato_contracts.resources import Page


class Listed(Protocol):
    """What a collection holds."""

    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def user_id(self) -> str: ...


V = TypeVar("V", bound=Listed)


class Collection(Generic[V]):
    """Resources by the sequence of the commit that created them, which is also what a cursor says."""

    def __init__(self) -> None:
        self._sequences: list[int] = []
        self._ids: dict[int, UUID] = {}
        self._created: dict[UUID, int] = {}
        self._items: dict[UUID, V] = {}

    def put(self, item: V, sequence: int) -> None:
        """Keep a new resource, or a newer state of one; sequences only rise."""
        if item.id not in self._created:
            self._created[item.id] = sequence
            self._sequences.append(sequence)
            self._ids[sequence] = item.id
        self._items[item.id] = item

    def drop(self, resource_id: UUID) -> None:
        # Its sequence stays: a cursor may stand on it.
        self._items.pop(resource_id, None)

    def get(self, resource_id: UUID) -> V | None:
        return self._items.get(resource_id)

    def all(self) -> list[V]:
        return list(self._items.values())

    def page(self, actor: Actor, *, name: str | None, limit: int, cursor: str | None) -> "Page[V]":
        """Return those that the actor may see; `name` is part of the name, in any case.

        Raises:
            InvalidError: if the cursor is none of ours.

        """
        place = bisect_right(self._sequences, _sequence(cursor)) if cursor else 0
        wanted = name.casefold() if name else ""
        found: list[V] = []
        last = 0
        for sequence in self._sequences[place:]:
            item = self._items.get(self._ids[sequence])
            if item is None or not actor.may_see(item.user_id) or wanted not in item.name.casefold():
                continue
            if len(found) == limit:
                return Page(items=found, next_cursor=_cursor(last))
            found.append(item)
            last = sequence
        return Page(items=found)


def _cursor(sequence: int) -> str:
    return urlsafe_b64encode(f"after:{sequence}".encode()).decode().rstrip("=")


def _sequence(cursor: str) -> int:
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        word, _, number = text.partition(":")
        if word != "after" or not number.isascii() or not number.isdigit():
            raise InvalidError("cursor: not one that a list has returned")
        return int(number)
    except (Base64Error, ValueError) as error:
        raise InvalidError("cursor: not one that a list has returned") from error
