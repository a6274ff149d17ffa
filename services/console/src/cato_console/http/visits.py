"""A visit: one request of a browser, with what its page needs."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cato_client import AsyncClient
from cato_console.deps import Deps
from cato_console.errors import SignInNeededError
from cato_console.http.sessions import FORM_TOKEN, Session, check_form_token, check_origin
from cato_console.language.languages import CODES, Language, preferred

LANGUAGE_COOKIE = "cato_language"
THEME_COOKIE = "cato_theme"
THEMES = ("auto", "light", "dark")

_SEE_OTHER = 303
_MOST_FIELDS = 200
_MOST_FILES = 1


@dataclass(frozen=True, slots=True)
class Visit:
    """A request, its session, and the language and theme that the browser has chosen."""

    deps: Deps
    request: Request
    session: Session
    language: Language
    theme: str

    @property
    def token(self) -> str:
        """Return the token of the person who has signed in. Raises SignInNeededError."""
        if self.session.token is None:
            raise SignInNeededError
        return self.session.token

    @property
    def api(self) -> AsyncClient:
        """Return the client of the person who has signed in. Raises SignInNeededError."""
        return self.deps.clients.of(self.token)

    @property
    def uploads(self) -> AsyncClient:
        """Return the client for lists, recordings and starts, which take longer. Raises SignInNeededError."""
        return self.deps.clients.for_uploads(self.token)

    def still_signed_in(self) -> bool:
        return self.deps.sessions.valid(self.session)

    def may(self, permission: str) -> bool:
        return self.session.may(permission)

    def query(self, name: str) -> str:
        return self.request.query_params.get(name, "").strip()

    def address(self, **changes: str | None) -> str:
        """Return the address of this page with other parameters."""
        given = {**self.request.query_params, **changes}
        query = urlencode({name: value for name, value in given.items() if value})
        return f"{self.request.url.path}?{query}" if query else self.request.url.path

    async def form(self) -> FormData:
        """Return the fields of a form of this session.

        Raises:
            ForgedRequestError: if no page of this session has sent it.

        """
        check_origin(self.request)
        limit = self.deps.settings.upload_bytes
        form = await self.request.form(max_fields=_MOST_FIELDS, max_files=_MOST_FILES, max_part_size=limit)
        check_form_token(self.session, form.get(FORM_TOKEN))
        return form

    def page(self, template: str, *, status: int = 200, **context: Any) -> Response:
        text = self.deps.renderer.text(template, self.language, {"visit": self, **context})
        return HTMLResponse(text, status_code=status)

    def go(self, path: str, *, notice: str | None = None) -> Response:
        """Send the browser to another page, which shows the notice."""
        if notice is not None:
            path = f"{path}{'&' if '?' in path else '?'}{urlencode({'notice': notice})}"
        return RedirectResponse(path, status_code=_SEE_OTHER)


Page = Callable[[Visit], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def visit_of(request: Request) -> Visit:
    """Return the visit of a request; without a session it has a new one."""
    deps: Deps = request.app.state.deps
    code = request.cookies.get(LANGUAGE_COOKIE, "")
    if code not in CODES:
        code = preferred(request.headers.get("Accept-Language", ""))
    theme = request.cookies.get(THEME_COOKIE, "")
    session = deps.sessions.of(request) or Session()
    spoken = deps.renderer.language(code)
    return Visit(deps, request, session, spoken, theme if theme in THEMES else THEMES[0])


def public(page: Page) -> Endpoint:
    """Return the endpoint of a page that needs no sign-in."""

    async def endpoint(request: Request) -> Response:
        return await page(visit_of(request))

    return endpoint


def private(page: Page) -> Endpoint:
    """Return the endpoint of a page for people who have signed in. What they may do the API decides."""

    async def endpoint(request: Request) -> Response:
        visit = visit_of(request)
        if visit.session.token is None:
            raise SignInNeededError
        try:
            return await page(visit)
        finally:
            await request.close()  # the files of a form

    return endpoint


def words(form: FormData | Mapping[str, Any], name: str) -> str:
    """Return a text field of a form; empty if it is missing or a file."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""
