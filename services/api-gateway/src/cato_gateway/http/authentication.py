"""Authenticate requests by their token (manual, 2.1.1)."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import structlog
from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param

from cato_contracts.errors import ForbiddenError
from cato_contracts.requests import Actor
from cato_gateway.deps import Deps
from cato_gateway.errors import UnauthorizedError
from cato_gateway.tokens import Holder
from cato_runtime.configuration.config import Permission

_SCHEME = HTTPBearer(
    scheme_name="token",
    bearerFormat="plain:<appToken>",
    description="`Authorization: Bearer plain:<appToken>` with a token of the configuration (manual, 2.1.1).",
    auto_error=False,
)
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_SCHEME)]


async def token_holder(request: Request, credentials: _Credentials) -> Holder:
    """Return the user and the permissions of the request's token.

    Raises:
        UnauthorizedError: without a known token.

    """
    deps: Deps = request.app.state.deps
    holder = deps.tokens.holder(_token(credentials))
    if holder is None:
        raise UnauthorizedError("the token is not known")
    structlog.contextvars.bind_contextvars(user=holder.user)
    return holder


def actor_with(permission: Permission) -> Callable[..., Awaitable[Actor]]:
    """Return the dependency that authenticates a request and checks one permission.

    Raises:
        UnauthorizedError: without a known token.
        ForbiddenError: if the token lacks the permission.

    """

    async def authenticate(request: Request, credentials: _Credentials) -> Actor:
        holder = await token_holder(request, credentials)
        if permission not in holder.permissions:
            raise ForbiddenError(f"the token of {holder.user} lacks the permission {permission}")
        return holder.actor()

    return authenticate


def still_permitted(request: Request, actor: Actor, permission: Permission) -> bool:
    """Return whether the token of a request still stands for this user, with the permission."""
    deps: Deps = request.app.state.deps
    _, sent = get_authorization_scheme_param(request.headers.get("Authorization"))
    credentials = HTTPAuthorizationCredentials(scheme="Bearer", credentials=sent)
    holder = deps.tokens.holder(_token(credentials))
    return holder is not None and permission in holder.permissions and holder.actor() == actor


def _token(credentials: HTTPAuthorizationCredentials | None) -> bytes:
    sent = credentials.credentials.strip() if credentials is not None else ""
    kind, colon, token = sent.partition(":")
    if kind != "plain" or not colon or not token:
        raise UnauthorizedError("a token is needed: Authorization: Bearer plain:<appToken>")
    return token.encode("latin-1")
