"""`/me`: whom a token stands for, and what it allows."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from cato_contracts.model import Resource
from cato_gateway.http.authentication import token_holder
from cato_gateway.http.request_context import API, json_answer
from cato_gateway.openapi import responses
from cato_gateway.tokens import Holder
from cato_runtime.configuration.config import Permission

router = APIRouter(prefix=API, tags=["tokens"], responses=responses.COMMON)


class Me(Resource):
    """The user of a token, and its permissions."""

    user_id: str = Field(examples=["dispatcher"])
    """The user that the token stands for: the owner of what is added with it."""

    permissions: list[Permission] = Field(examples=[["read", "write", "run"]])
    """What the token allows."""


@router.get("/me", response_model=Me)
async def get_me(request: Request, holder: Annotated[Holder, Depends(token_holder)]) -> Response:
    """Get the user and the permissions of the token. It needs no permission."""
    request.app.state.parameters.check(request)
    granted = [permission for permission in Permission if permission in holder.permissions]
    return json_answer(Me(user_id=holder.user, permissions=granted))
