"""The body of a group: JSON, CSV or a workbook, and what its parameters say about it."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Query
from pydantic import ConfigDict, RootModel

from cato_contracts.api.resources import Subscriber
from cato_contracts.errors import InvalidError
from cato_contracts.messages.campaign_commands import ListFormat
from cato_gateway.http import bodies
from cato_gateway.http.request_context import RequestContext, Upload
from cato_gateway.openapi.content import binary_content, json_content, request_body, text_content

_FORMATS = {
    bodies.JSON: ListFormat.JSON,
    bodies.CSV: ListFormat.CSV,
    bodies.TABS: ListFormat.CSV,
    bodies.XLSX: ListFormat.XLSX,
}
_FIELDS = {
    "fullname": "fullName",
    "name": "fullName",
    "phones": "phones",
    "phone": "phones",
    "emails": "emails",
    "email": "emails",
    "timezone": "timeZone",
    "consent": "consent",
}
_BETWEEN_FIELDS = re.compile(rf",(?=\s*(?:{'|'.join(_FIELDS)})\s*:)", re.IGNORECASE)
"""A comma that a field follows; others are parts of headers."""
CSV_EXAMPLE = "fullName,phones,emails\nIvan Potapov,776429,\nOlga Popova,776413;776450,\n"

DryRun = Annotated[
    bool,
    Query(
        alias="dryRun",
        description="Only check the list: the answer says how it is understood, and all faults.",
    ),
]
Columns = Annotated[
    str | None,
    Query(
        max_length=4000,
        description="The headers of a table's columns, where they do not say it themselves: `field:header`,"
        " separated by commas; the fields are `fullName`, `phones` (several headers), `emails`,"
        " `timeZone` and `consent`.",
        openapi_examples={"headers": {"value": "phones:Mobile,phones:Home,fullName:Person"}},
    ),
]


class SubscriberList(RootModel[list[Subscriber]]):
    """The subscribers of a group, as a client sends them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                [
                    {"fullName": "Ivan Potapov", "phones": "776429", "emails": ""},
                    {"fullName": "Olga Popova", "phones": ["776413", "776450"], "emails": ""},
                ]
            ]
        }
    )


BODY = request_body(
    json_content(SubscriberList)
    | text_content(bodies.CSV, CSV_EXAMPLE)
    | text_content(bodies.TABS, CSV_EXAMPLE.replace(",", "\t"))
    | binary_content(bodies.XLSX)
)


@dataclass(frozen=True, slots=True)
class ListUpload:
    """An uploaded list, and what the client says about it."""

    upload: Upload
    form: ListFormat
    charset: str | None
    columns: dict[str, list[str]] | None

    def fields(self) -> dict[str, Any]:
        """Return the fields of `UploadedList`."""
        return {
            "format": self.form,
            "upload": self.upload.ref,
            "charset": self.charset,
            "columns": self.columns,
        }

    def kind(self, *, dry_run: bool) -> str:
        """Return what a repeated request must have in common with the first one, besides its bytes."""
        more = [self.charset, self.columns, "dry run" if dry_run else None]
        return f"{self.form}" + "".join(f" {part}" for part in more if part)


async def receive_list(context: RequestContext, columns: str | None) -> ListUpload:
    """Stream the body into the object store.

    Raises:
        RefusedError: as `bodies.pieces`; `UnsupportedMediaError` for another type or an unknown charset;
            `InvalidError` for columns that cannot be read.

    """
    form = _FORMATS[bodies.media_type(context.request, _FORMATS)]
    charset = bodies.charset(context.request) if form is not ListFormat.XLSX else None
    wanted = _columns(columns) if columns else None
    if wanted is not None and form is ListFormat.JSON:
        raise InvalidError("columns: these are for tables; JSON has names of its own")
    upload = await context.upload(context.deps.config.limits.json_bytes)
    return ListUpload(upload, form, charset, wanted)


def _columns(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in _BETWEEN_FIELDS.split(text):
        field, colon, header = part.partition(":")
        meaning = _FIELDS.get(field.strip().lower())
        if meaning is None or not colon or not header.strip():
            raise InvalidError(
                f"columns should be field:header, separated by commas, with the fields fullName, phones,"
                f" emails, timeZone and consent, not {part[:60]!r}"
            )
        found.setdefault(meaning, []).append(header.strip())
    return found
