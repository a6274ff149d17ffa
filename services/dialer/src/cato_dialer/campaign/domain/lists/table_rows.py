"""The subscribers of a table: a header, and a row for each of them."""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from cato_contracts.api.phone_numbers import is_extension_of
from cato_dialer.campaign.domain.lists.faults import UnreadableError

_COLUMNS = {"fullname": "fullName", "phones": "phones", "emails": "emails"}
_SEVERAL = re.compile(r"[;\n]")


class TableRows:
    """Yields the fields of the subscribers with their line."""

    what = "line"

    def __init__(self, cells: Iterable[tuple[int, list[str]]]) -> None:
        self._cells = cells
        self._header: list[str] = []
        self._columns: list[str] = []

    def column(self, field: str, item: int | None) -> str | None:  # noqa: ARG002 - of the latest row
        """Return the header of the column that a field of the latest row comes from."""
        return self._header[self._columns.index(field)] if field in self._columns else None

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        """Read one row at a time.

        Raises:
            UnreadableError: if the header is not that of a list, or a row has more cells than the header.

        """
        rows = iter(self._cells)
        self._header = next(rows, (1, []))[1]
        self._columns = columns = _columns(self._header)
        for line, row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) > len(columns):
                raise UnreadableError(
                    line, "more-cells-than-columns", f"{len(row)} columns where the header has {len(columns)}"
                )
            cells = dict(zip(columns, row, strict=False))
            yield (
                line,
                {
                    "fullName": cells.get("fullName", "").strip(),
                    "phones": _numbers(cells.get("phones", "")),
                    "emails": _addresses(cells.get("emails", "")),
                },
            )


def _columns(header: list[str]) -> list[str]:
    columns = []
    for name in header:
        column = _COLUMNS.get(name.strip().lower())
        if column is None or column in columns:
            raise UnreadableError(
                1, "header", f"column {name!r}: the header is fullName,phones,emails, each once"
            )
        columns.append(column)
    missing = [name for name in ("fullName", "phones") if name not in columns]
    if missing:
        raise UnreadableError(
            1, "header", f"the header lacks {' and '.join(missing)}: it is fullName,phones,emails"
        )
    return columns


def _numbers(cell: str) -> list[str]:
    """Split a cell of numbers at `;`, line breaks and commas, but not before what can be an extension."""
    if "," not in cell and "\n" not in cell:
        return [part.strip() for part in cell.split(";") if part.strip()]
    found: list[str] = []
    for several in _SEVERAL.split(cell):
        parts = [part.strip() for part in several.split(",") if part.strip()]
        if any(is_extension_of(before, part) for before, part in pairwise(parts)):
            parts = [several.strip()]
        found += parts
    return found


def _addresses(cell: str) -> list[str]:
    return [part.strip() for part in re.split(r"[;,\n]", cell) if part.strip()]
