"""Signing in with a token and signing out; the language and the theme."""

from urllib.parse import urlsplit

import structlog
from starlette.responses import Response

from cato_client import UnauthorizedError, operations
from cato_console.http.sessions import signed_in
from cato_console.http.visits import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, Visit, words
from cato_console.language.languages import CODES

log = structlog.get_logger()

_A_YEAR_S = 31_536_000
_MOST_CHARACTERS = 4_096
_UNAUTHORIZED, _TOO_MANY = 401, 429


async def show(visit: Visit) -> Response:
    """Show the form; a new session protects it."""
    return _form(visit, _target(visit.query("next")))


async def sign_in(visit: Visit) -> Response:
    """Ask the API whom the token stands for, and start a session."""
    form = await visit.form()
    target = _target(words(form, "next"))
    address = visit.request.client.host if visit.request.client else ""
    if wait := visit.deps.limit.wait_s(address):
        said = visit.language.gettext("Too many attempts. Try again in %(n)s s.", n=wait)
        answer = _form(visit, target, fault=said, status=_TOO_MANY)
        answer.headers["Retry-After"] = str(wait)
        return answer
    token = words(form, "token").removeprefix("Bearer ").removeprefix("plain:")
    if not _plausible(token):
        return _wrong(visit, target, address)
    client = visit.deps.clients.make(token)
    try:
        me = await client.do(operations.get_me())
    except UnauthorizedError:
        return _wrong(visit, target, address)
    finally:
        await client.close()
    answer = visit.go(target)
    visit.deps.sessions.start(answer, signed_in(token, me.user_id, frozenset(me.permissions)))
    log.info("signed in", user=me.user_id)
    return answer


async def sign_out(visit: Visit) -> Response:
    """End the session: its cookie is worth nothing any more."""
    await visit.form()
    answer = visit.go("/sign-in")
    visit.deps.sessions.end(answer, visit.session)
    visit.deps.drafts.end_session(visit.session.id)
    log.info("signed out", user=visit.session.user)
    return answer


async def choose_language(visit: Visit) -> Response:
    return await _choose(visit, LANGUAGE_COOKIE, CODES)


async def choose_theme(visit: Visit) -> Response:
    return await _choose(visit, THEME_COOKIE, THEMES)


async def _choose(visit: Visit, cookie: str, allowed: tuple[str, ...]) -> Response:
    form = await visit.form()
    answer = visit.go(_target(words(form, "next")))
    chosen = words(form, "value")
    if chosen in allowed:
        answer.set_cookie(
            cookie,
            chosen,
            max_age=_A_YEAR_S,
            httponly=True,
            samesite="lax",
            secure=visit.deps.settings.https,
        )
    return answer


def _wrong(visit: Visit, target: str, address: str) -> Response:
    visit.deps.limit.wrong(address)
    said = visit.language.gettext("This token is not known. Check it, or ask the operator of the system.")
    return _form(visit, target, fault=said, status=_UNAUTHORIZED)


def _form(visit: Visit, target: str, *, fault: str | None = None, status: int = 200) -> Response:
    answer = visit.page("sign_in.html", status=status, target=target, fault=fault)
    if visit.session.token is None:
        visit.deps.sessions.start(answer, visit.session)
    return answer


def _plausible(token: str) -> bool:
    """Return whether the token can be sent in a header at all."""
    return 0 < len(token) <= _MOST_CHARACTERS and token.isascii() and token.isprintable()


def _target(path: str) -> str:
    """Return the page to go on to: one of this site, or the board."""
    parts = urlsplit(path)
    own = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc
    return path if own and path.isprintable() and "\\" not in path else "/"
