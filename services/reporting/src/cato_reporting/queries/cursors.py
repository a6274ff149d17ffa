"""Positions in lists that are ordered by time, and their cursors."""

from uuid import UUID

from cato_contracts.paging import number, read_cursor, write_cursor
from cato_reporting.ports import CallPosition

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


def _moment(text: str) -> int:
    moment = number(text)
    if moment > _LATEST_MS:
        msg = f"{text} is after every event"
        raise ValueError(msg)
    return moment
