"""People who share their calls: in the list, and in every message of their run."""

from collections.abc import Callable, Sequence
from typing import Any

from cato_contracts.messages.calls import CallEvent
from cato_contracts.messages.runs import SubscriberResult
from tests.simulation.world.history import History


def relatives(history: History, people: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the further people of the list, who have the numbers of one of `people`."""
    return [
        {
            "fullName": f"N{no}-{place}",
            # In another order and form, which make no difference.
            "phones": [f"{number[:2]}-{number[2:]}" for number in reversed(people[no]["phones"])],
        }
        for no, others in enumerate(history.households())
        for place in others
    ]


class HouseholdWitness:
    """Checks that calls and results are those of first persons, for all of their households."""

    def __init__(self, history: History, violated: Callable[[str], None]) -> None:
        self._members = history.households()
        self._violated = violated

    def take(self, body: object) -> None:
        """Take a message of the run."""
        if not isinstance(body, CallEvent | SubscriberResult):
            return
        if body.no >= len(self._members):
            self._violated(f"{body} is of a person who shares the calls of another one")
            return
        members = self._members[body.no]
        if isinstance(body, SubscriberResult) and body.members != members:
            self._violated(f"{body} is not the result of the household {members}")
        elif isinstance(body, CallEvent) and body.contact is not None:
            names = [f"N{body.no}-{place}" for place in members]
            if body.contact.shared_with != names:
                self._violated(f"{body} does not name {names}")
