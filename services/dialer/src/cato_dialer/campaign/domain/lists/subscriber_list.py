"""What a client sends as a list of subscribers, and how it is opened."""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import UUID

from cato_contracts.messages.campaign_commands import (
    ListColumn,
    ListedSubscriber,
    ListFormat,
    SubscriberListCheck,
)
from cato_contracts.model import Frozen
from cato_dialer.campaign.domain.lists.charset import decoded
from cato_dialer.campaign.domain.lists.csv_cells import csv_cells
from cato_dialer.campaign.domain.lists.json_rows import JsonRows
from cato_dialer.campaign.domain.lists.read_list import Rows, read_list
from cato_dialer.campaign.domain.lists.table_rows import TableRows


class ListOrder(Frozen):
    """A list to read: its format, what the client says about it, its group, and the most subscribers."""

    format: ListFormat
    charset: str | None = None
    columns: dict[str, list[str]] | None = None
    group_id: UUID
    limit: int


class SheetCells(Protocol):
    """Reads the cells of a workbook."""

    def __call__(self, source: Path) -> Iterable[tuple[int, list[str]]]:
        """Return the rows of the first sheet that has cells, with their numbers from 1.

        Raises:
            InvalidError: if it is no workbook, or none of its sheets has cells.

        """
        ...


def read_upload(
    source: Path, lines: BinaryIO, order: ListOrder, sheet_cells: SheetCells
) -> SubscriberListCheck:
    """Write the list as JSON lines of `Contact`; they are of use only if there are no faults.

    Raises:
        InvalidError: if it is no list at all: in another encoding, or no workbook.
        TooLargeError: if there are too many subscribers.

    """
    rows, charset = _opened(source, order, sheet_cells)
    reading = read_list(rows, lines, group_id=order.group_id, limit=order.limit)
    return SubscriberListCheck(
        subscriber_count=reading.count,
        charset=charset,
        columns=_columns(rows),
        subscribers=[ListedSubscriber(**one.model_dump()) for one in reading.first],
        faults=reading.faults.shown,
        fault_count=reading.faults.count,
        duplicates=reading.duplicates,
    )


def _opened(source: Path, order: ListOrder, sheet_cells: SheetCells) -> tuple[Rows, str | None]:
    if order.format is ListFormat.XLSX:
        return TableRows(sheet_cells(source), order.columns, what="row"), None
    # JSON is in UTF-8 (RFC 8259, 8.1) unless the client says otherwise.
    charset = order.charset or ("utf-8" if order.format is ListFormat.JSON else None)
    text, charset = decoded(source.read_bytes(), charset)
    if order.format is ListFormat.JSON:
        return JsonRows(text), charset
    return TableRows(csv_cells(text, order.columns), order.columns), charset


def _columns(rows: Rows) -> list[ListColumn]:
    if not isinstance(rows, TableRows):
        return []
    return [ListColumn(header=column.header, meaning=column.meaning) for column in rows.columns]
