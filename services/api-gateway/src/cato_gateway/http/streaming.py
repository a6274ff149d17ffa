"""Answers that are streamed and never held in memory as a whole."""

from collections.abc import AsyncGenerator, AsyncIterator

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from cato_contracts.errors import CatoError
from cato_gateway.errors import BrokenOffError

HEAD_ONLY = "cato.head"
"""A key in the scope of a HEAD request: its body is dropped, so it need not be created."""


class Started:
    """The pieces of an answer; the first one is available already.

    An error in a later piece becomes `BrokenOffError`, which makes the server close the connection.
    """

    def __init__(self, first: bytes | None, rest: AsyncIterator[bytes]) -> None:
        self._first = first
        self._rest = rest

    def __aiter__(self) -> "Started":
        return self

    async def __anext__(self) -> bytes:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        try:
            return await anext(self._rest)
        except CatoError as error:
            raise BrokenOffError(str(error)) from error

    async def aclose(self) -> None:
        """Close the source of the pieces."""
        if isinstance(self._rest, AsyncGenerator):
            await self._rest.aclose()


async def started(pieces: AsyncIterator[bytes]) -> Started:
    """Wait for the first piece and return all pieces.

    An error before the first piece becomes an error response. After it the status line has been sent, so an
    error can only close the connection.
    """
    return Started(await anext(pieces, None), pieces)


class Streamed(StreamingResponse):
    """An answer made piece by piece as the client reads it; its source is closed with the connection."""

    def __init__(
        self,
        pieces: Started | AsyncGenerator[bytes, None],
        media_type: str,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(pieces, headers=headers, media_type=media_type)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope.get(HEAD_ONLY):
                start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
                await send(start)
                for more in (
                    True,
                    False,
                ):  # two messages, as for a body of several pieces, so that the headers are the same
                    await send({"type": "http.response.body", "body": b"", "more_body": more})
            else:
                await super().__call__(scope, receive, send)
        finally:
            await self._pieces.aclose()
