"""Cursors: of lists that are ordered by time, and of the list of a run."""

from uuid import UUID

from cato_contracts.paging import number, read_cursor, write_cursor
from cato_reporting.ports import CallPosition

_LARGEST_NO = 9_999_999_999
_LATEST_MS = 7_258_118_400_000
"""2200-01-01, which no event comes after."""


def read_position(cursor: str | None) -> CallPosition | None:
    """Return the position of a cursor, None without one. Raises InvalidError for a foreign cursor."""
    if cursor is None:
        return None
    time_ms, list_id = read_cursor(cursor, _moment, UUID)
    return time_ms, list_id


def write_position(position: CallPosition | None) -> str | None:
    """Return the cursor of a position, None at the end of the list."""
    return None if position is None else write_cursor(*position)


def read_number(cursor: str | None) -> int:
    """Return the number of the last subscriber before the page, -1 without one. Raises as `read_position`."""
    return -1 if cursor is None else int(read_cursor(cursor, _subscriber_no)[0])


def read_number_position(cursor: str | None) -> tuple[int, int] | None:
    """Return the subscriber and the index of the last number before the page. Raises as `read_position`."""
    if cursor is None:
        return None
    no, phone_index = read_cursor(cursor, _subscriber_no, _subscriber_no)
    return no, phone_index


def _subscriber_no(text: str) -> int:
    no = number(text)
    if no > _LARGEST_NO:
        msg = f"{text} is no subscriber's number"
        raise ValueError(msg)
    return no


def _moment(text: str) -> int:
    moment = number(text)
    if moment > _LATEST_MS:
        msg = f"{text} is after every event"
        raise ValueError(msg)
    return moment
