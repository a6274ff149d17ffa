"""People of a list who share their calls."""

from cato_contracts.api.resources import Contact
from cato_contracts.messages.runs import RunSubscriber


def household(people: list[RunSubscriber], sharing: int) -> list[RunSubscriber]:
    """Have the last people share the calls of the first one."""
    if not sharing:
        return people
    first, last = people[0], people[-sharing:]
    members = [first, *last]
    shared = [
        person.model_copy(
            update={
                "phones": first.phones,
                "household": first.id,
                "household_no": first.no,
                "shared_with": [other.full_name for other in members if other is not person],
                "members": [other.no for other in last] if person is first else [],
            }
        )
        for person in members
    ]
    return [shared[0], *people[1:-sharing], *shared[1:]]


def contact_of(person: RunSubscriber) -> Contact:
    return Contact(
        full_name=person.full_name,
        phones=person.phones,
        emails=person.emails,
        shared_with=person.shared_with,
        id=person.id,
    )
