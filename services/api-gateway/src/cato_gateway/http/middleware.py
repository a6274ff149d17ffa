"""Around every request: its id, its path, its log line, its measure, its last resort."""

import re
import time
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cato_gateway.http.error_responses import ORIGINAL_PATH, problem
from cato_gateway.http.metrics import Metrics
from cato_gateway.http.streaming import HEAD_ONLY

log = structlog.get_logger()

_REQUEST_ID = "cato.request_id"
_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


def request_id(scope: Scope) -> str:
    found: str = scope[_REQUEST_ID]
    return found


class Surround:
    """The outermost layer: nothing gets past it without an id, a log line and, if need be, a clean 500.

    A request id that the client sends is kept when it is a plain word of up to 128 characters. A path may
    end with a slash or not.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = Headers(scope=scope).get("x-request-id", "")
        scope[_REQUEST_ID] = sent if _ID.fullmatch(sent) else str(uuid4())
        path = scope[ORIGINAL_PATH] = scope["path"]
        scope["path"] = path.rstrip("/") or "/"
        with structlog.contextvars.bound_contextvars(request_id=scope[_REQUEST_ID], user="-"):
            await self._measured(scope, receive, send)

    async def _measured(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        status = 0

        # HEAD is GET whose body stays here: not every server drops it by itself.
        is_head = scope["method"] == "HEAD"
        inner = scope if not is_head else {**scope, "method": "GET", HEAD_ONLY: True}

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = scope[_REQUEST_ID]
            await send(message)

        self._metrics.in_progress.inc()
        try:
            await self._app(inner, receive, send_with_id)
        except Exception:
            if status:  # the answer is under way: all that can be done is to break it off
                raise
            log.exception("request failed")
            answer = problem(scope, 500, "internal error; the log has it under the id in X-Request-ID")
            await answer(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(inner.get("route"), "path", "none")
            self._metrics.in_progress.dec()
            self._metrics.observe(scope["method"], route, status, seconds)
            if route not in _QUIET:
                log.info(
                    "request",
                    method=scope["method"],
                    path=scope[ORIGINAL_PATH],
                    status=status,
                    ms=round(seconds * 1000, 1),
                )
