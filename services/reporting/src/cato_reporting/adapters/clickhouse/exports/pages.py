"""Files written page by page, each page by a query of its own.

So the memory of an export, here and in ClickHouse, does not depend on its number of rows. A single query
would have to sort all rows, and the embedded engine holds the complete result of a format that has a header
and a footer. No query stays open between two pages, even if the client fetches them slowly. A page shows its
rows at the time when it is written; an export is not a snapshot of one moment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from clickhouse_connect.driver.client import Client

from cato_contracts.api.exports import ExportFormat
from cato_reporting.adapters.clickhouse.exports.columns import Table, select
from cato_reporting.adapters.clickhouse.statistics import check_zone
from cato_reporting.adapters.clickhouse.threads import ClickHouseThreads
from cato_reporting.ports import Layout

if TYPE_CHECKING:
    from cato_reporting.adapters.clickhouse.exports.files import PagedFile

PAGE = 30_000
"""Rows per page, some 12 MB of text; a third of them takes nearly as long."""

XLSX_PAGE = 3_000
"""Rows per page of an XLSX file: Python writes its cells, some 10 microseconds each."""

_BOM = "\ufeff".encode()
_SETTINGS = """
SETTINGS
    date_time_output_format = 'iso', format_csv_null_representation = '',
    output_format_json_quote_64bit_integers = 0,
    output_format_arrow_string_as_string = 1, output_format_arrow_compression_method = 'none'
"""
_EXCEL = "    , format_csv_delimiter = ';', output_format_csv_crlf_end_of_line = 1\n"


@dataclass(frozen=True, slots=True)
class Page:
    """The query of a page, with its parameters; `last`: no rows follow."""

    sql: str
    values: Mapping[str, Any]
    last: bool


class Source(Protocol):
    """Gives the pages of a table in order."""

    table: Table

    def next_page(self, client: Client, select: str, size: int) -> Page:
        """Return the query of the next `size` rows; `select`: the expressions of the columns, c0, c1, ..."""
        ...

    def confirm(self) -> None:
        """Move on: the page was written."""
        ...


class ClickHousePages:
    """One export; calls of `read` must not overlap."""

    def __init__(self, threads: ClickHouseThreads, source: Source, layout: Layout) -> None:
        self._threads = threads
        self._source = source
        self._layout = layout
        self._begun = False
        self._ended = False
        self._file: PagedFile | None = None
        if layout.format in {ExportFormat.PARQUET, ExportFormat.XLSX}:
            self._file = _paged_file(source.table, layout)

    async def read(self) -> bytes | None:
        if not self._ended:
            return await self._threads.run(self._read)
        if self._file is None:
            return None
        return await self._threads.run(lambda _: self._file.taken() if self._file else b"") or None

    async def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            await self._threads.run(lambda _: file.close())

    def _read(self, client: Client) -> bytes:
        source, layout = self._source, self._layout
        if layout.excel and not self._begun:
            check_zone(client, layout.time_zone)
        size = XLSX_PAGE if layout.format is ExportFormat.XLSX else PAGE
        page = source.next_page(client, select(source.table.columns, layout), size)
        named = ", ".join(f"c{place} AS {name}" for place, name in enumerate(source.table.names.values()))
        sql = f"SELECT {named} FROM ({page.sql}) ORDER BY place{_SETTINGS}"  # noqa: S608 - our own words
        if layout.excel:
            sql += _EXCEL
        content = self._written(client, sql, dict(page.values) | {"zone": layout.time_zone}, last=page.last)
        source.confirm()
        self._begun, self._ended = True, page.last
        return content

    def _written(self, client: Client, sql: str, values: dict[str, Any], *, last: bool) -> bytes:
        if self._file is not None:
            self._file.add(client.raw_query(sql, values, fmt="ArrowStream"), last=last)
            return self._file.taken()
        if self._layout.format is ExportFormat.JSONL:
            return client.raw_query(sql, values, fmt="JSONEachRow")
        if self._begun:
            return client.raw_query(sql, values, fmt="CSV")
        content = client.raw_query(sql, values, fmt="CSVWithNames")
        return _BOM + content if self._layout.excel else content


def _paged_file(table: Table, layout: Layout) -> "PagedFile":
    # Imported for the first file: it needs Arrow.
    from cato_reporting.adapters.clickhouse.exports.files import ParquetFile, XlsxPages  # noqa: PLC0415

    if layout.format is ExportFormat.XLSX:
        return XlsxPages(table.title, table.types, layout.time_zone)
    return ParquetFile(table.types, [table.names[name] for name in table.repeated])
