"""The context of a route: an authenticated user's request, and methods that send queries and commands."""

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

from cato_contracts.errors import BrokerError, InvalidError, NotFoundError, TooLargeError, UnavailableError
from cato_contracts.objects import Bucket, ObjectRef
from cato_contracts.requests import Actor, Command, Query
from cato_gateway.audited_changes import change_made, is_change, resource_before
from cato_gateway.deps import Deps
from cato_gateway.http import bodies
from cato_gateway.http.authentication import actor_with
from cato_gateway.http.conditional import client_has, etag_of
from cato_gateway.http.idempotency import answer_once
from cato_gateway.http.middleware import request_id
from cato_runtime.configuration.config import Permission

log = structlog.get_logger()

R = TypeVar("R")
B = TypeVar("B", bound=BaseModel)

API = "/api/v1"
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LEAST_PATIENCE_S = 0.1
_NO_BODY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Upload:
    """A request body in the object store, for the service that decides about it."""

    ref: ObjectRef
    digest: str


@dataclass(frozen=True, slots=True)
class RequestContext:
    """A request of a user who has the permission for it."""

    deps: Deps
    request: Request
    actor: Actor
    correlation_id: str
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    def url(self, path: str) -> str:
        """Return the absolute address of a path of the API."""
        base = self.deps.settings.public_url or str(self.request.base_url)
        return f"{base.rstrip('/')}{API}{path}"

    async def ask(self, query: Query[R], *, timeout: timedelta | None = None) -> R:
        """Return the answer of a service; errors are those of `Asker.ask`."""
        patience = (timeout or self.deps.settings.answer_timeout).total_seconds()
        try:
            return await self.deps.asker.ask(query, correlation_id=self.correlation_id, timeout=patience)
        except TooLargeError as error:  # the answer is too large; 413 would be about the request
            raise InvalidError(error.message, resource_id=error.resource_id) from error

    async def order(self, command: Command[R]) -> R:
        """Return the answer of a service to a command without a key; errors are those of `Asker.ask`."""
        return await self._send(command, str(uuid4()), self.deps.settings.upload_timeout)

    async def body(self, model: type[B]) -> tuple[B, str]:
        """Return the JSON body and its digest; errors as `bodies.read_model`."""
        settings = self.deps.settings
        value, raw = await bodies.read_model(
            self.request, model, settings.resource_bytes, settings.body_timeout
        )
        return value, hashlib.sha256(raw).hexdigest()

    async def optional_body(self, model: type[B]) -> tuple[B, str]:
        """Return the JSON body as `body` does; without one, a model of defaults."""
        if bodies.is_absent(self.request):
            return model(), _NO_BODY
        return await self.body(model)

    async def upload(self, limit: int) -> Upload:
        """Stream the body into the object store; errors as `bodies.pieces`."""
        digest = hashlib.sha256()
        incoming = bodies.pieces(self.request, limit, self.deps.settings.body_timeout)

        async def digested() -> AsyncIterator[bytes]:
            async for piece in incoming:
                digest.update(piece)
                yield piece

        ref = await self.deps.objects.put(Bucket.UPLOADS, str(uuid4()), digested())
        return Upload(ref, digest.hexdigest())

    def show(self, resource: object, view: BaseModel) -> Response:
        """Answer with `view` of a resource, or with 304 if the client has this version already."""
        etag = etag_of(resource)
        if etag is not None and client_has(self.request, etag):
            return Response(status_code=304, headers={"ETag": etag})
        return json_answer(view, etag=etag)

    async def remove(self, command: Command[None]) -> Response:
        await self._send(command, str(uuid4()), self.deps.settings.answer_timeout)
        return Response(status_code=204)

    async def carry_out(
        self,
        command: Command[R] | Query[R],
        render: Callable[[R], BaseModel],
        *,
        key: str | None,
        digest: str = _NO_BODY,
        slow: bool = False,
    ) -> Response:
        """Send a command once per idempotency key; answer with `render` of its result.

        Raises:
            KeyReusedError: if the key came with another body (`digest`) before.
            RefusedError: as `Asker.ask`.

        """
        settings = self.deps.settings
        timeout = settings.upload_timeout if slow else settings.answer_timeout

        async def act(command_id: str) -> Response:
            done = await self._send(command, command_id, timeout)
            return json_answer(render(done), etag=etag_of(done))

        if key is None:
            return await act(str(uuid4()))
        return await answer_once(
            self.deps.ledger,
            self.request,
            act,
            key=key,
            user=self.actor.user_id,
            digest=digest,
            started=self.started,
        )

    async def carry_out_upload(
        self,
        upload: Upload,
        command: Command[R] | Query[R],
        render: Callable[[R], BaseModel],
        *,
        key: str | None,
        kind: str = "",
    ) -> Response:
        """As `carry_out`; remove the upload when the command is settled."""
        settled = True
        try:
            return await self.carry_out(command, render, key=key, digest=f"{kind}{upload.digest}", slow=True)
        except UnavailableError:
            settled = False  # the service may still read it; the bucket drops it after a day
            raise
        finally:
            if settled:
                await self._forget(upload)

    async def _forget(self, upload: Upload) -> None:
        try:
            await self.deps.objects.remove(upload.ref)
        except BrokerError as error:
            log.warning("upload not removed, it expires by itself", error=repr(error))

    async def _send(self, command: Command[R] | Query[R], command_id: str, timeout: timedelta) -> R:
        """Send a command, and repeat it until the time-out.

        A service that dies loses the commands that it holds. The command id makes two deliveries one command,
        so sending again is safe.
        """
        if not is_change(command):
            return await self._sent(command, command_id, timeout)
        before = await resource_before(self.deps.asker, command, correlation_id=self.correlation_id)
        answer = await self._sent(command, command_id, timeout)
        # Before the answer: a client that gets no answer repeats the request, and no change goes unrecorded.
        await self.deps.audit.append(change_made(command, command_id, self.correlation_id, before, answer))
        return answer

    async def _sent(self, command: Command[R] | Query[R], command_id: str, timeout: timedelta) -> R:
        settings, clock = self.deps.settings, asyncio.get_running_loop().time
        deadline = clock() + timeout.total_seconds()
        while True:
            asked = clock()
            patience = min(settings.answer_timeout.total_seconds(), deadline - asked)
            try:
                return await self.deps.asker.ask(
                    command,
                    command_id=command_id,
                    correlation_id=self.correlation_id,
                    timeout=patience,
                    wait=deadline - asked,
                )
            except UnavailableError:
                refused_at_once = clock() - asked < patience / 2
                if refused_at_once or deadline - clock() < _LEAST_PATIENCE_S:
                    raise


def json_answer(value: BaseModel, *, etag: str | None = None) -> Response:
    """Answer with a resource, its id first as in the manual's examples."""
    fields = value.model_dump(mode="json", by_alias=True)
    if "id" in fields:
        fields = {"id": fields["id"], **fields}
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"} if etag else None
    return Response(to_json(fields), media_type="application/json", headers=headers)


def _context_with(permission: Permission) -> Callable[..., Awaitable[RequestContext]]:
    """Return the dependency that makes the context of a request, for users with `permission`."""

    async def make(
        request: Request, actor: Annotated[Actor, Depends(actor_with(permission))]
    ) -> RequestContext:
        request.app.state.parameters.check(request)
        deps: Deps = request.app.state.deps
        if fault := deps.probe.storage_fault():
            # What the services would answer is out of date: no event of a call reaches them.
            raise UnavailableError(fault)
        return RequestContext(deps, request, actor, request_id(request.scope))

    return make


Reader = Annotated[RequestContext, Depends(_context_with(Permission.READ))]
Writer = Annotated[RequestContext, Depends(_context_with(Permission.WRITE))]
Analyst = Annotated[RequestContext, Depends(_context_with(Permission.ANALYST))]
Administrator = Annotated[RequestContext, Depends(_context_with(Permission.ADMIN))]
Approver = Annotated[RequestContext, Depends(_context_with(Permission.APPROVE))]
Runner = Annotated[RequestContext, Depends(_context_with(Permission.RUN))]


async def resource_id(
    id: Annotated[  # noqa: A002 - the manual's {id}
        str, Path(description="The id that the server gave it.", json_schema_extra={"format": "uuid"})
    ],
) -> UUID:
    """Return the id in the path.

    Raises:
        NotFoundError: if it is not a UUID, since no resource has such an id.

    """
    if not _UUID.fullmatch(id):
        raise NotFoundError("there is no such resource: the id in the address is not a UUID", resource_id=id)
    return UUID(id)


ResourceId = Annotated[UUID, Depends(resource_id)]
