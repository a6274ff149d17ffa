"""The counts of lists that were checked last: a check need not read a list of 100,000 people again."""

from collections import OrderedDict
from collections.abc import Sequence

from cato_contracts.api.rules.hours import LocalTime
from cato_contracts.objects import ObjectRef
from cato_dialer.campaign.domain.forecast import ListCounts

_MOST = 64

_Key = tuple[tuple[ObjectRef, ...], str]


class KeptCounts:
    """Keeps the counts of 64 sets of lists, by where the lists are and how time zones are found.

    A list never changes where it is: a group that is replaced refers to another object.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, ListCounts] = OrderedDict()

    def get(self, refs: Sequence[ObjectRef], local: LocalTime | None) -> ListCounts | None:
        """Return the counts of the lists; None: they are not known, or not any more."""
        key = _key(refs, local)
        if (counts := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
        return counts

    def keep(self, refs: Sequence[ObjectRef], local: LocalTime | None, counts: ListCounts) -> None:
        """Keep the counts; those that were asked for the longest time ago are forgotten."""
        self._kept[_key(refs, local)] = counts
        if len(self._kept) > _MOST:
            self._kept.popitem(last=False)


def _key(refs: Sequence[ObjectRef], local: LocalTime | None) -> _Key:
    return tuple(refs), "" if local is None else local.model_dump_json()
