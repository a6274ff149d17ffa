"""The client that waits."""

import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self, TypeVar

import httpx

from cato_client.models import Page
from cato_client.operations import Operation
from cato_client.retries import Patience, Tries, address, authorization

T = TypeVar("T")


class Client:
    """Carries operations out, one after another; for use in one thread.

    `timeout_s` bounds one try, `patience` all of them. `transport` and `sleep` are for tests.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout_s: float = 30.0,
        patience: Patience | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._patience = patience or Patience()
        self._sleep = sleep
        self._http = httpx.Client(
            base_url=address(base_url), headers=authorization(token), timeout=timeout_s, transport=transport
        )

    def do(self, operation: Operation[T]) -> T:
        """Return what the operation gives.

        Raises:
            ApiError: the subclass that says why it was refused.
            UnreachableError: if there was no answer, however often it was tried.

        """
        tries = Tries(operation, self._patience, time.monotonic())
        while True:
            outcome = self._try(operation)
            wait = tries.wait_after(outcome, time.monotonic())
            if wait is None and isinstance(outcome, httpx.Response):
                return operation.read(outcome)
            self._sleep(wait or 0.0)

    def each(self, page: Callable[[str | None], Operation[Page[T]]]) -> Iterator[T]:
        """Yield everything of a collection: `client.each(lambda cursor: list_tasks(cursor=cursor))`."""
        cursor: str | None = None
        while True:
            found = self.do(page(cursor))
            yield from found.items
            cursor = found.next_cursor
            if cursor is None:
                return

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _try(self, operation: Operation[T]) -> httpx.Response | httpx.TransportError:
        try:
            return self._http.request(
                operation.method,
                operation.path,
                params=dict(operation.parameters),
                content=operation.content,
                headers=operation.headers,
            )
        except httpx.TransportError as error:
            return error
