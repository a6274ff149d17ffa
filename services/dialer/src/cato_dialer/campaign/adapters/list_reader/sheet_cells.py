"""The cells of an .xlsx workbook.

The library keeps a sheet in memory as a rectangle, and ends the process if that is too large: use it only in
a process of its own.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from cato_contracts.errors import InvalidError

_NO_WORKBOOK = "the list is not a workbook (.xlsx) that can be read"
_MOST_DIGITS = 15
"""A spreadsheet keeps so many digits of a number."""

Cell = int | float | str | bool | time | date | datetime | timedelta


def sheet_cells(source: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of the first visible sheet that has cells, with their numbers from 1.

    Raises:
        InvalidError: if it is no workbook, or none of its sheets has cells.

    """
    try:
        workbook = CalamineWorkbook.from_path(source)
        sheet = _first_with_cells(workbook)
    except (CalamineError, OSError, ValueError) as error:
        raise InvalidError(_NO_WORKBOOK) from error
    for row, cells in enumerate(sheet.iter_rows(), 1):
        yield row, [_text(cell) for cell in cells]


def _first_with_cells(workbook: CalamineWorkbook) -> CalamineSheet:
    for sheet in workbook.sheets_metadata:
        if sheet.typ is SheetTypeEnum.WorkSheet and sheet.visible is SheetVisibleEnum.Visible:
            found = workbook.get_sheet_by_name(sheet.name)
            if found.height:
                return found
    raise InvalidError("the workbook has no visible sheet with cells")


def _text(cell: Cell) -> str:
    """Return a cell as its sheet shows it, without the formats of the country."""
    match cell:
        case str():
            return cell
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() if cell.is_integer() and abs(cell) < 10**_MOST_DIGITS:
            return str(int(cell))
        case datetime() if cell.time() == time.min:
            return cell.date().isoformat()
        case datetime() | date() | time():
            return cell.isoformat()
        case _:
            return str(cell)
