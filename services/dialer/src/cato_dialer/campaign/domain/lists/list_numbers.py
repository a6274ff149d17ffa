"""Which subscribers of a list have no number left, once some numbers may not be called."""

import json
from array import array
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cato_dialer.campaign.domain.lists.duplicates import person_key
from cato_dialer.exclusions.number_set import PackedNumbers

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ListNumbers:
    """The numbers of a list, packed, in the form by which they are compared.

    `owners` has the place of each number's subscriber. A mask says of each number whether it is meant.
    """

    numbers: PackedNumbers = field(default_factory=PackedNumbers.of)
    owners: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))

    @classmethod
    def of(cls, lists: Iterable[bytes], canonical: Callable[[str], str]) -> Self:
        """Return the numbers of JSON lines of `Contact`; repeated entries are left out, as at a start."""
        people: set[str] = set()
        numbers: list[str] = []
        owners = array("i")
        for content in lists:
            for line in content.splitlines():
                contact = json.loads(line)
                key = person_key(contact["full_name"], contact["phones"])
                if key in people:
                    continue
                owners.extend([len(people)] * len(contact["phones"]))
                people.add(key)
                numbers += map(canonical, contact["phones"])
        return cls(PackedNumbers.of(numbers), np.array(owners, np.int32))

    def among(self, numbers: Collection[str]) -> Mask:
        """Return the mask of those among `numbers`, which have the form by which they are compared."""
        packed = PackedNumbers.of(numbers)
        found = np.isin(self.numbers.keys, packed.keys)
        long = set(packed.long.values())
        for place, number in self.numbers.long.items():
            found[place] = number in long
        return found

    def without_any_but(self, mask: Mask) -> int:
        """Return how many subscribers have no numbers but those of the mask."""
        total = np.bincount(self.owners)
        meant = np.bincount(self.owners[mask], minlength=len(total))
        return int(np.count_nonzero((total > 0) & (meant == total)))
