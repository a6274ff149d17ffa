"""The faults of an uploaded list: all of them are counted, the first hundred are shown."""

from cato_contracts.errors import InvalidListError, ListFault
from cato_contracts.messages.campaign_commands import SubscriberListCheck

SHOWN = 100
_LONGEST_TEXT = 300
_LONGEST_NAME = 80


class UnreadableError(Exception):
    """The list cannot be read beyond a place; `rule` says why as a word."""

    def __init__(self, place: int | None, rule: str, message: str) -> None:
        super().__init__(message)
        self.place = place
        self.rule = rule
        self.message = message


class Faults:
    """Collects faults. `what` is the word for the place of a subscriber: "subscriber", "line" or "row".

    A subscriber of JSON is counted from 0, a line or a row of a table from 1.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self.shown: list[ListFault] = []
        self.count = 0

    def add(
        self,
        place: int | None,
        rule: str,
        message: str,
        *,
        field: str | None = None,
        column: str | None = None,
    ) -> None:
        self.count += 1
        if len(self.shown) == SHOWN:
            return
        in_json = self._what == "subscriber"
        self.shown.append(
            ListFault(
                index=place if in_json else None,
                row=None if in_json else place,
                field=_printable(field, _LONGEST_NAME),
                column=_printable(column, _LONGEST_NAME),
                rule=rule.replace("_", "-"),
                message=_printable(message, _LONGEST_TEXT) or "",
            )
        )


def refusal_of(check: SubscriberListCheck, what: str) -> InvalidListError:
    """Return the refusal of a list with faults: the first one in words, all that are shown as data."""
    first = check.faults[0]
    place = first.row if first.index is None else first.index
    where = f"{what} {place}: " if place is not None else ""
    field = f"{first.field}: " if first.field is not None else ""
    others = check.fault_count - 1
    more = f" (and {others} more fault{'s' if others > 1 else ''})" if others else ""
    return InvalidListError(
        f"{where}{field}{first.message}{more}", faults=check.faults, fault_count=check.fault_count
    )


def _printable(text: str | None, longest: int) -> str | None:
    """Return text that any encoder takes: lone surrogates escaped, and not too long."""
    if text is None:
        return None
    short = text if len(text) <= longest else f"{text[:longest]}…"
    return short.encode("utf-8", "backslashreplace").decode()
