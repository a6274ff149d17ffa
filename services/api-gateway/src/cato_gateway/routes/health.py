"""Health, metrics and documentation: no token needed."""

from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from cato_gateway import openapi as documentation
from cato_gateway.deps import Deps
from cato_gateway.http.error_responses import problem
from cato_gateway.http.metrics import Metrics

router = APIRouter(tags=["health"])


@router.get("/healthz", response_class=JSONResponse, responses={503: {"description": "Not alive."}})
async def healthz(request: Request) -> Response:
    """Tell whether the process is alive; one whose broker client is closed has to be replaced."""
    deps: Deps = request.app.state.deps
    if deps.probe.broker_closed():
        return problem(request.scope, 503, "the broker client is closed")
    return JSONResponse({"status": "alive"})


@router.get("/readyz", response_class=JSONResponse, responses={503: {"description": "Not ready."}})
async def readyz(request: Request) -> Response:
    """Tell whether every service behind the gateway can take requests."""
    deps: Deps = request.app.state.deps
    if deps.draining:
        return problem(request.scope, 503, "the gateway is shutting down", more={"services": {}})
    states = await deps.probe.states()
    services = {name: "ready" if ready else "no answer" for name, ready in states.items()}
    missing = [name for name, ready in states.items() if not ready]
    if missing:
        message = f"not ready: {', '.join(missing)}"
        return problem(request.scope, 503, message, more={"services": services})
    return JSONResponse({"status": "ready", "services": services})


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Get metrics in Prometheus' text format."""
    found: Metrics = request.app.state.metrics
    return Response(found.text(), media_type=found.content_type)


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    return JSONResponse(request.app.openapi())


@router.get("/docs", include_in_schema=False)
async def docs() -> Response:
    # Our own page: the usual ones load their scripts from the Internet, which some sites do not have.
    return Response(_page(), media_type="text/html; charset=utf-8")


@cache
def _page() -> str:
    return files(documentation).joinpath("documentation.html").read_text(encoding="utf-8")
