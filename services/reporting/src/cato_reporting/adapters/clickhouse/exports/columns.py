"""The columns of exports, and their SQL in each format.

Text formats are written by ClickHouse itself. CSV of both dialects has no text that a spreadsheet program
takes for a formula. In Excel's dialect times are local times without a zone, and a number is text where Excel
would change it: with a `+`, with a leading zero, or longer than the 11 digits that it shows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum

from pydantic import BaseModel

from cato_contracts.api.exports import ExportFormat
from cato_reporting.ports import Layout
from cato_runtime.spreadsheets import FORMULA_SIGNS, SHOWN_DIGITS


class Content(Enum):
    """What a column holds, as far as a format cares."""

    VALUE = "value"
    TIME = "time"
    TEXT = "text"
    """Written by people: it may begin like a formula."""
    NUMBER = "number"
    """A telephone number, or keys: digits that are text."""
    TEXTS = "texts"
    NUMBERS = "numbers"
    FACTS = "facts"
    """Texts by their names: an object in JSON, its text in other formats, empty without any."""


class ArrowType(StrEnum):
    """The type of a column in Parquet, by Arrow's name; the library itself is imported for the first file."""

    STRING = "string"
    STRINGS = "list<string>"
    BOOL = "bool"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    INT64 = "int64"
    TIMESTAMP = "timestamp[ms, tz=UTC]"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its expression over the tables, its type in Parquet, and what it holds."""

    sql: str
    type: ArrowType
    content: Content = Content.VALUE


@dataclass(frozen=True, slots=True)
class Table:
    """What an export has: its columns, in the order of the fields of `record`, which names them.

    `repeated` are columns whose values repeat: a dictionary saves space in Parquet.
    """

    title: str
    record: type[BaseModel]
    columns: Mapping[str, Column]
    repeated: Sequence[str]

    @property
    def names(self) -> dict[str, str]:
        """The names of the columns in the file."""
        return {name: field.alias or name for name, field in self.record.model_fields.items()}

    @property
    def types(self) -> dict[str, ArrowType]:
        """The types of the columns by their names in the file."""
        names = self.names
        return {names[name]: column.type for name, column in self.columns.items()}


def select(columns: Mapping[str, Column], layout: Layout) -> str:
    """Return the expressions of the columns, named c0, c1, ...: they must not clash with the tables'."""
    return ", ".join(f"{_sql(each, layout)} AS c{place}" for place, each in enumerate(columns.values()))


def _sql(column: Column, layout: Layout) -> str:
    sql, content = column.sql, column.content
    if content is Content.FACTS and layout.format is not ExportFormat.JSONL:
        return f"if(empty({sql}), '', toJSONString({sql}))"
    if layout.format is not ExportFormat.CSV:
        return sql
    if content in {Content.TEXTS, Content.NUMBERS}:
        sql = f"arrayStringConcat({sql}, ';')"
    if content in {Content.TEXT, Content.TEXTS}:
        return _harmless(sql)
    if content in {Content.NUMBER, Content.NUMBERS} and layout.excel:
        return _number(sql)
    if content is Content.TIME and layout.excel:
        # A null stays null; the zone must be a constant, which a parameter is.
        return f"formatDateTime({sql}, '%Y-%m-%d %H:%i:%S', {{zone:String}})"
    return sql


_SIGNS = FORMULA_SIGNS.replace("-", "\\-")


def _harmless(sql: str) -> str:
    """Return the expression with an apostrophe in front where it begins like a formula."""
    return f"if(match({sql}, '^[{_quoted(_SIGNS)}]'), concat('\\'', {sql}), {sql})"


def _number(sql: str) -> str:
    changed = f"match({sql}, '^[+0]') OR length({sql}) > {SHOWN_DIGITS}"
    return f"if({changed}, concat('\\'', {sql}), {sql})"


def _quoted(text: str) -> str:
    """Return text for a literal of SQL."""
    for character, written in (("\\", "\\\\"), ("\t", "\\t"), ("\r", "\\r"), ("\n", "\\n")):
        text = text.replace(character, written)
    return text
