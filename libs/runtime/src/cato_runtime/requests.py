"""Requests over the broker: tables of handlers on one side, a typed `ask` on the other."""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

import structlog
from faststream.nats import NatsBroker
from faststream.nats.annotations import NatsMessage
from pydantic import TypeAdapter

from cato_contracts.envelope import Answer, Envelope, Message, decode
from cato_contracts.errors import (
    BrokerError,
    ConflictError,
    ErrorCode,
    ErrorInfo,
    ForbiddenError,
    InvalidError,
    InvalidListError,
    NotAvailableYetError,
    NotFoundError,
    OverloadedError,
    PreconditionFailedError,
    RefusedError,
    TemporaryError,
    TooLargeError,
    UnavailableError,
    UndecodableError,
    UnsupportedMediaError,
)
from cato_contracts.requests import Request
from cato_jetstream import NoListener, translated
from cato_runtime import tracing
from cato_runtime.clock import Clock, SystemClock

log = structlog.get_logger()

R = TypeVar("R")
Q = TypeVar("Q", bound=Request[Any])

_WAIT = "Cato-Wait-Ms"
"""The header of a request with the milliseconds for which its answer is of use. Clocks need not agree."""
_MILLISECONDS = re.compile(r"[0-9]{1,10}")
_RETRY_WAIT_S = 0.05
_MAX_WORKERS = 64
_REFUSALS: dict[ErrorCode, type[RefusedError]] = {
    refusal.code: refusal
    for refusal in (
        InvalidError,
        ForbiddenError,
        NotFoundError,
        ConflictError,
        PreconditionFailedError,
        TooLargeError,
        UnsupportedMediaError,
        UnavailableError,
        OverloadedError,
        NotAvailableYetError,
    )
}


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The parts of a request besides its body that a handler may use.

    `command_id` stays the same when the client retries, so a resource whose id is derived from it is created
    once. `deadline` is the time of the event loop after which the client has stopped waiting.
    """

    command_id: str
    correlation_id: str
    now: datetime
    deadline: float | None = None


Handler = Callable[[Q, RequestContext], Awaitable[Any]]
HandlerTable = Mapping[type[Request[Any]], Handler[Any]]
"""The handler of each request type that a service answers."""


class RequestTable:
    """Which handler answers which request."""

    def __init__(self, clock: Clock | None = None, handlers: HandlerTable | None = None) -> None:
        self._handlers: dict[type[Request[Any]], Handler[Any]] = {}
        self._answers: dict[type[Request[Any]], TypeAdapter[Any]] = {}
        self._clock = clock or SystemClock()
        for request, handler in (handlers or {}).items():
            self.add(request, handler)

    def add(self, request: type[Q], handler: Handler[Q]) -> None:
        if request in self._handlers:
            msg = f"{request.__name__} has a handler already"
            raise ValueError(msg)
        self._handlers[request] = handler
        self._answers[request] = request.answer_type()

    def on(self, request: type[Q]) -> Callable[[Handler[Q]], Handler[Q]]:
        """Return a decorator that registers the handler of `request`."""

        def register(handler: Handler[Q]) -> Handler[Q]:
            self.add(request, handler)
            return handler

        return register

    def include(self, other: "RequestTable") -> None:
        for request, handler in other._handlers.items():  # noqa: SLF001 - same class
            self.add(request, handler)

    @property
    def requests(self) -> list[type[Request[Any]]]:
        return list(self._handlers)

    async def dispatch(self, envelope: Envelope[Message], *, wait_s: float | None = None) -> Answer:
        """Answer a request; an exception of the handler becomes an error in the answer.

        `wait_s` is for how long the sender waits for the answer, None if it does not say so.
        """
        request = envelope.body
        handler = self._handlers.get(type(request))  # type: ignore[arg-type]
        if handler is None:
            return _refused(ErrorCode.NOT_IMPLEMENTED, f"{envelope.type} has no handler")
        deadline = None if wait_s is None else asyncio.get_running_loop().time() + wait_s
        context = RequestContext(envelope.event_id, envelope.correlation_id, self._clock.now(), deadline)
        try:
            value = await handler(request, context)
            answer_type = self._answers[type(request)]  # type: ignore[index]
            return Answer(ok=True, value=answer_type.dump_python(value, mode="json"))
        except RefusedError as error:
            return Answer(ok=False, error=error.info())
        except TemporaryError as error:
            log.warning("request failed for the time being", request=envelope.type, error=repr(error))
            what = "message broker does not" if isinstance(error, BrokerError) else "service cannot"
            return _refused(ErrorCode.UNAVAILABLE, f"the {what} answer; try again")
        except Exception:
            log.exception("request failed", request=envelope.type, correlation_id=envelope.correlation_id)
            return _refused(ErrorCode.INTERNAL, "internal error")


def serve_requests(broker: NatsBroker, table: RequestTable, *, service: str) -> None:
    """Subscribe the table's requests, shared by all replicas of the service; before `broker.start`."""
    for request in table.requests:
        _subscribe(broker, table, request, service)


def _subscribe(broker: NatsBroker, table: RequestTable, request: type[Request[Any]], service: str) -> None:
    async def answer(body: bytes, message: NatsMessage) -> bytes:
        try:
            envelope = decode(body)
        except UndecodableError as error:
            reply = _refused(ErrorCode.INVALID, str(error))
        else:
            headers = message.headers or {}
            with tracing.span(envelope.type, parent=headers.get(tracing.TRACEPARENT)) as span:
                reply = await table.dispatch(envelope, wait_s=_wait_of(headers))
                span.note(error=reply.error and reply.error.code)
        return reply.model_dump_json().encode()

    # No decoding by the framework: one bad message must give an answer, not an exception.
    broker.subscriber(
        request.subject(),
        queue=service,
        max_workers=_MAX_WORKERS,
        title=request.__name__,
        description=request.__doc__,
        decoder=_raw,
    )(answer)


def _wait_of(headers: Mapping[str, str] | None) -> float | None:
    sent = (headers or {}).get(_WAIT, "")
    return int(sent) / 1000 if _MILLISECONDS.fullmatch(sent) else None


async def _raw(message: Any) -> bytes:
    return bytes(message.body)


class Requester:
    """Asks services over the broker."""

    def __init__(self, broker: NatsBroker, clock: Clock | None = None) -> None:
        self._broker = broker
        self._clock = clock or SystemClock()

    async def ask(
        self,
        request: Request[R],
        *,
        command_id: str | None = None,
        correlation_id: str | None = None,
        timeout: float = 10.0,
        wait: float | None = None,
    ) -> R:
        """Send a request and return its answer.

        `wait` is for how long the answer is of use (seconds), if the same request will be sent again after
        `timeout`; the service does no work for it after that time.

        `command_id` makes a command idempotent; without one the request is a new one. While no
        replica listens (the service restarts) the request is sent again until `timeout` (seconds).

        Raises:
            RefusedError: the subclass that the service's error code names; `UnavailableError` without an
                answer in time.

        """
        envelope = Envelope[Any].wrap(
            request,
            event_id=command_id or str(uuid4()),
            occurred_at=self._clock.now(),
            correlation_id=correlation_id,
        )
        of_use = max(timeout, wait or 0)
        with tracing.span(f"ask {envelope.type}"):
            raw = await self._exchange(envelope.encode(), request.subject(), timeout, of_use)
        answer = Answer.model_validate_json(raw)
        if answer.error is not None:
            raise refusal(answer.error)
        value: R = request.answer_type().validate_python(answer.value)
        return value

    async def _exchange(self, payload: bytes, subject: str, timeout: float, wait: float) -> bytes:
        now = asyncio.get_running_loop().time()
        deadline, of_use = now + timeout, now + wait
        service = subject.split(".")[1]
        while True:
            now = asyncio.get_running_loop().time()
            left = deadline - now
            if left <= 0:
                raise UnavailableError(f"the {service} service did not answer within {timeout:g} s")
            try:
                with translated():
                    headers = {_WAIT: str(int((of_use - now) * 1000)), **tracing.headers()}
                    message = await self._broker.request(payload, subject, headers=headers, timeout=left)
                return bytes(message.body)
            except NoListener:
                await asyncio.sleep(_RETRY_WAIT_S * (1 + random.random()))  # noqa: S311 - spreading, no secret
            except BrokerError as error:
                raise UnavailableError(
                    f"the {service} service did not answer within {timeout:g} s"
                ) from error


def refusal(error: ErrorInfo) -> RefusedError:
    """Return the exception for an error of an answer."""
    if error.faults:
        return InvalidListError(error.message, faults=error.faults, fault_count=error.fault_count)
    return _REFUSALS.get(error.code, RefusedError)(error.message, resource_id=error.resource_id)


def _refused(code: ErrorCode, message: str) -> Answer:
    return Answer(ok=False, error=ErrorInfo(code=code, message=message))
