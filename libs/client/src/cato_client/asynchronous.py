"""The client for asyncio."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Self, TypeVar

import httpx

from cato_client.models import Page
from cato_client.operations import Operation
from cato_client.retries import Patience, Tries, address, authorization

T = TypeVar("T")


class AsyncClient:
    """Carries operations out, as many at once as wanted.

    `timeout_s` bounds one try, `patience` all of them. `transport` and `sleep` are for tests.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout_s: float = 30.0,
        patience: Patience | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._patience = patience or Patience()
        self._sleep = sleep
        self._http = httpx.AsyncClient(
            base_url=address(base_url), headers=authorization(token), timeout=timeout_s, transport=transport
        )

    async def do(self, operation: Operation[T]) -> T:
        """Return what the operation gives.

        Raises:
            ApiError: the subclass that says why it was refused.
            UnreachableError: if there was no answer, however often it was tried.

        """
        tries = Tries(operation, self._patience, time.monotonic())
        while True:
            outcome = await self._try(operation)
            wait = tries.wait_after(outcome, time.monotonic())
            if wait is None and isinstance(outcome, httpx.Response):
                return operation.read(outcome)
            await self._sleep(wait or 0.0)

    async def each(self, page: Callable[[str | None], Operation[Page[T]]]) -> AsyncIterator[T]:
        """Yield everything of a collection: `client.each(lambda cursor: list_tasks(cursor=cursor))`."""
        cursor: str | None = None
        while True:
            found = await self.do(page(cursor))
            for item in found.items:
                yield item
            cursor = found.next_cursor
            if cursor is None:
                return

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _try(self, operation: Operation[T]) -> httpx.Response | httpx.TransportError:
        try:
            return await self._http.request(
                operation.method,
                operation.path,
                params=dict(operation.parameters),
                content=operation.content,
                headers=operation.headers,
            )
        except httpx.TransportError as error:
            return error
