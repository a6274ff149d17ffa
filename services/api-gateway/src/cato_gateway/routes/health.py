"""Health, metrics and documentation: no token needed."""

import asyncio
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field
from starlette.responses import JSONResponse, Response

from cato_contracts.api.stations import ListStations, StationState
from cato_contracts.errors import BrokerError, RefusedError
from cato_contracts.model import Resource
from cato_contracts.requests import Actor
from cato_gateway import openapi as documentation
from cato_gateway.deps import Deps
from cato_gateway.http.error_responses import Problem, problem
from cato_gateway.http.metrics import Metrics
from cato_gateway.http.serving.joined_metrics import joined_metrics
from cato_gateway.openapi.content import json_content, text_content

router = APIRouter(tags=["health"])

_PROBE = Actor(user_id="readyz")
_PROBE_S = 1.0

ServiceState = Literal["ready", "no answer"]

_METRICS = """\
# HELP cato_http_requests_in_progress Requests being answered.
# TYPE cato_http_requests_in_progress gauge
cato_http_requests_in_progress 1.0
"""
_BROKER_CLOSED = "the broker client is closed"
_ERROR: dict[str, Any] = {"timestamp": 1718617226687, "status": 503, "error": "Service Unavailable"}
_NOT_READY: dict[str, Any] = _ERROR | {
    "path": "/readyz",
    "message": "not ready: media",
    "services": {"media": "no answer", "dialer": "ready", "reporting": "ready"},
    "stationsDown": [],
}


class Alive(Resource):
    """The process is alive."""

    status: Literal["alive"] = Field(examples=["alive"])
    """Always `alive`."""


class NotAlive(Problem):
    """The broker client is closed and never connects again."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [_ERROR | {"path": "/healthz", "message": _BROKER_CLOSED}]}
    )


class Ready(Resource):
    """Every service can take requests."""

    status: Literal["ready"] = Field(examples=["ready"])
    """Always `ready`."""

    services: dict[str, ServiceState] = Field(
        examples=[{"media": "ready", "dialer": "ready", "reporting": "ready"}]
    )
    """The services by name."""

    stations_down: list[str] | None = Field(examples=[[]])
    """The names of the stations that no dialer reaches; null: the dialer does not say."""


class NotReady(Problem):
    """The gateway is shutting down, a service does not answer, or the broker stores no messages."""

    model_config = ConfigDict(json_schema_extra={"examples": [_NOT_READY]})

    services: dict[str, ServiceState]
    """The services by name; none while the gateway is shutting down."""

    stations_down: list[str] | None = None
    """The names of the stations that no dialer reaches; null: the dialer does not say."""


@router.get(
    "/healthz",
    response_model=Alive,
    responses={503: {"description": "Not alive.", "content": json_content(NotAlive)}},
)
async def healthz(request: Request) -> Response:
    """Report whether the process is alive. A process whose broker client is closed has to be replaced."""
    deps: Deps = request.app.state.deps
    if deps.probe.broker_closed():
        return problem(request.scope, 503, _BROKER_CLOSED)
    return JSONResponse({"status": "alive"})


@router.get(
    "/readyz",
    response_model=Ready,
    responses={503: {"description": "Not ready.", "content": json_content(NotReady)}},
)
async def readyz(request: Request) -> Response:
    """Report whether every service behind the gateway can take requests.

    Stations that are down are named, and do not matter for that: the API works without them.
    """
    deps: Deps = request.app.state.deps
    if deps.draining:
        more: dict[str, Any] = {"services": {}, "stationsDown": None}
        return problem(request.scope, 503, "the gateway is shutting down", more=more)
    states, down = await asyncio.gather(deps.probe.states(), _stations_down(deps))
    services = {name: "ready" if ready else "no answer" for name, ready in states.items()}
    if fault := deps.probe.storage_fault():
        return problem(request.scope, 503, fault, more={"services": services, "stationsDown": down})
    missing = [name for name, ready in states.items() if not ready]
    if missing:
        message = f"not ready: {', '.join(missing)}"
        return problem(request.scope, 503, message, more={"services": services, "stationsDown": down})
    return JSONResponse({"status": "ready", "services": services, "stationsDown": down})


async def _stations_down(deps: Deps) -> list[str] | None:
    try:
        found = await deps.asker.ask(ListStations(actor=_PROBE), timeout=_PROBE_S)
    except (RefusedError, BrokerError):
        return None
    return [station.name for station in found.items if station.state is StationState.DOWN]


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "Metrics.", "content": text_content("text/plain", _METRICS)}},
)
async def metrics(request: Request) -> Response:
    """Get metrics in Prometheus' text format; under `cato up` those of all services, by label `service`."""
    found: Metrics = request.app.state.metrics
    deps: Deps = request.app.state.deps
    text, directory = found.text(), deps.settings.metrics_directory
    if directory is not None:
        text = await joined_metrics(text, name="api-gateway", directory=directory)
    return Response(text, media_type=found.content_type)


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    return JSONResponse(request.app.openapi())


@router.get("/docs", include_in_schema=False)
async def docs() -> Response:
    # A page of our own: the usual ones load scripts from the Internet, which some sites cannot reach.
    return Response(_page(), media_type="text/html; charset=utf-8")


@cache
def _page() -> str:
    return files(documentation).joinpath("documentation.html").read_text(encoding="utf-8")
