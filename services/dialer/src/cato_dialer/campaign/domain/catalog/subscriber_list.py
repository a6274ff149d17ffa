"""Uploaded lists of subscribers: read, validated, and written as they are stored."""

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import to_json

from cato_contracts.api.resources import Subscriber
from cato_contracts.errors import InvalidError, TooLargeError
from cato_contracts.ids import derived_id
from cato_contracts.messages.campaign_commands import ListFormat

_BLANKS = re.compile(r"[ \t\r\n]*")
_COLUMNS = {"fullname": "fullName", "phones": "phones", "emails": "emails"}
_SEVERAL = re.compile(r"[;,\n]")


def contacts(content: bytes, form: ListFormat, group_id: UUID, limit: int) -> tuple[bytes, int]:
    """Return the list as JSON lines of `Contact`, and the number of lines.

    The id of a contact is derived from the group, the index in the list, the name and the numbers. The list
    is read one subscriber at a time: a single step for the whole list would block every other thread.

    Raises:
        InvalidError: naming the first invalid subscriber (from 0; in CSV the line, from 1) and the field.
        TooLargeError: if there are more than `limit` subscribers.

    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidError(f"the list is not in UTF-8: byte {error.start}") from error
    found = _from_json(text) if form is ListFormat.JSON else _from_csv(text)
    lines = io.BytesIO()
    group = str(group_id)
    count = 0
    for where, fields in found:
        if count == limit:
            raise TooLargeError(f"a group has at most {limit} subscribers")
        subscriber = _validated(where, fields)
        name, phones = subscriber.full_name, subscriber.phones
        # The fields of `Contact` without the model, whose cost is noticeable with 100,000 subscribers.
        contact = {
            "full_name": name,
            "phones": phones,
            "emails": subscriber.emails,
            "id": derived_id(group, count, name, *phones),
        }
        lines.write(to_json(contact))
        lines.write(b"\n")
        count += 1
    return lines.getvalue(), count


def _validated(where: str, fields: object) -> Subscriber:
    try:
        return Subscriber.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        reason = first["msg"].removeprefix("Value error, ")
        if not first["loc"]:
            raise InvalidError(f"{where}: must be an object with fullName, phones and emails") from error
        raise InvalidError(f"{where}: {to_camel(str(first['loc'][0]))}: {reason}") from error


def _from_json(text: str) -> Iterator[tuple[str, Any]]:
    """Yield the elements of all arrays, which follow each other in the text."""
    decoder = json.JSONDecoder()
    at = _after_blanks(text, 0)
    if at == len(text):
        raise InvalidError("the list is empty: a JSON array of subscribers is expected")
    index = 0
    while at < len(text):
        if text[at] != "[":
            raise InvalidError(f"a JSON array of subscribers is expected at character {at}")
        at = _after_blanks(text, at + 1)
        if text[at : at + 1] == "]":
            at = _after_blanks(text, at + 1)
            continue
        while True:
            try:
                element, at = decoder.raw_decode(text, at)
            except json.JSONDecodeError as error:
                raise InvalidError(
                    f"subscriber {index}: broken JSON: {error.msg} at character {error.pos}"
                ) from error
            except RecursionError as error:
                raise InvalidError(f"subscriber {index}: the JSON is nested too deeply") from error
            yield f"subscriber {index}", element
            index += 1
            at = _after_blanks(text, at)
            separator = text[at : at + 1]
            at = _after_blanks(text, at + 1)
            if separator == "]":
                break
            if separator != ",":
                raise InvalidError(f"subscriber {index - 1}: broken JSON after it: , or ] is expected")


def _after_blanks(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return match.end() if match else at


def _from_csv(text: str) -> Iterator[tuple[str, Any]]:
    """Yield the rows. As Excel writes them, `;` may separate columns and `sep=;` may be the first line."""
    first, _, rest = text.partition("\n")
    skipped = 0
    delimiter = ""
    if first.startswith("sep="):
        delimiter = first[4:5]
        text, skipped = rest, 1
        first = rest.partition("\n")[0]
    if not delimiter.strip():
        delimiter = ";" if ";" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = _columns(next(reader, []))
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            where = f"line {reader.line_num + skipped}"
            if len(row) > len(columns):
                raise InvalidError(f"{where}: {len(row)} columns where the header has {len(columns)}")
            cells = dict(zip(columns, row, strict=False))
            yield (
                where,
                {
                    "fullName": cells.get("fullName", "").strip(),
                    "phones": _several(cells.get("phones", "")),
                    "emails": _several(cells.get("emails", "")),
                },
            )
    except csv.Error as error:
        raise InvalidError(f"line {reader.line_num + skipped}: {error}") from error


def _columns(header: list[str]) -> list[str]:
    columns = []
    for name in header:
        column = _COLUMNS.get(name.strip().lower())
        if column is None or column in columns:
            raise InvalidError(f"line 1: column {name!r}: the header is fullName,phones,emails, each once")
        columns.append(column)
    missing = [name for name in ("fullName", "phones") if name not in columns]
    if missing:
        raise InvalidError(f"line 1: the header lacks {' and '.join(missing)}: it is fullName,phones,emails")
    return columns


def _several(cell: str) -> list[str]:
    return [part.strip() for part in _SEVERAL.split(cell) if part.strip()]
