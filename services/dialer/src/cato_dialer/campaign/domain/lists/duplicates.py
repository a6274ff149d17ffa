"""What occurs more than once in a list: people, and numbers of several people."""

from cato_contracts.api.rules.duplicates import ListDuplicates


class Duplicates:
    """Counts entries that repeat an earlier one, and numbers that belong to more than one person.

    Two entries with the same name and the same numbers, in any order, are one person, as in `snapshot_list`.
    """

    def __init__(self) -> None:
        self._people: set[int] = set()
        self._owners: dict[str, int] = {}
        self._shared: set[str] = set()
        self._repeated = 0

    def add(self, full_name: str, phones: list[str]) -> None:
        person = hash(person_key(full_name, phones))
        if person in self._people:
            self._repeated += 1
            return
        self._people.add(person)
        for phone in phones:
            if self._owners.setdefault(phone, person) != person:
                self._shared.add(phone)

    def found(self) -> ListDuplicates:
        return ListDuplicates(persons=self._repeated, numbers=len(self._shared))


def person_key(full_name: str, phones: list[str]) -> str:
    """Return what tells one person from another."""
    return "\n".join((full_name.strip(), *sorted(phones)))
