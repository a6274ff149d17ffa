"""Lists, owners, versions and pages of the services in memory."""

from typing import Any, TypeVar
from uuid import UUID, uuid4

from cato_contracts.api import status
from cato_contracts.api.resources import (
    Contact,
    Page,
)
from cato_contracts.errors import (
    ForbiddenError,
    InvalidError,
    NotFoundError,
    PreconditionFailedError,
)
from cato_contracts.requests import Actor

T = TypeVar("T", bound=Any)


def subscriber_status(person: Contact, *, failed: bool) -> status.SubscriberStatus:
    view = status.SubscriberView(full_name=person.full_name, phones=person.phones, emails=person.emails)
    event = status.CallEventView(time=1, name="CallStarted", status="STARTED", data=None)
    call = status.CallView(
        cs_id=uuid4(),
        call_start=1,
        call_ring_start=None,
        call_talking_start=None,
        call_end=None,
        success=not failed,
        delayed=False,
        events=[event],
    )
    phones = [status.PhoneView(number=number, calls=[call]) for number in person.phones]
    return status.SubscriberStatus(notified=not failed, subscriber=view, phones=phones)


def new_report(name: str, count: int) -> status.Report:
    fields_of = status.Report.model_fields
    numbers = {name: 0 for name, field in fields_of.items() if field.annotation is int}
    numbers |= {"subscriber_count": count, "subscriber_not_yet_notified": count}
    numbers |= {"wave_current": 1, "wave_total": 1}
    fields: dict[str, Any] = numbers | {"name": name, "state": "CALLING", "active_phase": True}
    fields |= {"eta": None, "end_reason": None}
    return status.Report(**fields)


def own(resources: dict[UUID, T], id_: UUID, actor: Actor) -> T:
    found = resources.get(id_)
    if found is None or not actor.may_see(found.user_id):
        raise NotFoundError("there is no such resource", resource_id=str(id_))
    return found


def check_version(resource: Any, request: Any) -> None:
    if request.if_version is not None and resource.version not in request.if_version:
        raise PreconditionFailedError("it was changed in the meantime", resource_id=str(resource.id))


def owner_of(owner: str | None, actor: Actor) -> str:
    if owner is not None and not actor.may_see(owner):
        raise ForbiddenError(f"{actor.user_id} may not act for {owner}")
    return owner or actor.user_id


def page_of(resources: Any, request: Any) -> Page[Any]:
    wanted = getattr(request, "name", None)
    found = [
        each
        for each in resources
        if request.actor.may_see(each.user_id) and (wanted is None or each.name == wanted)
    ]
    return part_of(found, request.limit, request.cursor)


def part_of(found: list[T], limit: int, cursor: str | None) -> Page[T]:
    try:
        start = int(cursor or 0)
    except ValueError as error:
        raise InvalidError("the cursor is none of this collection's") from error
    end = start + limit
    return Page(items=found[start:end], next_cursor=str(end) if end < len(found) else None)
