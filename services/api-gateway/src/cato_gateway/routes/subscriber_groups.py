"""`/subscriber-groups`: lists of people (manual, 3.2)."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field, RootModel
from starlette.responses import Response

from cato_contracts.api.examples import GROUP_ID
from cato_contracts.api.exports import ExportDialect, ExportFormat
from cato_contracts.api.resources import Page, Subscriber, SubscriberGroup
from cato_contracts.errors import InvalidError
from cato_contracts.messages.campaign_commands import (
    AddSubscriberGroup,
    GetSubscriberGroup,
    ListFormat,
    ListSubscriberGroups,
    LocateSubscribers,
    RemoveSubscriberGroup,
    ReplaceSubscriberGroup,
)
from cato_contracts.model import Resource
from cato_gateway.http import bodies
from cato_gateway.http.conditional import IF_NONE_MATCH, WantedVersions
from cato_gateway.http.idempotency import IdempotencyKey
from cato_gateway.http.request_context import (
    API,
    Reader,
    RequestContext,
    ResourceId,
    Upload,
    Writer,
    json_answer,
)
from cato_gateway.http.streaming import Streamed, started
from cato_gateway.openapi import responses
from cato_gateway.openapi.content import binary_content, json_content, request_body, text_content
from cato_gateway.routes.history.exports import MEDIA_TYPES
from cato_gateway.routes.parameters import Cursor, Limit, NameInAddress, NamePart, UtcInstant
from cato_gateway.routes.subscriber_list import Subscribers, csv_lines, subscriber_page, xlsx_pieces

router = APIRouter(prefix=f"{API}/subscriber-groups", tags=["subscriber groups"], responses=responses.COMMON)

_FORMATS = {bodies.JSON: ListFormat.JSON, bodies.CSV: ListFormat.CSV}
_CSV = text_content(bodies.CSV, "fullName,phones,emails\nIvan Potapov,776429,\nOlga Popova,776413;776450,\n")
_FILES = _CSV | binary_content(MEDIA_TYPES[ExportFormat.XLSX])


class SubscriberGroupView(Resource):
    """A group; `url` is the address of its subscribers."""

    id: UUID = Field(examples=[GROUP_ID])
    """Chosen by the server."""

    name: str = Field(examples=["iskratech"])
    """A name of 1 to 200 characters, not only blanks."""

    url: str = Field(examples=[f"http://127.0.0.1:8080{API}/subscriber-groups/{GROUP_ID}/subscribers"])
    """The address of the content."""

    user_id: str = Field(examples=["user"])
    """The user that it belongs to: the token's own, or for administrators another one."""

    subscriber_count: int = Field(examples=[2])
    """The number of subscribers."""

    created_at: UtcInstant = Field(examples=["2024-03-24T08:00:00Z"])
    """When it was added."""

    @classmethod
    def of(cls, group: SubscriberGroup, context: RequestContext) -> Self:
        url = context.url(f"/subscriber-groups/{group.id}/subscribers")
        return cls(**group.model_dump(exclude={"version"}), url=url)


class SubscriberGroups(Page[SubscriberGroupView]):
    """A page of groups."""


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


_BODY = request_body(json_content(SubscriberList) | _CSV)


class ReadFormat(StrEnum):
    """The format of the subscribers: pages of JSON, or one file."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


async def _upload(context: RequestContext) -> tuple[ListFormat, Upload]:
    kind = _FORMATS[bodies.media_type(context.request, _FORMATS)]
    return kind, await context.upload(context.deps.config.limits.json_bytes)


@router.put(
    "/add/{name:path}",
    response_model=SubscriberGroupView,
    responses=responses.created(
        "get_subscriber_group", "list_subscribers", "replace_subscriber_group", "remove_subscriber_group"
    )
    | responses.errors(409, 413, 415),
    openapi_extra=_BODY,
)
async def add_subscriber_group(context: Writer, name: NameInAddress, key: IdempotencyKey = None) -> Response:
    """Add a group of subscribers: all of them, or none if one is invalid.

    JSON: an array, or several arrays one after another, which are joined. CSV: `fullName,phones,emails`
    with a header line, several values in a field with `;`.
    """
    kind, upload = await _upload(context)
    command = AddSubscriberGroup(actor=context.actor, name=name, format=kind, upload=upload.ref)
    return await context.carry_out_upload(
        upload, command, lambda group: SubscriberGroupView.of(group, context), key=key, kind=kind
    )


@router.put(
    "/{id}",
    response_model=SubscriberGroupView,
    responses=responses.versioned() | responses.errors(404, 409, 412, 413, 415),
    openapi_extra=_BODY,
)
async def replace_subscriber_group(
    context: Writer,
    id: ResourceId,  # noqa: A002
    if_version: WantedVersions,
    key: IdempotencyKey = None,
) -> Response:
    """Replace a group's subscribers; a run in progress keeps the subscribers that it started with."""
    kind, upload = await _upload(context)
    command = ReplaceSubscriberGroup(
        actor=context.actor, id=id, format=kind, upload=upload.ref, if_version=if_version
    )
    return await context.carry_out_upload(
        upload, command, lambda group: SubscriberGroupView.of(group, context), key=key, kind=kind
    )


@router.get("", response_model=SubscriberGroups)
async def list_subscriber_groups(
    context: Reader, limit: Limit = 100, cursor: Cursor = None, name: NamePart = None
) -> Response:
    """List groups."""
    query = ListSubscriberGroups(actor=context.actor, name=name, limit=limit, cursor=cursor)
    found = await context.ask(query)
    items = [SubscriberGroupView.of(group, context) for group in found.items]
    return json_answer(SubscriberGroups(items=items, next_cursor=found.next_cursor))


@router.get(
    "/{id}",
    response_model=SubscriberGroupView,
    responses=responses.read_once() | responses.errors(404),
    dependencies=[IF_NONE_MATCH],
)
async def get_subscriber_group(context: Reader, id: ResourceId) -> Response:  # noqa: A002
    """Describe a group."""
    group = await context.ask(GetSubscriberGroup(actor=context.actor, id=id))
    return context.show(group, SubscriberGroupView.of(group, context))


@router.get(
    "/{id}/subscribers",
    response_model=Subscribers,
    responses=responses.answer("A page, or all of it as a file.", _FILES) | responses.errors(404, 409),
)
async def list_subscribers(  # noqa: PLR0917 - parameters of the request
    context: Reader,
    id: ResourceId,  # noqa: A002
    limit: Limit = 100,
    cursor: Cursor = None,
    format: Annotated[ReadFormat, Query(description="A page, or all of it.")] = ReadFormat.JSON,  # noqa: A002
    dialect: Annotated[
        ExportDialect,
        Query(description="Of `format=csv`: `excel` has a byte order mark and `;` between columns."),
    ] = ExportDialect.STANDARD,
) -> Response:
    """List a group's subscribers in pages; `format=csv` and `format=xlsx` give all of them in one file."""
    excel = dialect is ExportDialect.EXCEL
    if excel and format is not ReadFormat.CSV:
        raise InvalidError(f"dialect=excel goes with format=csv only, not with format={format}")
    ref = await context.ask(LocateSubscribers(actor=context.actor, id=id))
    name = {"Content-Disposition": f'attachment; filename="{id}.{format}"'}
    if format is ReadFormat.CSV:
        lines = await started(csv_lines(context.deps.objects, ref, excel=excel))
        return Streamed(lines, MEDIA_TYPES[ExportFormat.CSV], name)
    if format is ReadFormat.XLSX:
        pieces = await started(xlsx_pieces(context.deps.objects, ref))
        return Streamed(pieces, MEDIA_TYPES[ExportFormat.XLSX], name)
    return json_answer(await subscriber_page(context.deps.lists, ref, limit, cursor))


@router.delete("/{id}", status_code=204, responses=responses.errors(404, 409, 412))
async def remove_subscriber_group(
    context: Writer,
    id: ResourceId,  # noqa: A002
    if_version: WantedVersions,
) -> Response:
    """Remove a group that no task uses."""
    return await context.remove(RemoveSubscriberGroup(actor=context.actor, id=id, if_version=if_version))
