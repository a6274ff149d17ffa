"""A client that takes an answer piece by piece, for tests: httpx gives an application's answer as a whole."""

import asyncio
from types import TracebackType
from typing import Any, Self

from fastapi import FastAPI
from starlette.types import Message

_DEADLINE_S = 10.0


class Connection:
    """A request whose answer is sent only as far as the test reads it."""

    def __init__(self, app: FastAPI, path: str, *, token: str = "default", **headers: str) -> None:
        path, _, query = path.partition("?")
        sent = {"authorization": f"Bearer plain:{token}", "host": "cato.test", **headers}
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},  # uvicorn's
            "http_version": "1.1",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in sent.items()],
            "scheme": "http",
            "server": ("cato.test", 80),
            "client": ("client", 1),
            "root_path": "",
        }
        self._app = app
        self._gone = asyncio.Event()
        self._sent: asyncio.Queue[Message | None] = asyncio.Queue()
        self._requested = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        self.start = await self._next()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.go_away()

    @property
    def status(self) -> int:
        assert self.start is not None
        status: int = self.start["status"]
        return status

    @property
    def headers(self) -> dict[str, str]:
        assert self.start is not None
        return {name.decode(): value.decode() for name, value in self.start["headers"]}

    async def piece(self) -> bytes | None:
        """Take the next bytes; None: the answer has come to its end.

        Raises:
            BaseException: the error that interrupted the answer.

        """
        while (message := await self._next()) is not None:
            body: bytes = message.get("body", b"")
            if not message.get("more_body", False):
                return body or None
            if body:
                return body
        assert self._task is not None
        self._task.result()
        msg = "the answer has no end"
        raise AssertionError(msg)

    async def go_away(self) -> None:
        """Disconnect, and wait until the application has noticed, though it may be waiting to send."""
        self._gone.set()
        if self._task is not None:
            async with asyncio.timeout(_DEADLINE_S):
                await asyncio.wait([self._task])

    async def _next(self) -> Message | None:
        async with asyncio.timeout(_DEADLINE_S):
            message = await self._sent.get()
        self._sent.task_done()
        return message

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)
        finally:
            self._sent.put_nowait(None)

    async def _receive(self) -> dict[str, Any]:
        if not self._requested:
            self._requested = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self._sent.put_nowait(message)
        await self._sent.join()
