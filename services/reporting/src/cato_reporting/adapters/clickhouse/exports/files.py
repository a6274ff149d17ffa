"""The formats that are put together here; ClickHouse writes pages in Arrow's format for them.

A Parquet file ends with the positions of all its parts, an XLSX file is an archive. Each page is a row group
of the Parquet file. The rows of the XLSX file wait on the disk until the last one is there.

This module is imported for the first such file: Arrow takes 40 MB and a tenth of a second.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from cato_reporting.adapters.clickhouse.exports.columns import ArrowType
from cato_runtime.spreadsheets import XlsxFile

_PIECE = 4 * 1024 * 1024


class PagedFile(Protocol):
    """A file that takes pages and gives bytes."""

    def add(self, stream: bytes, *, last: bool) -> None:
        """Add a page of Arrow's stream format; the last one completes the file."""
        ...

    def taken(self) -> bytes:
        """Return the bytes that are ready, some MB at most; none when all were taken."""
        ...

    def close(self) -> None:
        """Release what the file holds."""
        ...


class ParquetFile:
    """A Parquet file whose bytes can be read while it is written."""

    def __init__(self, types: Mapping[str, ArrowType], repeated: Sequence[str]) -> None:
        self._schema = _schema(types)
        self._bytes = _Bytes()
        self._writer = ParquetWriter(
            self._bytes, self._schema, compression="zstd", use_dictionary=list(repeated)
        )

    def add(self, stream: bytes, *, last: bool) -> None:
        table = pa.ipc.open_stream(stream).read_all()
        if table.num_rows:
            self._writer.write_table(table.cast(self._schema))
        if last:
            self._writer.close()

    def taken(self) -> bytes:
        return self._bytes.taken()

    def close(self) -> None:
        """Do nothing: the bytes are in memory."""


class XlsxPages:
    """An XLSX file of pages; `time_zone` is the zone of its times."""

    def __init__(self, title: str, types: Mapping[str, ArrowType], time_zone: str) -> None:
        self._schema = _schema(types)
        self._file = XlsxFile(title, list(types), ZoneInfo(time_zone))
        self._complete = False

    def add(self, stream: bytes, *, last: bool) -> None:
        table = pa.ipc.open_stream(stream).read_all()
        if table.num_rows:
            columns = [column.to_pylist() for column in table.cast(self._schema).columns]
            self._file.add(zip(*columns, strict=True))
        if last:
            self._file.finish()
            self._complete = True

    def taken(self) -> bytes:
        return self._file.read(_PIECE) if self._complete else b""

    def close(self) -> None:
        self._file.close()


def _schema(types: Mapping[str, ArrowType]) -> Any:
    return pa.schema([pa.field(name, _arrow(type_)) for name, type_ in types.items()])


def _arrow(type_: ArrowType) -> Any:
    if type_ is ArrowType.STRINGS:
        return pa.list_(pa.string())
    if type_ is ArrowType.TIMESTAMP:
        return pa.timestamp("ms", "UTC")
    return pa.type_for_alias(type_.value)


class _Bytes(io.RawIOBase):
    """A writable file that drops the bytes that were read."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        part = bytes(content)
        self._parts.append(part)
        self._size += len(part)
        return len(part)

    def tell(self) -> int:
        return self._size

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)
