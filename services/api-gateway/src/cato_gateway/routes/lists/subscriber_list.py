"""A group's list of subscribers, read from the object store: in pages, or as a file."""

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import UTC
from uuid import UUID

from pydantic import Field, ValidationError

from cato_contracts.api.examples import SUBSCRIBER_ID
from cato_contracts.api.resources import Contact, Page
from cato_contracts.errors import ConflictError, InvalidError
from cato_contracts.model import Resource
from cato_contracts.objects import ObjectRef
from cato_contracts.paging import number, read_cursor, write_cursor
from cato_gateway.ports import Lists
from cato_runtime.objects import ObjectMissingError, ObjectStore
from cato_runtime.spreadsheets import XlsxFile, harmless, number_text

_FOREIGN = "cursor is not one that this list has returned"
_COLUMNS = ("fullName", "phones", "emails")
_WITH_ATTRIBUTES = b'"attributes":'
_OPTIONAL = {"time_zone": "timeZone", "consent": "consent"}
"""Fields that have a column only if a subscriber has them, and its header."""
_CSV_PIECE = 64 * 1024
_XLSX_ROWS = 1_000
_XLSX_PIECE = 256 * 1024


class SubscriberLine(Resource):
    """A subscriber of a group, with the id that calls show."""

    id: UUID = Field(examples=[SUBSCRIBER_ID])
    """Chosen by the server."""

    full_name: str = Field(examples=["Ivan Potapov"])
    """The person's name."""

    phones: list[str] = Field(examples=[["776429"]])
    """Numbers in the order in which they are called, until one call succeeds."""

    emails: list[str] = Field(examples=[[]])
    """Addresses; kept, and not used yet."""

    attributes: dict[str, str] = Field(
        default_factory=dict,
        exclude_if=lambda attributes: not attributes,
        examples=[{"Address": "12 High St"}],
    )
    """Further facts about the person, from the list; absent if there are none."""

    time_zone: str | None = Field(
        default=None, exclude_if=lambda zone: zone is None, examples=["Asia/Yekaterinburg"]
    )
    """The zone in which the person lives; absent if the list does not say it."""

    consent: str | None = Field(
        default=None,
        exclude_if=lambda consent: consent is None,
        examples=["Signed form of 2024-02-11, town hall"],
    )
    """Evidence that the person agreed to be called; absent if the list has none."""


class Subscribers(Page[SubscriberLine]):
    """A page of a group's subscribers."""


async def subscriber_page(lists: Lists, ref: ObjectRef, limit: int, cursor: str | None) -> Subscribers:
    """Return up to `limit` subscribers from the byte offset in the list that `cursor` holds.

    Raises:
        InvalidError: for a cursor that this operation has not returned.
        ConflictError: if the list was replaced since.

    """
    offset = _offset(cursor, ref) if cursor else 0
    items: list[SubscriberLine] = []
    async with aclosing(_lines(lists.pieces(ref, offset))) as lines:
        async for line in lines:
            if len(items) == limit:
                return Subscribers(items=items, next_cursor=write_cursor(offset, ref.name))
            contact = _contact(line, cursor)
            items.append(SubscriberLine(**contact.model_dump()))
            offset += len(line) + 1
    return Subscribers(items=items)


def _contact(line: bytes, cursor: str | None) -> Contact:
    try:
        return Contact.model_validate_json(line)
    except ValidationError as error:
        if cursor is None:
            raise
        raise InvalidError(_FOREIGN) from error  # it points into the middle of a line


async def csv_lines(objects: ObjectStore, ref: ObjectRef, *, excel: bool) -> AsyncIterator[bytes]:
    """Yield the whole list as CSV with a header line; `;` separates several values in a field.

    Attributes have columns of their own, which follow. `excel`: with a byte order mark, `;` between the
    columns, and numbers as text.
    """
    names, optional = await _more_columns(objects, ref)
    text = io.StringIO("\ufeff" if excel else "")
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text, delimiter=";" if excel else ",")
    writer.writerow([*_COLUMNS, *map(_OPTIONAL.__getitem__, optional), *map(harmless, names)])
    async with aclosing(_lines(objects.stream(ref))) as lines:
        async for line in lines:
            contact = Contact.model_validate_json(line)
            phones = ";".join(contact.phones)
            writer.writerow(
                [
                    harmless(contact.full_name),
                    number_text(phones) if excel else phones,
                    harmless(";".join(contact.emails)),
                    *(harmless(getattr(contact, field) or "") for field in optional),
                    *(harmless(contact.attributes.get(name, "")) for name in names),
                ]
            )
            if text.tell() >= _CSV_PIECE:
                yield text.getvalue().encode()
                text.seek(0)
                text.truncate()
    yield text.getvalue().encode()


async def xlsx_pieces(objects: ObjectStore, ref: ObjectRef) -> AsyncIterator[bytes]:
    """Yield the whole list as an XLSX file. Its rows wait on the disk, and threads write them."""
    names, optional = await _more_columns(objects, ref)
    headers = (*_COLUMNS, *map(_OPTIONAL.__getitem__, optional), *names)
    file = await asyncio.to_thread(XlsxFile, "Subscribers", headers, UTC)
    try:
        rows: list[list[str | list[str] | None]] = []
        async with aclosing(_lines(objects.stream(ref))) as lines:
            async for line in lines:
                contact = Contact.model_validate_json(line)
                more = [getattr(contact, field) for field in optional]
                more += [contact.attributes.get(name) for name in names]
                rows.append([contact.full_name, contact.phones, contact.emails, *more])
                if len(rows) >= _XLSX_ROWS:
                    await asyncio.to_thread(file.add, rows)
                    rows = []
        await asyncio.to_thread(file.add, rows)
        await asyncio.to_thread(file.finish)
        while piece := await asyncio.to_thread(file.read, _XLSX_PIECE):
            yield piece
    finally:
        await asyncio.to_thread(file.close)


async def _more_columns(objects: ObjectStore, ref: ObjectRef) -> tuple[list[str], list[str]]:
    """Return the names of the attributes, and the optional fields that anyone has."""
    names: dict[str, None] = {}
    found: set[str] = set()
    async with aclosing(_lines(objects.stream(ref))) as lines:
        async for line in lines:
            if _WITH_ATTRIBUTES in line:
                names |= dict.fromkeys(Contact.model_validate_json(line).attributes)
            found |= {
                field
                for field in _OPTIONAL.keys() - found
                if b'"%b":' % field.encode() in line and getattr(Contact.model_validate_json(line), field)
            }
    return list(names), [field for field in _OPTIONAL if field in found]


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    rest = b""
    try:
        async with aclosing(pieces):  # type: ignore[type-var]  # it is a generator
            async for piece in pieces:
                *whole, rest = (rest + piece).split(b"\n")
                for line in whole:
                    yield line
    except ObjectMissingError as error:
        raise ConflictError("the list was replaced while it was being read; begin again") from error
    if rest:
        yield rest


def _offset(cursor: str, ref: ObjectRef) -> int:
    offset, name = read_cursor(cursor, number, str)
    if name != ref.name:
        raise ConflictError("the list was replaced after the previous page; begin again without a cursor")
    if offset > ref.size:
        raise InvalidError(_FOREIGN)
    return int(offset)
