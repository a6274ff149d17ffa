"""The blocking client."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Self, TypeVar
from uuid import UUID

import httpx

from cato_client import operations
from cato_client.following import LEAST_TIMEOUT_S, RETURN_AFTER_S, Followed, Following, FollowingAll
from cato_client.models import Page, Report, TaskExec
from cato_client.operation import Operation
from cato_client.retries import Patience, Tries, address, authorization, broken_off

T = TypeVar("T")
F = TypeVar("F")


class Client:
    """Sends operations one after another; for use in one thread.

    `timeout_s` limits one try, `patience` all tries together. `transport` and `sleep` are for tests.
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
        self._timeout_s = timeout_s
        self._patience = patience or Patience()
        self._sleep = sleep
        self._http = httpx.Client(
            base_url=address(base_url), headers=authorization(token), timeout=timeout_s, transport=transport
        )

    def do(self, operation: Operation[T]) -> T:
        """Send the operation and return its result.

        Raises:
            ApiError: if the API rejects it; the subclass depends on the status.
            UnreachableError: if there is no answer after all retries.

        """
        tries = self._tries(operation)
        while True:
            outcome = self._try(operation)
            wait = tries.wait_after(outcome, time.monotonic())
            if wait is None and isinstance(outcome, httpx.Response):
                return operation.read(outcome)
            self._sleep(wait or 0.0)

    def each(self, page: Callable[[str | None], Operation[Page[T]]]) -> Iterator[T]:
        """Yield all items of a collection: `client.each(lambda cursor: list_tasks(cursor=cursor))`."""
        cursor: str | None = None
        while True:
            found = self.do(page(cursor))
            yield from found.items
            cursor = found.next_cursor
            if cursor is None:
                return

    def pieces(self, operation: Operation[bytes]) -> Iterator[bytes]:
        """Yield the bytes of the answer as they arrive.

        Raises:
            ApiError: as `do`.
            UnreachableError: as `do`, and if the connection breaks; the answer is then incomplete.

        """
        answer = self._open(operation, self._tries(operation))
        try:
            yield from answer.iter_bytes()
        except httpx.TransportError as error:
            raise broken_off(operation, error) from error
        finally:
            answer.close()

    def follow(self, run_id: UUID) -> Iterator[Report]:
        """Yield the report of an execution, and again after each change, until the execution ends.

        Reconnects when the connection breaks. Raises the same errors as `do`.
        """
        return self._follow(operations.stream_reports(run_id), Following())

    def follow_all(self) -> Iterator[TaskExec | None]:
        """Yield every active execution, then None, then each execution that begins, changes or ends.

        Reconnects when the connection breaks: all active executions come again, and those that have ended
        meanwhile. Ends when the token is not valid any more. Raises the same errors as `do`.
        """
        return self._follow(operations.stream_all(), FollowingAll())

    def _follow(self, operation: Operation[None], following: Followed[F]) -> Iterator[F]:
        tries = self._tries(operation)
        while not following.over:
            resumed = replace(operation, headers={**operation.headers, **following.headers()})
            answer = self._open(resumed, tries, timeout_s=LEAST_TIMEOUT_S)
            following.connected()
            ended: httpx.TransportError = httpx.RemoteProtocolError("the stream ended too early")
            try:
                for content in answer.iter_bytes():
                    tries = self._tries(operation)
                    yield from following.items(content)
            except httpx.TransportError as error:
                ended = error
            finally:
                answer.close()
            if not following.over:
                wait = tries.wait_after(ended, time.monotonic()) or 0.0
                self._sleep(max(wait, RETURN_AFTER_S))

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _tries(self, operation: Operation[T]) -> Tries:
        return Tries(operation, self._patience, time.monotonic())

    def _open(self, operation: Operation[T], tries: Tries, timeout_s: float = 0.0) -> httpx.Response:
        while True:
            outcome: httpx.Response | httpx.TransportError
            try:
                request = self._request(operation, timeout_s)
                outcome = self._http.send(request, stream=True)
                if not outcome.is_success:
                    outcome.read()
            except httpx.TransportError as error:
                outcome = error
            wait = tries.wait_after(outcome, time.monotonic())
            if wait is None and isinstance(outcome, httpx.Response):
                return outcome
            self._sleep(wait or 0.0)

    def _try(self, operation: Operation[T]) -> httpx.Response | httpx.TransportError:
        try:
            return self._http.send(self._request(operation))
        except httpx.TransportError as error:
            return error

    def _request(self, operation: Operation[T], timeout_s: float = 0.0) -> httpx.Request:
        return self._http.build_request(
            operation.method,
            operation.path,
            params=dict(operation.parameters),
            content=operation.content,
            headers=operation.headers,
            timeout=max(self._timeout_s, timeout_s),
        )
