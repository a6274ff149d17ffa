"""`/contact-limits`: how often, and how soon again, a number may be called, over all executions."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from cato_contracts.api.rules.contacts import ContactLimits, ContactLimitsOwner, StoredContactLimits
from cato_contracts.messages.contact_commands import (
    GetContactLimits,
    PutContactLimits,
    RemoveContactLimits,
)
from cato_gateway.http.idempotency import IdempotencyKey
from cato_gateway.http.request_context import API, Reader, Writer, json_answer
from cato_gateway.openapi import responses
from cato_gateway.openapi.content import json_content, request_body

router = APIRouter(prefix=f"{API}/contact-limits", tags=["contact limits"], responses=responses.COMMON)

Scope = Annotated[
    ContactLimitsOwner,
    Query(description="`USER`: the limits of the user; `SYSTEM`: those of all, for administrators only."),
]


@router.put(
    "",
    response_model=StoredContactLimits,
    responses=responses.errors(409, 413, 415),
    openapi_extra=request_body(json_content(ContactLimits)),
)
async def put_contact_limits(
    context: Writer, scope: Scope = ContactLimitsOwner.USER, key: IdempotencyKey = None
) -> Response:
    """Store the limits of contacts, in place of the earlier ones.

    They hold for calls that begin from then on, beside those of the system and of the settings. Calls count
    from when a limit is known that looks back as far.
    """
    body, digest = await context.body(ContactLimits)
    command = PutContactLimits(actor=context.actor, scope=scope, limits=body)
    return await context.carry_out(command, lambda limits: limits, key=key, digest=digest)


@router.get("", response_model=StoredContactLimits, responses=responses.errors(404))
async def get_contact_limits(context: Reader, scope: Scope = ContactLimitsOwner.USER) -> Response:
    """Get the limits of contacts. Everyone reads those of the system."""
    limits = await context.ask(GetContactLimits(actor=context.actor, scope=scope))
    return json_answer(limits)


@router.delete("", status_code=204, responses=responses.errors(404))
async def remove_contact_limits(context: Writer, scope: Scope = ContactLimitsOwner.USER) -> Response:
    """Remove the limits of contacts."""
    return await context.remove(RemoveContactLimits(actor=context.actor, scope=scope))
