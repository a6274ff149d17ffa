"""`/exclusion-lists`: numbers that are not called."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import ConfigDict, Field, RootModel
from starlette.responses import Response

from cato_contracts.api.examples import GROUP_ID
from cato_contracts.api.phone_numbers import PHONE_SCHEMA, normalised_phone
from cato_contracts.api.resources import Page
from cato_contracts.api.rules.exclusions import (
    ExcludedNumber,
    Exclusion,
    ExclusionList,
    ExclusionNote,
    ExclusionScope,
)
from cato_contracts.errors import InvalidError
from cato_contracts.messages.campaign_commands import ListFormat
from cato_contracts.messages.exclusion_commands import (
    AddExclusionList,
    ExcludeNumber,
    GetExcludedNumber,
    GetExclusionList,
    ListExcludedNumbers,
    ListExclusionLists,
    ReadmitNumber,
    RemoveExclusionList,
)
from cato_contracts.model import Resource
from cato_gateway.http import bodies
from cato_gateway.http.conditional import IF_NONE_MATCH, WantedVersions
from cato_gateway.http.idempotency import IdempotencyKey
from cato_gateway.http.request_context import API, Reader, ResourceId, Writer, json_answer
from cato_gateway.openapi import responses
from cato_gateway.openapi.content import json_content, request_body, text_content
from cato_gateway.routes.parameters import (
    Cursor,
    Limit,
    NameInAddress,
    NamePart,
    UtcInstant,
)

router = APIRouter(prefix=f"{API}/exclusion-lists", tags=["exclusion lists"], responses=responses.COMMON)

_CSV_EXAMPLE = "number,reason,expiresAt\n776429,asked not to be called,\n776450,,2027-05-09T00:00:00Z\n"
_FORMATS = {bodies.JSON: ListFormat.JSON, bodies.CSV: ListFormat.CSV}


class Exclusions(RootModel[list[Exclusion]]):
    """The numbers of a list, as a client sends them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [[{"number": "776429", "reason": "asked not to be called"}, {"number": "776450"}]]
        }
    )


class ExclusionListView(Resource):
    """An exclusion list; `url` is the address of its numbers."""

    id: UUID = Field(examples=[GROUP_ID])
    """Chosen by the server."""

    name: str = Field(examples=["do not call"])
    """A name of 1 to 200 characters, not only blanks."""

    url: str = Field(examples=[f"http://127.0.0.1:8080{API}/exclusion-lists/{GROUP_ID}/numbers"])
    """The address of the numbers."""

    user_id: str = Field(examples=["user"])
    """The user that it belongs to."""

    scope: ExclusionScope = Field(examples=["USER"])
    """`USER`: for the tasks of that user; `SYSTEM`: for the tasks of all users."""

    number_count: int = Field(examples=[2])
    """How many numbers are on it, those that have expired included."""

    created_at: UtcInstant = Field(examples=["2024-03-24T08:00:00Z"])
    """When it was added."""

    @classmethod
    def of(cls, stored: ExclusionList, url: str) -> Self:
        return cls(**stored.model_dump(exclude={"version"}), url=url)


class ExclusionLists(Page[ExclusionListView]):
    """A page of exclusion lists."""


class ExcludedNumberView(ExcludedNumber):
    """A number of an exclusion list."""

    expires_at: UtcInstant | None = Field(default=None, examples=["2027-05-09T00:00:00Z"])
    """From this time on the number may be called again; null: never."""

    @classmethod
    def of(cls, stored: ExcludedNumber) -> Self:
        return cls.model_validate(stored.model_dump())


class ExcludedNumbers(Page[ExcludedNumberView]):
    """A page of numbers."""


class ExclusionBody(ExclusionNote):
    """Why a number is excluded, and until when; `{}` for ever and without a reason."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "asked not to be called"}]})


async def _number(
    number: Annotated[
        str,
        Path(description="A telephone number, in any of its forms.", json_schema_extra={**PHONE_SCHEMA}),
    ],
) -> str:
    """Return the number in the path. Raises InvalidError if it is none."""
    try:
        return normalised_phone(number)
    except ValueError as error:
        raise InvalidError(f"number: {error}") from error


NumberInAddress = Annotated[str, Depends(_number)]
Scope = Annotated[
    ExclusionScope,
    Query(description="`USER`: for the tasks of the user; `SYSTEM`: of all users, for administrators only."),
]


@router.put(
    "/add/{name:path}",
    response_model=ExclusionListView,
    responses=responses.created("get_exclusion_list", "list_excluded_numbers", "remove_exclusion_list")
    | responses.errors(409, 413, 415),
    openapi_extra=request_body(json_content(Exclusions) | text_content(bodies.CSV, _CSV_EXAMPLE)),
)
async def add_exclusion_list(
    context: Writer,
    name: NameInAddress,
    scope: Scope = ExclusionScope.USER,
    key: IdempotencyKey = None,
) -> Response:
    """Add a list of numbers that are not called: all of them, or none if one is invalid.

    JSON: an array. CSV: a header with `number` and, if wanted, `reason` and `expiresAt`. When this is
    answered, no call to one of the numbers begins any more. If it is answered with 503, the list may be
    stored already: send the request again, with its Idempotency-Key.
    """
    form = _FORMATS[bodies.media_type(context.request, _FORMATS)]
    charset = bodies.charset(context.request)
    upload = await context.upload(context.deps.config.limits.json_bytes)
    command = AddExclusionList(
        actor=context.actor, name=name, scope=scope, format=form, upload=upload.ref, charset=charset
    )
    return await context.carry_out_upload(
        upload,
        command,
        lambda added: ExclusionListView.of(added, context.url(f"/exclusion-lists/{added.id}/numbers")),
        key=key,
        kind=f"{form} {scope} ",
    )


@router.get("", response_model=ExclusionLists)
async def list_exclusion_lists(
    context: Reader, limit: Limit = 100, cursor: Cursor = None, name: NamePart = None
) -> Response:
    """List exclusion lists: those of the user, and those of the system."""
    query = ListExclusionLists(actor=context.actor, name=name, limit=limit, cursor=cursor)
    found = await context.ask(query)
    items = [
        ExclusionListView.of(each, context.url(f"/exclusion-lists/{each.id}/numbers")) for each in found.items
    ]
    return json_answer(ExclusionLists(items=items, next_cursor=found.next_cursor))


@router.get(
    "/{id}",
    response_model=ExclusionListView,
    responses=responses.read_once() | responses.errors(404),
    dependencies=[IF_NONE_MATCH],
)
async def get_exclusion_list(context: Reader, id: ResourceId) -> Response:  # noqa: A002
    """Describe an exclusion list."""
    found = await context.ask(GetExclusionList(actor=context.actor, id=id))
    return context.show(
        found, ExclusionListView.of(found, context.url(f"/exclusion-lists/{found.id}/numbers"))
    )


@router.delete("/{id}", status_code=204, responses=responses.errors(404, 409, 412))
async def remove_exclusion_list(
    context: Writer,
    id: ResourceId,  # noqa: A002
    if_version: WantedVersions,
) -> Response:
    """Remove an exclusion list that no task names; its numbers may be called again."""
    return await context.remove(RemoveExclusionList(actor=context.actor, id=id, if_version=if_version))


@router.get("/{id}/numbers", response_model=ExcludedNumbers, responses=responses.errors(404))
async def list_excluded_numbers(
    context: Reader,
    id: ResourceId,  # noqa: A002
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """List the numbers of an exclusion list, each in the one form that all its forms are compared by."""
    query = ListExcludedNumbers(actor=context.actor, id=id, limit=limit, cursor=cursor)
    found = await context.ask(query)
    items = [ExcludedNumberView.of(each) for each in found.items]
    return json_answer(ExcludedNumbers(items=items, next_cursor=found.next_cursor))


@router.get("/{id}/numbers/{number}", response_model=ExcludedNumberView, responses=responses.errors(404))
async def get_excluded_number(
    context: Reader,
    id: ResourceId,  # noqa: A002
    number: NumberInAddress,
) -> Response:
    """Say whether a number is on a list, in whatever form: its entry, or 404."""
    found = await context.ask(GetExcludedNumber(actor=context.actor, id=id, number=number))
    return json_answer(ExcludedNumberView.of(found))


@router.put(
    "/{id}/numbers/{number}",
    response_model=ExcludedNumberView,
    responses=responses.errors(404, 409, 412, 413, 415),
    openapi_extra=request_body(json_content(ExclusionBody)),
)
async def exclude_number(
    context: Writer,
    id: ResourceId,  # noqa: A002
    number: NumberInAddress,
    if_version: WantedVersions,
    key: IdempotencyKey = None,
) -> Response:
    """Put a number on a list, or change its entry.

    When this is answered, no call to the number begins any more; a call that is up goes on. If it is answered
    with 503, the number may be on the list already: send the request again.
    """
    body, digest = await context.body(ExclusionBody)
    command = ExcludeNumber(
        actor=context.actor,
        id=id,
        if_version=if_version,
        exclusion=Exclusion(number=number, reason=body.reason, expires_at=body.expires_at),
    )
    return await context.carry_out(command, ExcludedNumberView.of, key=key, digest=digest)


@router.delete("/{id}/numbers/{number}", status_code=204, responses=responses.errors(404, 409, 412))
async def readmit_number(
    context: Writer,
    id: ResourceId,  # noqa: A002
    number: NumberInAddress,
    if_version: WantedVersions,
) -> Response:
    """Take a number off a list: it may be called again."""
    return await context.remove(
        ReadmitNumber(actor=context.actor, id=id, number=number, if_version=if_version)
    )
