"""`/subscriber-groups`: lists of people (manual, 3.2)."""

from enum import StrEnum

from fastapi import APIRouter
from starlette.responses import Response

from cato_contracts.campaign_commands import (
    AddSubscriberGroup,
    GetSubscriberGroup,
    ListFormat,
    ListSubscriberGroups,
    LocateSubscribers,
    RemoveSubscriberGroup,
    ReplaceSubscriberGroup,
)
from cato_contracts.resources import SubscriberGroup
from cato_gateway.http import bodies
from cato_gateway.http.conditional import wanted_versions
from cato_gateway.http.request_context import API, Call, Reader, ResourceId, Upload, Writer, json_answer
from cato_gateway.http.streaming import Streamed, begun
from cato_gateway.openapi import documented
from cato_gateway.routes.parameters import Cursor, Limit, NamePart
from cato_gateway.routes.subscriber_list import csv_lines, subscriber_page
from cato_gateway.routes.views import SubscriberGroups, SubscriberGroupView, Subscribers, checked_name

router = APIRouter(prefix=f"{API}/subscriber-groups", tags=["subscriber groups"])

_FORMATS = {bodies.JSON: ListFormat.JSON, bodies.CSV: ListFormat.CSV}
_BODY = documented.upload({bodies.JSON: documented.SUBSCRIBERS, bodies.CSV: documented.CSV_TEXT})


class ReadFormat(StrEnum):
    """How subscribers are given out: in pages, or as one CSV file."""

    JSON = "json"
    CSV = "csv"


def _view(call: Call, group: SubscriberGroup) -> SubscriberGroupView:
    return SubscriberGroupView.of(group, call.url(f"/subscriber-groups/{group.id}/subscribers"))


async def _list(call: Call) -> tuple[ListFormat, Upload]:
    kind = _FORMATS[bodies.media_type(call.request, _FORMATS)]
    return kind, await call.upload(call.gateway.config.limits.json_bytes)


@router.put(
    "/add/{name:path}",
    response_model=SubscriberGroupView,
    responses=documented.refusals(400, 409, 413, 415),
    openapi_extra=_BODY,
)
async def add_subscriber_group(call: Writer, name: str) -> Response:
    """Add a group of subscribers: all of them, or none when one is wrong.

    JSON: an array, or several arrays one after another, which are joined. CSV: `fullName,phones,emails`
    with a header line, several values in a field with `;`.
    """
    checked = checked_name(name)
    kind, upload = await _list(call)
    command = AddSubscriberGroup(actor=call.actor, name=checked, format=kind, upload=upload.ref)
    return await call.carry_out_upload(upload, command, lambda group: _view(call, group), kind=kind)


@router.put(
    "/{id}",
    response_model=SubscriberGroupView,
    responses=documented.refusals(400, 404, 413, 415),
    openapi_extra=_BODY,
)
async def replace_subscriber_group(call: Writer, id: ResourceId) -> Response:  # noqa: A002
    """Replace a group's subscribers; a run that is under way goes on with those it began with."""
    kind, upload = await _list(call)
    command = ReplaceSubscriberGroup(
        actor=call.actor, id=id, format=kind, upload=upload.ref, if_version=wanted_versions(call.request)
    )
    return await call.carry_out_upload(upload, command, lambda group: _view(call, group), kind=kind)


@router.get("", response_model=SubscriberGroups, responses=documented.refusals(400))
async def list_subscriber_groups(
    call: Reader, limit: Limit = 100, cursor: Cursor = None, name: NamePart = None
) -> Response:
    """List groups."""
    found = await call.ask(ListSubscriberGroups(actor=call.actor, name=name, limit=limit, cursor=cursor))
    items = [_view(call, group) for group in found.items]
    return json_answer(SubscriberGroups(items=items, next_cursor=found.next_cursor))


@router.get("/{id}", response_model=SubscriberGroupView, responses=documented.refusals(404))
async def get_subscriber_group(call: Reader, id: ResourceId) -> Response:  # noqa: A002
    """Describe a group."""
    group = await call.ask(GetSubscriberGroup(actor=call.actor, id=id))
    return call.show(group, _view(call, group))


@router.get(
    "/{id}/subscribers",
    response_model=Subscribers,
    responses=documented.csv_too() | documented.refusals(400, 404, 409),
)
async def list_subscribers(
    call: Reader,
    id: ResourceId,  # noqa: A002
    limit: Limit = 100,
    cursor: Cursor = None,
    format: ReadFormat = ReadFormat.JSON,  # noqa: A002
) -> Response:
    """List a group's subscribers in pages; `format=csv` gives all of them in one file."""
    ref = await call.ask(LocateSubscribers(actor=call.actor, id=id))
    if format is ReadFormat.CSV:
        lines = await begun(csv_lines(call.gateway.objects, ref))
        name = {"Content-Disposition": f'attachment; filename="{id}.csv"'}
        return Streamed(lines, "text/csv; charset=utf-8", name)
    return json_answer(await subscriber_page(call.gateway.lists, ref, limit, cursor))


@router.delete("/{id}", status_code=204, responses=documented.refusals(404, 409))
async def remove_subscriber_group(call: Writer, id: ResourceId) -> Response:  # noqa: A002
    """Remove a group that no task uses."""
    return await call.remove(
        RemoveSubscriberGroup(actor=call.actor, id=id, if_version=wanted_versions(call.request))
    )
