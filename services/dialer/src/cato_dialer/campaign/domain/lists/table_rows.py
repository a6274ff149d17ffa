"""The subscribers of a table: a header, and a row for each of them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from typing import Any

from cato_contracts.api.phone_numbers import is_extension_of
from cato_dialer.campaign.domain.lists.columns import Column, Mapped, Meaning, columns_of, is_header

_SEARCHED = 10
"""The header is one of the first rows that are not empty: a title may stand above it."""
_FORMULA_SIGNS = frozenset("=+-@＝＋－＠")
_SEVERAL = re.compile(r"[;\n]")
_ADDRESSES = re.compile(r"[;,\n]")


@dataclass(frozen=True, slots=True)
class Misfit:
    """A row whose cells do not fit the header."""

    rule: str
    message: str


class TableRows:
    """Yields the fields of the subscribers with their row. `what` is the word for a row, "line" in CSV."""

    def __init__(
        self, cells: Iterable[tuple[int, list[str]]], mapped: Mapped | None = None, what: str = "line"
    ) -> None:
        self.what = what
        self.columns: list[Column] = []
        self._cells = cells
        self._mapped = mapped
        self._numbers: list[tuple[int, list[str]]] = []
        self._by_meaning: dict[Meaning, list[int]] = {}
        self._attributes: list[tuple[int, str]] = []

    def column(self, field: str, item: int | None) -> str | None:
        """Return the header of the column that a field, or an item of it, of the latest row comes from."""
        if field == Meaning.PHONES and item is not None:
            for index, numbers in self._numbers:
                if item < len(numbers):
                    return self.columns[index].header
                item -= len(numbers)
        if field == Meaning.ATTRIBUTE:
            return None
        indexes = self._indexes(Meaning.FULL_NAME) or self._indexes(Meaning.NAME_PART)
        if field != Meaning.FULL_NAME:
            indexes = self._indexes(Meaning(field)) if field in set(Meaning) else []
        return self.columns[indexes[0]].header if indexes else None

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        """Read one row at a time.

        Raises:
            UnreadableError: if the header is not that of a list.

        """
        filled = ((row, cells) for row, cells in self._cells if any(cell.strip() for cell in cells))
        first: list[tuple[int, list[str]]] = []
        at = 0
        for place, cells in islice(filled, _SEARCHED):
            first.append((place, cells))
            if is_header(cells, self._mapped):
                at = len(first) - 1
                break
        row, header = first[at] if first else (1, [])
        self.columns = columns_of(header, row, self._mapped)
        for index, column in enumerate(self.columns):
            self._by_meaning.setdefault(column.meaning, []).append(index)
            if column.meaning is Meaning.ATTRIBUTE:
                self._attributes.append((index, column.header))
        for row, cells in chain(first[at + 1 :], filled):
            yield row, self._misfit(cells) or self._fields(cells)

    def _fields(self, cells: Sequence[str]) -> dict[str, Any]:
        cells = [*cells, *[""] * (len(self.columns) - len(cells))]
        names = self._indexes(Meaning.FULL_NAME) or self._indexes(Meaning.NAME_PART)
        self._numbers = [(index, _numbers(cells[index])) for index in self._indexes(Meaning.PHONES)]
        fields: dict[str, Any] = {
            "fullName": " ".join(part for index in names if (part := _plain(cells[index]))),
            "phones": [number for _, numbers in self._numbers for number in numbers],
            "emails": [
                address
                for index in self._indexes(Meaning.EMAILS)
                for part in _ADDRESSES.split(cells[index])
                if (address := _plain(part))
            ],
        }
        for meaning in (Meaning.TIME_ZONE, Meaning.CONSENT):
            for index in self._indexes(meaning):
                if text := _plain(cells[index]):
                    fields[meaning.value] = text
        if self._attributes:
            attributes = {name: text for index, name in self._attributes if (text := _plain(cells[index]))}
            if attributes:
                fields["attributes"] = attributes
        return fields

    def _misfit(self, cells: Sequence[str]) -> Misfit | None:
        columns = len(self.columns)
        filled = len(cells)
        if filled > columns:
            while filled and not cells[filled - 1].strip():
                filled -= 1
            if filled > columns:
                return Misfit("more-cells-than-columns", f"{filled} columns where the header has {columns}")
        for index in self._indexes(Meaning.NOTHING):
            if index < len(cells) and cells[index].strip():
                return Misfit("cell-without-header", f"the column {index + 1} has no header")
        return None

    def _indexes(self, meaning: Meaning) -> list[int]:
        return self._by_meaning.get(meaning, [])


def _plain(cell: str) -> str:
    """Return the text of a cell without the apostrophe that keeps it from being a formula (OWASP)."""
    text = cell.strip()
    return text[1:] if text.startswith("'") and text[1:2] in _FORMULA_SIGNS else text


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
