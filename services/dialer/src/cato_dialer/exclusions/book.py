"""All exclusion lists in memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from cato_contracts.api.rules.exclusions import ExclusionChoice
from cato_contracts.numbering import Numbering
from cato_dialer.exclusions.changes import ListAdded
from cato_dialer.exclusions.number_set import Entry, NumberSet, PackedNumbers, pack

_REMEMBERED = 4_096


@dataclass(slots=True)
class _List:
    user_id: str
    system: bool
    numbers: NumberSet


class ExclusionBook:
    """The lists by their ids. Numbers come in any of their forms, and are compared by one."""

    def __init__(self, numbering: Numbering) -> None:
        self._numbering = numbering
        self._lists: dict[UUID, _List] = {}
        self._calls: set[UUID] = set()
        # The numbers of a call are looked up several times.
        self._key = lru_cache(_REMEMBERED)(lambda number: pack(numbering.canonical(number)))

    @property
    def empty(self) -> bool:
        return not self._lists

    def clear(self) -> None:
        """Forget all lists."""
        self._lists.clear()
        self._calls.clear()

    def add(self, added: ListAdded, numbers: NumberSet) -> None:
        self._lists[added.list_id] = _List(added.user_id, added.system, numbers)

    def remove(self, list_id: UUID) -> None:
        self._lists.pop(list_id, None)

    def put(self, list_id: UUID, entry: Entry) -> None:
        if entry.call_id is not None:
            self._calls.add(entry.call_id)
        if (known := self._lists.get(list_id)) is not None:
            known.numbers.put(replace(entry, number=self.canonical(entry.number)))

    def drop(self, list_id: UUID, number: str) -> None:
        if (known := self._lists.get(list_id)) is not None:
            known.numbers.drop(self.canonical(number))

    def knows_call(self, call_id: UUID) -> bool:
        """Tell whether this call ever put a number on a list, even if it was taken off since."""
        return call_id in self._calls

    def canonical(self, number: str) -> str:
        """Return the form by which a number is compared."""
        return self._numbering.canonical(number)

    def numbers(self, list_id: UUID) -> NumberSet | None:
        """Return the numbers of a list, in the form by which they are compared; None without such a list."""
        known = self._lists.get(list_id)
        return None if known is None else known.numbers

    def excluded(self, numbers: Iterable[str], choice: ExclusionChoice, at: float) -> frozenset[int]:
        """Return the indexes of the numbers that are excluded at a Unix time."""
        if choice.ignore:
            return frozenset()
        lists = list(self._heeded(choice))
        if not lists:
            return frozenset()
        keys = map(self._key, numbers)
        return frozenset(
            index for index, key in enumerate(keys) if any(one.holds_key(key, at) for one in lists)
        )

    def excluded_among(self, numbers: PackedNumbers, choice: ExclusionChoice, at: float) -> NDArray[np.bool_]:
        """Tell of each number, in the form of `canonical`, whether it is excluded at a Unix time."""
        found = np.zeros(len(numbers.keys), np.bool_)
        if not choice.ignore:
            for one in self._heeded(choice):
                found |= one.holding(numbers, at)
        return found

    def _heeded(self, choice: ExclusionChoice) -> Iterator[NumberSet]:
        for list_id, known in self._lists.items():
            if known.system or _chosen(choice, list_id, known.user_id):
                yield known.numbers


def _chosen(choice: ExclusionChoice, list_id: UUID, user_id: str) -> bool:
    return user_id == choice.user_id if choice.lists is None else list_id in choice.lists
