"""Every error in the manual's form (manual, 2.2), with a message for people."""

import json
import time
from collections.abc import Mapping
from http import HTTPStatus

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from cato_contracts.errors import BrokerError, InvalidListError, ListFault, OverloadedError, RefusedError
from cato_contracts.model import Resource
from cato_gateway.errors import UnauthorizedError, status_of
from cato_gateway.http.sentences import sentence

log = structlog.get_logger()

ORIGINAL_PATH = "cato.path"
_RETRY_AFTER_S = "1"
_RETRY_OVERLOADED_AFTER_S = "5"


class Problem(Resource):
    """An error: the manual's four fields (2.2), a message and the resource."""

    timestamp: int
    """Unix time in milliseconds."""

    status: int
    """The HTTP status."""

    error: str
    """The reason phrase of the status."""

    path: str
    """The path of the request."""

    message: str
    """The field, the fault, and the allowed values."""

    resource_id: str | None = None
    """The resource concerned."""

    faults: list[ListFault] | None = None
    """The faults of an uploaded list, up to a hundred."""

    fault_count: int | None = None
    """The number of all faults of the list."""


def problem(
    scope: Scope,
    status: int,
    message: str,
    *,
    resource_id: str | None = None,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> Response:
    """Return the answer for an error; `more` are further fields of its body."""
    body: dict[str, object] = {
        "timestamp": time.time_ns() // 1_000_000,
        "status": int(status),
        "error": HTTPStatus(status).phrase,
        "path": scope.get(ORIGINAL_PATH, scope["path"]),
        "message": message,
    }
    if resource_id is not None:
        body["resourceId"] = resource_id
    if more:
        body.update(more)
    answer = Response(
        json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"),
        status_code=int(status),
        media_type="application/json",
        headers=headers,
    )
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        answer.headers.setdefault("Retry-After", _RETRY_AFTER_S)
    return answer


def add_handlers(app: FastAPI, allowed: "AllowedMethods") -> None:
    """Answer every exception of a route in the common form."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, RefusedError)  # noqa: S101 - registered for this class
        return of_refusal(request.scope, error)

    async def broker_failed(request: Request, error: Exception) -> Response:
        log.warning("broker failure", error=repr(error))
        return problem(request.scope, 503, "the message broker does not answer; try again")

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
        return problem(request.scope, 400, sentence(error.errors()))

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - as above
        headers = dict(error.headers or {})
        message = str(error.detail)
        if error.status_code == HTTPStatus.NOT_FOUND:
            message = "there is nothing at this address"
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            methods = allowed.of(request.scope["path"])
            headers = {"Allow": ", ".join(methods)}
            message = f"{request.method} does not apply here; allowed: {', '.join(methods)}"
        return problem(request.scope, error.status_code, message, headers=headers)

    async def gone(request: Request, error: Exception) -> Response:
        log.info("client disconnected during a request", error=repr(error))
        return problem(request.scope, 400, "the body ended early")

    app.add_exception_handler(RefusedError, refused)
    app.add_exception_handler(BrokerError, broker_failed)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(ClientDisconnect, gone)


def of_refusal(scope: Scope, error: RefusedError) -> Response:
    status = status_of(error)
    headers = None
    if isinstance(error, UnauthorizedError):
        headers = {"WWW-Authenticate": "Bearer"}
    if isinstance(error, OverloadedError):
        headers = {"Retry-After": _RETRY_OVERLOADED_AFTER_S}
    more = None
    if isinstance(error, InvalidListError):
        faults = [fault.model_dump(by_alias=True) for fault in error.faults]
        more = {"faults": faults, "faultCount": error.fault_count}
    return problem(scope, status, error.message, resource_id=error.resource_id, headers=headers, more=more)


class AllowedMethods:
    """The methods of every path; a router reports only those of its first route that fits."""

    def __init__(self) -> None:
        self._routers: list[tuple[str, APIRouter]] = []

    def add(self, router: APIRouter, prefix: str = "") -> None:
        self._routers.append((prefix, router))

    def of(self, path: str) -> list[str]:
        methods: set[str] = set()
        for prefix, router in self._routers:
            scope = {"type": "http", "method": "GET", "path": path.removeprefix(prefix)}
            for route in router.routes:
                if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE:
                    methods |= route.methods or set()
        return sorted(methods | ({"HEAD"} if "GET" in methods else set()))
