"""Sessions: an encrypted cookie with the token of the API, and the check of forms against forgery."""

import hmac
import secrets
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from cato_console.errors import ForgedRequestError
from cato_console.http.sealed_cookies import SealedCookies
from cato_console.http.signed_out import SignedOut

_NAME = "cato_session"
FORM_TOKEN = "form_token"  # noqa: S105 - the name of a field


@dataclass(frozen=True, slots=True)
class Session:
    """A browser's session. Without `token` nobody has signed in yet: it protects the sign-in form."""

    id: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    form_token: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    token: str | None = None
    user: str = ""
    permissions: frozenset[str] = frozenset()

    def may(self, permission: str) -> bool:
        return permission in self.permissions


class Sessions:
    """Reads and writes the cookie of the session."""

    def __init__(self, cookies: SealedCookies, signed_out: SignedOut, *, https: bool) -> None:
        self._cookies = cookies
        self._signed_out = signed_out
        self._https = https
        # The prefix has the browser refuse the cookie from other hosts and over plain HTTP.
        self.name = f"__Host-{_NAME}" if https else _NAME

    def of(self, request: Request) -> Session | None:
        """Return the session of a request; None without a genuine cookie that is still valid."""
        sealed = request.cookies.get(self.name)
        value = self._cookies.open(sealed) if sealed else None
        if value is None or value["id"] in self._signed_out:
            return None
        return Session(**{**value, "permissions": frozenset(value["permissions"])})

    def valid(self, session: Session) -> bool:
        """Return whether the session was not signed out."""
        return session.id not in self._signed_out

    def start(self, response: Response, session: Session) -> None:
        """Have the browser keep the session."""
        value: dict[str, Any] = {
            "id": session.id,
            "form_token": session.form_token,
            "token": session.token,
            "user": session.user,
            "permissions": sorted(session.permissions),
        }
        response.set_cookie(
            self.name,
            self._cookies.seal(value),
            max_age=int(self._cookies.lifetime.total_seconds()),
            path="/",
            secure=self._https,
            httponly=True,
            samesite="lax",
        )

    def end(self, response: Response, session: Session) -> None:
        """Sign the session out: its cookie is deleted, and never accepted again."""
        self._signed_out.add(session.id)
        response.delete_cookie(self.name, path="/", secure=self._https, httponly=True, samesite="lax")


def signed_in(token: str, user: str, permissions: frozenset[str]) -> Session:
    """Return a new session: its id and form token are not those of the sign-in form."""
    return replace(Session(), token=token, user=user, permissions=permissions)


def check_origin(request: Request) -> None:
    """Check that a request that changes something comes from a page of this site.

    Raises:
        ForgedRequestError: if the browser says that another site has made it.

    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in {"same-origin", "none"}:
        raise ForgedRequestError("the form was sent by another site")
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("Host"):
        raise ForgedRequestError("the form was sent by another site")


def check_form_token(session: Session, sent: object) -> None:
    """Check that a form was made by a page of this session.

    Raises:
        ForgedRequestError: if it has not the session's token.

    """
    if not isinstance(sent, str) or not hmac.compare_digest(sent.encode(), session.form_token.encode()):
        raise ForgedRequestError("the form does not belong to this session")
