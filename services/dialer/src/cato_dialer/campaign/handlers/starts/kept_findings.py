"""What was found in the lists that were checked last: a list of 100,000 people is not read again."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Generic, TypeVar

from cato_contracts.api.rules.hours import LocalTime
from cato_contracts.objects import ObjectRef

Found = TypeVar("Found")

_Key = tuple[tuple[ObjectRef, ...], str]


class KeptFindings(Generic[Found]):
    """Keeps what was found in sets of lists, by where the lists are and how time zones are found.

    A list never changes where it is: a group that is replaced refers to another object.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[_Key, Found] = OrderedDict()

    def get(self, refs: Sequence[ObjectRef], local: LocalTime | None = None) -> Found | None:
        """Return what was found in the lists; None: it is not known, or not any more."""
        key = _key(refs, local)
        if (found := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, found: Found, refs: Sequence[ObjectRef], local: LocalTime | None = None) -> None:
        """Keep what was found; what was asked for the longest time ago is forgotten."""
        self._kept[_key(refs, local)] = found
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)


def _key(refs: Sequence[ObjectRef], local: LocalTime | None) -> _Key:
    return tuple(refs), "" if local is None else local.model_dump_json()
