"""`/pacing-rules`: how many calls to numbers with a prefix may be up and may start, over all dialers."""

from fastapi import APIRouter
from starlette.responses import Response

from cato_contracts.api.resources import Page
from cato_contracts.api.rules.pacing import (
    GetPacingRule,
    ListPacingRules,
    PacingBounds,
    PacingRule,
    PutPacingRule,
    RemovePacingRule,
)
from cato_gateway.http.idempotency import IdempotencyKey
from cato_gateway.http.request_context import API, Reader, Writer, json_answer
from cato_gateway.openapi import responses
from cato_gateway.openapi.content import json_content, request_body
from cato_gateway.routes.parameters import NameInAddress

router = APIRouter(prefix=f"{API}/pacing-rules", tags=["pacing rules"], responses=responses.COMMON)


class PacingRules(Page[PacingRule]):
    """All pacing rules: there is one page."""


@router.get("", response_model=PacingRules)
async def list_pacing_rules(context: Reader) -> Response:
    """List the pacing rules, by name."""
    found = await context.ask(ListPacingRules(actor=context.actor))
    return json_answer(found)


@router.put(
    "/{name}",
    response_model=PacingRule,
    responses=responses.errors(409, 413, 415),
    openapi_extra=request_body(json_content(PacingBounds)),
)
async def put_pacing_rule(context: Writer, name: NameInAddress, key: IdempotencyKey = None) -> Response:
    """Store a pacing rule, in place of the one with this name. For administrators.

    It holds for calls that begin from then on: calls that are up do not count towards a changed `maxCalls`.
    """
    body, digest = await context.body(PacingBounds)
    command = PutPacingRule(actor=context.actor, rule=PacingRule(name=name, **dict(body)))
    return await context.carry_out(command, lambda rule: rule, key=key, digest=digest)


@router.get("/{name}", response_model=PacingRule, responses=responses.errors(404))
async def get_pacing_rule(context: Reader, name: NameInAddress) -> Response:
    """Get a pacing rule."""
    rule = await context.ask(GetPacingRule(actor=context.actor, name=name))
    return json_answer(rule)


@router.delete("/{name}", status_code=204, responses=responses.errors(404))
async def remove_pacing_rule(context: Writer, name: NameInAddress) -> Response:
    """Remove a pacing rule. For administrators."""
    return await context.remove(RemovePacingRule(actor=context.actor, name=name))
