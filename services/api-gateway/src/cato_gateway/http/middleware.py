"""Middleware of every request: id, log line and metrics; compression; closing of the connection."""

import asyncio
import re
import time
from contextlib import suppress
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cato_gateway.http.error_responses import ORIGINAL_PATH, problem
from cato_gateway.http.metrics import Metrics
from cato_gateway.http.streaming import HEAD_ONLY
from cato_runtime import tracing

log = structlog.get_logger()

_REQUEST_ID = "cato.request_id"
_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_GZIP_FROM_BYTES = 1024
_GZIP_LEVEL = 5
_ARRIVED_S = 0.05
_LINGER_S = 3.0
_ABSOLUTE = re.compile(r"(?is)https?://([^/]*)(/.*)?")
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


def request_id(scope: Scope) -> str:
    found: str = scope[_REQUEST_ID]
    return found


class RequestMiddleware:
    """Give every request an id, a log line, metrics and, after a failure, an answer with 500.

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
        given = Headers(scope=scope)
        sent = given.get("x-request-id", "")
        scope[_REQUEST_ID] = sent if _ID.fullmatch(sent) else str(uuid4())
        _take_absolute_form(scope)
        path = scope[ORIGINAL_PATH] = scope["path"]
        scope["path"] = path.rstrip("/") or "/"
        with (
            structlog.contextvars.bound_contextvars(request_id=scope[_REQUEST_ID], user="-"),
            tracing.span(scope["method"], parent=given.get(tracing.TRACEPARENT)) as span,
        ):
            await self._measured(scope, receive, send, span)

    async def _measured(self, scope: Scope, receive: Receive, send: Send, span: tracing.Span) -> None:
        started = time.perf_counter()
        status = 0

        # HEAD is GET whose body is dropped here: not every server does that by itself.
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
            if status:  # the answer has begun: only the connection can be closed
                raise
            log.exception("request failed")
            answer = problem(scope, 500, "an internal error occurred; the log has it under the X-Request-ID")
            await answer(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(inner.get("route"), "path", "none")
            self._metrics.in_progress.dec()
            self._metrics.observe(scope["method"], route, status, seconds)
            span.rename(f"{scope['method']} {route}")
            span.note(status=status, request_id=scope[_REQUEST_ID])
            if route not in _QUIET:
                log.info(
                    "request",
                    method=scope["method"],
                    path=scope[ORIGINAL_PATH],
                    status=status,
                    ms=round(seconds * 1000, 1),
                )


def _take_absolute_form(scope: Scope) -> None:
    """Reduce a target such as `http://host/path` to the path; its host counts (RFC 9112, 3.2.2)."""
    absolute = _ABSOLUTE.fullmatch(scope["path"])
    if absolute is None:
        return
    host, scope["path"] = absolute[1], absolute[2] or "/"
    raw = _ABSOLUTE.fullmatch(scope.get("raw_path", b"").decode("latin-1"))
    if raw is not None:
        scope["raw_path"] = (raw[2] or "/").encode("latin-1")
    scope["headers"] = [
        (b"host", host.encode("latin-1", "replace")),
        *(header for header in scope["headers"] if header[0] != b"host"),
    ]


class Compressed:
    """Compress answers for clients that accept gzip.

    Exceptions: audio, whose ranges refer to uncompressed bytes; events, which must not wait in a buffer; and
    Parquet and XLSX, which are compressed already.
    """

    def __init__(self, app: ASGIApp, *, api: str) -> None:
        self._plain = app
        self._gzip = GZipMiddleware(app, minimum_size=_GZIP_FROM_BYTES, compresslevel=_GZIP_LEVEL)
        self._never = re.compile(rf"{api}/(audio-files/[^/]+/content|task-execs/[^/]+/stream)")
        self._export = re.compile(rf"{api}/(calls|task-execs/[^/]+/subscribers)/export")
        self._list = re.compile(rf"{api}/subscriber-groups/[^/]+/subscribers")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._plain if self._is_plain(scope) else self._gzip)(scope, receive, send)

    def _is_plain(self, scope: Scope) -> bool:
        if scope["type"] != "http":
            return False
        path, query = scope["path"], scope["query_string"]
        if self._export.fullmatch(path) or self._list.fullmatch(path):
            return b"format=parquet" in query or b"format=xlsx" in query
        return self._never.fullmatch(path) is not None


class LingeringClose:
    """Close the connection after an answer to a request whose body has not arrived, but not at once.

    Many clients look at the answer (413, say) only when they have sent the whole body. So the body is read
    and dropped for a while after the answer; then the connection is closed, since the body may have no end.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        body = _Body(receive)
        waits = "expect" in Headers(scope=scope)  # the client waits for 100 Continue before it sends the body
        lingering = False

        async def answer(message: Message) -> None:
            nonlocal lingering
            if message["type"] == "http.response.start" and not body.ended:
                if not waits:
                    await body.drop(_ARRIVED_S)
                if not body.ended:
                    lingering = not waits
                    MutableHeaders(scope=message)["Connection"] = "close"
            if lingering and message["type"] == "http.response.body" and not message.get("more_body", False):
                await send({**message, "more_body": True})
                await body.drop(_LINGER_S)
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await self._app(scope, body.receive, answer)


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


class _Body:
    """The body of a request, and whether all of it was read."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.ended = False

    async def receive(self) -> Message:
        message = await self._receive()
        if not message.get("more_body", False):
            self.ended = True
        return message

    async def drop(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.ended:
                    await self.receive()
