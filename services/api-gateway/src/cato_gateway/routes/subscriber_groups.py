"""`/subscriber-groups`: lists of people (manual, 3.2)."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from cato_contracts.api.examples import GROUP_ID
from cato_contracts.api.exports import ExportDialect, ExportFormat
from cato_contracts.api.resources import Page, SubscriberGroup
from cato_contracts.api.rules.duplicates import ListDuplicates
from cato_contracts.errors import InvalidError
from cato_contracts.messages.campaign_commands import (
    AddSubscriberGroup,
    CheckSubscriberList,
    GetSubscriberGroup,
    ListSubscriberGroups,
    LocateSubscribers,
    RemoveSubscriberGroup,
    ReplaceSubscriberGroup,
    SubscriberListCheck,
)
from cato_contracts.model import Resource
from cato_gateway.http import bodies
from cato_gateway.http.conditional import IF_NONE_MATCH, WantedVersions
from cato_gateway.http.idempotency import IdempotencyKey
from cato_gateway.http.request_context import API, Reader, RequestContext, ResourceId, Writer, json_answer
from cato_gateway.http.streaming import Streamed, started
from cato_gateway.openapi import responses
from cato_gateway.openapi.content import binary_content, text_content
from cato_gateway.routes.history.exports import MEDIA_TYPES
from cato_gateway.routes.lists.list_upload import (
    BODY,
    CSV_EXAMPLE,
    Columns,
    DryRun,
    ListUpload,
    receive_list,
)
from cato_gateway.routes.lists.subscriber_list import Subscribers, csv_lines, subscriber_page, xlsx_pieces
from cato_gateway.routes.parameters import Cursor, Limit, NameInAddress, NamePart, ReadFormat, UtcInstant

router = APIRouter(prefix=f"{API}/subscriber-groups", tags=["subscriber groups"], responses=responses.COMMON)

_CSV = text_content(bodies.CSV, CSV_EXAMPLE)
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

    duplicates: ListDuplicates | None = Field(default=None, exclude_if=lambda found: found is None)
    """What occurs more than once in a list that was just stored; absent if nothing does."""

    warnings: list[str] = Field(default_factory=list, exclude_if=lambda warnings: not warnings, examples=[[]])
    """The same in words."""

    @classmethod
    def of(cls, group: SubscriberGroup, context: RequestContext) -> Self:
        url = context.url(f"/subscriber-groups/{group.id}/subscribers")
        fields = group.model_dump(exclude={"version", "duplicates"})
        return cls(**fields, url=url, duplicates=group.duplicates, warnings=_warnings(group.duplicates))


class SubscriberGroups(Page[SubscriberGroupView]):
    """A page of groups."""


def _warnings(duplicates: ListDuplicates | None) -> list[str]:
    found = []
    if duplicates is not None and duplicates.persons:
        found.append(_sentence(duplicates.persons, "subscriber", "repeat", "an earlier one"))
    if duplicates is not None and duplicates.numbers:
        found.append(_sentence(duplicates.numbers, "number", "belong", "to more than one person"))
    return found


def _sentence(number: int, what: str, verb: str, whom: str) -> str:
    one = number == 1
    return f"{number} {what}{'' if one else 's'} of the list {verb}{'s' if one else ''} {whom}"


@router.put(
    "/add/{name:path}",
    response_model=SubscriberGroupView | SubscriberListCheck,
    responses=responses.created(
        "get_subscriber_group", "list_subscribers", "replace_subscriber_group", "remove_subscriber_group"
    )
    | responses.errors(409, 413, 415),
    openapi_extra=BODY,
)
async def add_subscriber_group(
    context: Writer,
    name: NameInAddress,
    dry_run: DryRun = False,
    columns: Columns = None,
    key: IdempotencyKey = None,
) -> Response:
    """Add a group of subscribers: all of them, or none if one is invalid.

    JSON: an array, or several arrays one after another, which are joined. CSV, and the first sheet of a
    workbook: a header, and a row for each subscriber; several values in a cell with `;`. The headers are
    `fullName`, `phones` and `emails`, or what people write for them; other columns become attributes.
    """
    received = await receive_list(context, columns)
    if dry_run:
        return await _check(context, received, key)
    command = AddSubscriberGroup(actor=context.actor, name=name, **received.fields())
    return await context.carry_out_upload(
        received.upload,
        command,
        lambda group: SubscriberGroupView.of(group, context),
        key=key,
        kind=received.kind(dry_run=False),
    )


@router.put(
    "/{id}",
    response_model=SubscriberGroupView | SubscriberListCheck,
    responses=responses.versioned() | responses.errors(404, 409, 412, 413, 415),
    openapi_extra=BODY,
)
async def replace_subscriber_group(  # noqa: PLR0917 - parameters of the request
    context: Writer,
    id: ResourceId,  # noqa: A002
    if_version: WantedVersions,
    dry_run: DryRun = False,
    columns: Columns = None,
    key: IdempotencyKey = None,
) -> Response:
    """Replace a group's subscribers; a run in progress keeps the subscribers that it started with."""
    if dry_run:
        await context.ask(GetSubscriberGroup(actor=context.actor, id=id))
    received = await receive_list(context, columns)
    if dry_run:
        return await _check(context, received, key)
    command = ReplaceSubscriberGroup(actor=context.actor, id=id, if_version=if_version, **received.fields())
    return await context.carry_out_upload(
        received.upload,
        command,
        lambda group: SubscriberGroupView.of(group, context),
        key=key,
        kind=received.kind(dry_run=False),
    )


async def _check(context: RequestContext, received: ListUpload, key: str | None) -> Response:
    """Answer with what the list contains; nothing is stored."""
    query = CheckSubscriberList(actor=context.actor, **received.fields())
    return await context.carry_out_upload(
        received.upload, query, lambda check: check, key=key, kind=received.kind(dry_run=True)
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
