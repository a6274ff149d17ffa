"""One call of the API: who calls, and how it becomes a query or a command."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar
from uuid import UUID, uuid4

import structlog
from fastapi import Depends, Path, Request
from pydantic import BaseModel
from pydantic_core import to_json
from starlette.responses import Response

from cato_contracts.envelope import ErrorCode
from cato_contracts.errors import (
    BrokerError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RefusedError,
    TooLargeError,
    UnavailableError,
)
from cato_contracts.ids import derived_id
from cato_contracts.objects import Bucket, ObjectRef
from cato_contracts.requests import Actor, Command, Query
from cato_gateway.deps import Gateway
from cato_gateway.errors import KeyReusedError, UnauthorizedError
from cato_gateway.http import bodies
from cato_gateway.http.conditional import client_has, etag_of
from cato_gateway.http.middleware import request_id
from cato_gateway.openapi.documented import CHANGES_OF_VERSIONS
from cato_gateway.ports import KeptAnswer, LedgerEntry
from cato_runtime.config import Permission

log = structlog.get_logger()

R = TypeVar("R")
B = TypeVar("B", bound=BaseModel)

API = "/api/v1"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UNCERTAIN = frozenset({ErrorCode.UNAVAILABLE, ErrorCode.INTERNAL})
_LEAST_PATIENCE_S = 0.1
_NO_BODY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Upload:
    """A body in the object store, on its way to the service that judges it."""

    ref: ObjectRef
    digest: str


@dataclass(frozen=True, slots=True)
class Call:
    """A request of a user who may make it."""

    gateway: Gateway
    request: Request
    actor: Actor
    correlation_id: str
    _started: datetime = field(default_factory=lambda: datetime.now(UTC))

    def url(self, path: str) -> str:
        """Return the address of something of the API."""
        base = self.gateway.settings.public_url or str(self.request.base_url)
        return f"{base.rstrip('/')}{API}{path}"

    async def ask(self, query: Query[R]) -> R:
        """Return the answer of a service; errors are those of `Asker.ask`."""
        timeout = self.gateway.settings.answer_timeout.total_seconds()
        try:
            return await self.gateway.asker.ask(query, correlation_id=self.correlation_id, timeout=timeout)
        except TooLargeError as error:  # the answer, that is: 413 would be about the request
            raise InvalidError(error.message, resource_id=error.resource_id) from error

    async def order(self, command: Command[R]) -> R:
        """Return the answer of a service to a command that no key is for; errors are those of `Asker.ask`."""
        return await self._send(command, str(uuid4()), self.gateway.settings.upload_timeout)

    async def body(self, model: type[B]) -> tuple[B, str]:
        """Return the JSON body and its digest; errors as `bodies.read_model`."""
        settings = self.gateway.settings
        value, raw = await bodies.read_model(
            self.request, model, settings.resource_bytes, settings.body_timeout
        )
        return value, hashlib.sha256(raw).hexdigest()

    async def upload(self, limit: int) -> Upload:
        """Stream the body into the object store; errors as `bodies.pieces`."""
        digest = hashlib.sha256()
        patience = self.gateway.settings.body_timeout
        incoming = bodies.pieces(self.request, limit, patience)

        async def digested() -> AsyncIterator[bytes]:
            async for piece in incoming:
                digest.update(piece)
                yield piece

        ref = await self.gateway.objects.put(Bucket.UPLOADS, str(uuid4()), digested())
        return Upload(ref, digest.hexdigest())

    def show(self, resource: object, view: BaseModel) -> Response:
        """Answer with a resource as `view`, or with 304 if the client has it already."""
        etag = etag_of(resource)
        if etag is not None and client_has(self.request, etag):
            return Response(status_code=304, headers={"ETag": etag})
        return json_answer(view, etag=etag)

    async def remove(self, command: Command[None]) -> Response:
        await self._send(command, str(uuid4()), self.gateway.settings.answer_timeout)
        return Response(status_code=204)

    async def carry_out(
        self,
        command: Command[R],
        render: Callable[[R], BaseModel],
        *,
        digest: str = _NO_BODY,
        slow: bool = False,
    ) -> Response:
        """Send a command once per Idempotency-Key; answer with what `render` makes of its answer.

        Raises:
            KeyReusedError: if the key came with another body (`digest`) before.
            RefusedError: as `Asker.ask`.

        """
        settings = self.gateway.settings
        timeout = settings.upload_timeout if slow else settings.answer_timeout

        async def act(command_id: str) -> Response:
            done = await self._send(command, command_id, timeout)
            return json_answer(render(done), etag=etag_of(done))

        key = self.request.headers.get("idempotency-key")
        if key is None:
            return await act(str(uuid4()))
        return await self._once(key, digest, act)

    async def carry_out_upload(
        self, upload: Upload, command: Command[R], render: Callable[[R], BaseModel], *, kind: str = ""
    ) -> Response:
        """As `carry_out`, and the upload is gone when the command is settled."""
        settled = True
        try:
            return await self.carry_out(command, render, digest=f"{kind}{upload.digest}", slow=True)
        except UnavailableError:
            settled = False  # the service may be at work on it yet; the bucket forgets it in a day
            raise
        finally:
            if settled:
                await self._forget(upload)

    async def _forget(self, upload: Upload) -> None:
        try:
            await self.gateway.objects.remove(upload.ref)
        except BrokerError as error:
            log.warning("upload not removed, it will expire", error=repr(error))

    async def _send(self, command: Command[R], command_id: str, timeout: timedelta) -> R:
        """Return the answer to a command, which is offered again while there is time.

        A service that dies takes the commands in its hands with it. Its id makes a command that comes twice
        one command, so nothing is lost by asking again.
        """
        settings, clock = self.gateway.settings, asyncio.get_running_loop().time
        deadline = clock() + timeout.total_seconds()
        while True:
            asked = clock()
            patience = min(settings.answer_timeout.total_seconds(), deadline - asked)
            try:
                return await self.gateway.asker.ask(
                    command, command_id=command_id, correlation_id=self.correlation_id, timeout=patience
                )
            except UnavailableError:
                refused_at_once = clock() - asked < patience / 2
                if refused_at_once or deadline - clock() < _LEAST_PATIENCE_S:
                    raise

    async def _once(self, key: str, digest: str, act: Callable[[str], Awaitable[Response]]) -> Response:
        if not _KEY.fullmatch(key):
            raise InvalidError("Idempotency-Key should be 1 to 255 visible ASCII characters")
        request, ledger = self.request, self.gateway.ledger
        place = str(derived_id(self.actor.user_id, request.method, request.url.path.rstrip("/"), key))
        # The time is part of the command's identity, so that a key may be used again when a day is over.
        wanted = LedgerEntry(
            digest=f"{request.url.query}|{request.headers.get('if-match', '')}|{digest}",
            command_id=str(derived_id(place, self._started.isoformat())),
        )
        entry = await ledger.reserve(place, wanted)
        if entry.digest != wanted.digest:
            raise KeyReusedError(key)
        if entry.answer is not None:
            return _again(entry.answer)
        try:
            answer = await act(entry.command_id)
        except RefusedError as error:
            if error.code in _UNCERTAIN:
                raise  # it may have been carried out: the retry carries the same command
            await ledger.settle(place, entry.model_copy(update={"free": True}))
            raise
        kept = KeptAnswer(
            status=answer.status_code,
            media_type=answer.media_type,
            body=bytes(answer.body).decode(),
            etag=answer.headers.get("ETag"),
        )
        await ledger.settle(place, entry.model_copy(update={"answer": kept}))
        return answer


def json_answer(value: BaseModel, *, etag: str | None = None) -> Response:
    """Answer with a resource, its id first as in the manual's examples."""
    fields = value.model_dump(mode="json", by_alias=True)
    if "id" in fields:
        fields = {"id": fields["id"], **fields}
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"} if etag else None
    return Response(to_json(fields), media_type="application/json", headers=headers)


def _again(answer: KeptAnswer) -> Response:
    return Response(
        answer.body,
        status_code=answer.status,
        media_type=answer.media_type,
        headers={"Idempotent-Replayed": "true"} | ({"ETag": answer.etag} if answer.etag else {}),
    )


def permitted(permission: Permission) -> Callable[..., Awaitable[Call]]:
    """Return the dependency that lets users with `permission` through.

    Raises:
        UnauthorizedError: without a known token.
        ForbiddenError: if the token does not allow it.

    """

    async def call(request: Request) -> Call:
        gateway: Gateway = request.app.state.gateway
        holder = gateway.tokens.holder(_token(request))
        if holder is None:
            raise UnauthorizedError("no such token")
        structlog.contextvars.bind_contextvars(user=holder.user)
        if permission not in holder.permissions:
            raise ForbiddenError(f"the token of {holder.user} has no permission to {permission}")
        _refuse_unknown_parameters(request)
        _refuse_idle_condition(request)
        return Call(gateway, request, holder.actor(), request_id(request.scope))

    return call


def _token(request: Request) -> bytes:
    scheme, _, credentials = request.headers.get("authorization", "").strip().partition(" ")
    kind, colon, token = credentials.strip().partition(":")
    if scheme.lower() != "bearer" or kind != "plain" or not colon or not token:
        raise UnauthorizedError("a token is needed: Authorization: Bearer plain:<appToken>")
    return token.encode("latin-1")


def _refuse_unknown_parameters(request: Request) -> None:
    known: set[str] = request.app.state.parameters.get(request.scope["route"].path, set())
    for name in request.query_params:
        if name not in known:
            allowed = f"; allowed: {', '.join(sorted(known))}" if known else ""
            raise InvalidError(f"unknown parameter {name}{allowed}")


def _refuse_idle_condition(request: Request) -> None:
    """Refuse an If-Match that nothing would heed: its sender relies on it."""
    if request.method == "GET" or "if-match" not in request.headers:
        return
    if request.scope["route"].name not in CHANGES_OF_VERSIONS:
        raise InvalidError("If-Match does not apply here: it goes with replacing and removing a resource")


Reader = Annotated[Call, Depends(permitted(Permission.READ))]
Writer = Annotated[Call, Depends(permitted(Permission.WRITE))]
Runner = Annotated[Call, Depends(permitted(Permission.RUN))]


async def resource_id(id: Annotated[str, Path(json_schema_extra={"format": "uuid"})]) -> UUID:  # noqa: A002 - the manual's {id}
    """Return the id in the path.

    Raises:
        NotFoundError: if it is no UUID: then there is no such resource, either.

    """
    if not _UUID.fullmatch(id):
        raise NotFoundError("there is no such resource: its id is no UUID", resource_id=id)
    return UUID(id)


ResourceId = Annotated[UUID, Depends(resource_id)]
