"""The HTTP application: routes, errors, and what is around them."""

import re
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from cato_gateway.deps import Gateway
from cato_gateway.http.error_responses import AllowedMethods, add_handlers
from cato_gateway.http.metrics import Metrics
from cato_gateway.http.middleware import Surround
from cato_gateway.http.request_context import API
from cato_gateway.openapi import document
from cato_gateway.routes import (
    audio_files,
    calls,
    health,
    notification_settings,
    subscriber_groups,
    task_execs,
    tasks,
)

_COLLECTIONS = (audio_files, subscriber_groups, notification_settings, tasks, task_execs, calls)
_AS_IT_IS = re.compile(rf"{API}/(audio-files/[^/]+/content|task-execs/[^/]+/stream)")
_EXPORT = f"{API}/calls/export"
_GZIP_FROM = 1024
_GZIP_LEVEL = 5


def create_app(gateway: Gateway) -> FastAPI:
    """Return the application around `gateway`."""
    app = FastAPI(
        title=document.TITLE,
        version=document.VERSION,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    allowed = AllowedMethods()
    parameters: dict[str, set[str]] = {}
    for collection in _COLLECTIONS:
        app.include_router(collection.router)
        _know(collection.router, "", allowed, parameters)
    app.include_router(health.router)
    _know(health.router, "", allowed, parameters)
    app.include_router(health.router, prefix=API, include_in_schema=False)
    _know(health.router, API, allowed, parameters)
    add_handlers(app, allowed)
    app.state.gateway = gateway
    app.state.parameters = parameters
    app.state.metrics = Metrics()
    _add_layers(app, gateway)
    app.openapi = lambda: document.openapi_document(app)  # type: ignore[method-assign]
    return app


def _know(router: APIRouter, prefix: str, allowed: AllowedMethods, parameters: dict[str, set[str]]) -> None:
    for route in router.routes:
        if isinstance(route, APIRoute):
            allowed.add(compile_path(prefix + route.path)[0], route.methods or ())
            names = {name for name in map(_query_name, get_flat_params(route.dependant)) if name}
            parameters.setdefault(route.path, set()).update(names)


def _query_name(field: Any) -> str | None:
    alias: str = field.alias
    return alias if type(field.field_info).__name__ == "Query" else None


class Compressed:
    """Answers with gzip where the client takes it.

    Not audio, whose ranges are of the bytes as they are; not events, which must not wait in a buffer; not
    Parquet, which is compressed already.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._gzip = GZipMiddleware(app, minimum_size=_GZIP_FROM, compresslevel=_GZIP_LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._plain if _is_plain(scope) else self._gzip)(scope, receive, send)


def _is_plain(scope: Scope) -> bool:
    if scope["type"] != "http":
        return False
    if scope["path"] == _EXPORT:
        return b"format=parquet" in scope["query_string"]
    return _AS_IT_IS.fullmatch(scope["path"]) is not None


def _add_layers(app: FastAPI, gateway: Gateway) -> None:
    """From the inside out."""
    app.add_middleware(Compressed)
    if gateway.settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(gateway.settings.cors_origins),
            allow_methods=["GET", "HEAD", "PUT", "POST", "DELETE"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "Idempotency-Key",
                "If-Match",
                "If-None-Match",
                "Last-Event-ID",
                "X-Request-ID",
                "Range",
            ],
            expose_headers=["X-Request-ID", "Content-Disposition", "Content-Range", "ETag", "Retry-After"],
        )
    app.add_middleware(Surround, metrics=app.state.metrics)
