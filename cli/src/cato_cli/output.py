"""Results as tables for people and as JSON for programs."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from rich.markup import escape
from rich.table import Table

from cato_cli.session import Session


def print_json(value: BaseModel | Sequence[BaseModel] | dict[str, Any], *, line: bool = False) -> None:
    """Print JSON with the names of the API; `line`: on one line."""
    found: Any = value
    if isinstance(value, BaseModel):
        found = value.model_dump(mode="json", by_alias=True)
    elif not isinstance(value, dict):
        found = [each.model_dump(mode="json", by_alias=True) for each in value]
    sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=None if line else 2) + "\n")
    sys.stdout.flush()


def print_done(resource_id: object, *, as_json: bool) -> None:
    """Print for programs what was acted on; people see nothing when all is well."""
    if as_json:
        print_json({"id": str(resource_id)})


def print_table(
    session: Session, headers: Sequence[str], rows: Iterable[Sequence[object]], empty: str
) -> None:
    """Print a table, or a sentence if there are no rows."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in rows:
        table.add_row(*(cell(value) for value in row))
    if table.row_count:
        session.console.print(table)
    else:
        session.console.print(empty)


def cell(value: object) -> str:
    """Return a value as text without markup; times are those of this computer."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        case list() | tuple():
            return escape(", ".join(str(each) for each in value))
    return escape(str(value))


def seconds(milliseconds: int | None) -> str:
    """Return a duration for people."""
    return "" if milliseconds is None else f"{milliseconds / 1000:.1f} s"


def save(pieces: Iterable[bytes], file: Path) -> int:
    """Write a file; a file that is not complete is removed. Return its size."""
    size = 0
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as out:
            for piece in pieces:
                size += out.write(piece)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return size
