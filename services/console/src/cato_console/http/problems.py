"""What a person reads when something went wrong: what it is, and what to do."""

from typing import Any
from urllib.parse import quote

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from cato_client import (
    ApiError,
    CatoClientError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnauthorizedError,
)
from cato_console.errors import DraftGoneError, ForgedRequestError, SignInNeededError
from cato_console.http.visits import Visit, visit_of
from cato_console.language.languages import mark

log = structlog.get_logger()

_SEE_OTHER, _UNAUTHORIZED = 303, 401
_BAD, _FORBIDDEN, _NOT_FOUND, _CONFLICT, _TOO_LARGE = 400, 403, 404, 409, 413
_CHANGED, _BUSY = 412, 429
_FAULT, _UNAVAILABLE = 500, 503
_AGAIN_S = 5

_TEXTS: dict[int, tuple[str, str]] = {
    _BAD: (mark("This cannot be done"), mark("Go back, correct what is named here, and send it again.")),
    _FORBIDDEN: (
        mark("Your token does not allow this"),
        mark("Ask the person who operates the system for a token with the permission that is named here."),
    ),
    _NOT_FOUND: (
        mark("There is no such page"),
        mark("It may belong to another user, or may have been removed. The board shows what you may see."),
    ),
    405: (mark("This cannot be done"), mark("Go back to the board and try again from there.")),
    _CONFLICT: (
        mark("Something else is going on there"),
        mark("Look at the present state first; then decide again."),
    ),
    _TOO_LARGE: (mark("The file is too large"), mark("Split the list, or use a shorter recording.")),
    _FAULT: (
        mark("The console has made a mistake"),
        mark("Try once more. If it happens again, tell the person who operates the system the time of day."),
    ),
    _UNAVAILABLE: (
        mark("The system does not answer"),
        mark("Calls that are up go on. This page tries again by itself; if it lasts, call the operator."),
    ),
}
_FORGED = (
    mark("This form is out of date"),
    mark("Open the page again and repeat what you did. Nothing was changed."),
)
_DRAFT_GONE = (
    mark("The uploaded list is not kept any more"),
    mark("Choose the file again; nothing was stored."),
)


def add_handlers(app: Starlette) -> None:
    app.add_exception_handler(SignInNeededError, _sign_in)
    app.add_exception_handler(UnauthorizedError, _sign_in_again)
    app.add_exception_handler(ForgedRequestError, _forged)
    app.add_exception_handler(DraftGoneError, _draft_gone)
    app.add_exception_handler(CatoClientError, _client_error)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _fault)


def problem_page(
    visit: Visit, status: int, *, texts: tuple[str, str] | None = None, said: str | None = None
) -> Response:
    """Return the page about a problem; `said` is the message of the API, which is in English."""
    title, advice = texts or _TEXTS.get(status, _TEXTS[_FAULT])
    shown = visit.page("problem.html", status=status, title=title, advice=advice, said=said, code=status)
    if status == _UNAVAILABLE and visit.request.method == "GET":
        shown.headers["Refresh"] = str(_AGAIN_S)
    return shown


def status_of(error: CatoClientError) -> int:
    """Return the status of the page for an error of the API."""
    match error:
        case ForbiddenError() | NotFoundError() | ConflictError():
            return error.status
        case InvalidError():
            return _TOO_LARGE if error.status == _TOO_LARGE else _BAD
        case ApiError() if error.status in {_CHANGED, _BUSY}:
            return _CONFLICT
        case _:
            return _UNAVAILABLE


async def _sign_in(request: Request, _error: Exception) -> Response:
    if request.url.path.startswith("/live/"):
        return JSONResponse({"signIn": True}, status_code=_UNAUTHORIZED)
    reading = request.method == "GET"
    here = request.url.path if reading else "/"
    query = f"?{request.url.query}" if reading and request.url.query else ""
    return RedirectResponse(f"/sign-in?next={quote(here + query)}", status_code=_SEE_OTHER)


async def _sign_in_again(request: Request, error: Exception) -> Response:
    """The token is not valid any more: the session is of no use."""
    answer = await _sign_in(request, error)
    visit = visit_of(request)
    visit.deps.sessions.end(answer, visit.session)
    return answer


async def _forged(request: Request, error: Exception) -> Response:
    log.warning("form rejected", reason=str(error), path=request.url.path)
    return problem_page(visit_of(request), _FORBIDDEN, texts=_FORGED)


async def _draft_gone(request: Request, _error: Exception) -> Response:
    return problem_page(visit_of(request), _CONFLICT, texts=_DRAFT_GONE)


async def _client_error(request: Request, error: Any) -> Response:
    status = status_of(error)
    if status >= _FAULT:
        log.warning("API failed", path=request.url.path, error=repr(error))
    said = error.message if isinstance(error, ApiError) and status != _NOT_FOUND else None
    return problem_page(visit_of(request), status, said=said)


async def _http(request: Request, error: Any) -> Response:
    return problem_page(visit_of(request), error.status_code)


async def _fault(request: Request, error: Exception) -> Response:
    log.error("page failed", path=request.url.path, exc_info=error)
    return problem_page(visit_of(request), _FAULT)
