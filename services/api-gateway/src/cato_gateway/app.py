"""The HTTP application: routes, errors and middleware."""

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from cato_gateway.deps import Deps
from cato_gateway.http.error_responses import AllowedMethods, add_handlers
from cato_gateway.http.metrics import Metrics
from cato_gateway.http.middleware import Compressed, LingeringClose, RequestMiddleware
from cato_gateway.http.parameters import DeclaredParameters
from cato_gateway.http.request_context import API
from cato_gateway.openapi import document
from cato_gateway.routes import (
    audio_files,
    health,
    me,
    notification_settings,
    stations,
    stream,
    subscriber_groups,
    task_execs,
    tasks,
)
from cato_gateway.routes.history import audit, calls, run_subscribers, sql, statistics
from cato_gateway.routes.lists import exclusion_lists
from cato_gateway.routes.rules import approvals, contact_limits, pacing_rules
from cato_gateway.routes.traces import sip_traces

_RESOURCES = (
    audio_files,
    subscriber_groups,
    exclusion_lists,
    notification_settings,
    pacing_rules,
    contact_limits,
    sip_traces,
    audit,
    tasks,
    task_execs,
    stream,
    approvals,
    run_subscribers,
    calls,
    statistics,
    sql,
    stations,
    me,
    health,
)
_REQUEST_HEADERS = [
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "X-Request-ID",
    "Range",
]
_RESPONSE_HEADERS = ["X-Request-ID", "Content-Disposition", "Content-Range", "ETag", "Retry-After"]


def create_app(deps: Deps) -> FastAPI:
    """Return the application that works with `deps`."""
    app = FastAPI(
        title=document.TITLE,
        version=document.VERSION,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    allowed = AllowedMethods()
    for resource in _RESOURCES:
        app.include_router(resource.router)
        allowed.add(resource.router)
    app.include_router(health.router, prefix=API, include_in_schema=False)
    allowed.add(health.router, API)
    add_handlers(app, allowed)
    app.state.deps = deps
    app.state.parameters = DeclaredParameters(app)
    app.state.metrics = Metrics()
    _add_middleware(app, deps)
    app.openapi = lambda: document.openapi_document(app)  # type: ignore[method-assign]
    return app


def _add_middleware(app: FastAPI, deps: Deps) -> None:
    """The order is from the innermost to the outermost."""
    app.add_middleware(Compressed, api=API)
    if deps.settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(deps.settings.cors_origins),
            allow_methods=["GET", "HEAD", "PUT", "POST", "DELETE"],
            allow_headers=_REQUEST_HEADERS,
            expose_headers=_RESPONSE_HEADERS,
        )
    app.add_middleware(RequestMiddleware, metrics=app.state.metrics)
    app.add_middleware(LingeringClose)
