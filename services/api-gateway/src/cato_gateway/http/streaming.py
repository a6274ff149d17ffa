"""Answers that are never in memory as a whole."""

from collections.abc import AsyncGenerator, AsyncIterator

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from cato_contracts.errors import CatoError
from cato_gateway.errors import BrokenOffError

HEAD_ONLY = "cato.head"
"""In the scope of a request that came as HEAD: nobody sees the body, so it need not be made."""


class Begun:
    """Pieces of which the first is there already.

    What goes wrong with a later one becomes `BrokenOffError`, which makes the server close the connection.
    """

    def __init__(self, first: bytes | None, rest: AsyncIterator[bytes]) -> None:
        self._first = first
        self._rest = rest

    def __aiter__(self) -> "Begun":
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
        """Let go of what the pieces come from."""
        if isinstance(self._rest, AsyncGenerator):
            await self._rest.aclose()


async def begun(pieces: AsyncIterator[bytes]) -> Begun:
    """Wait for the first piece and return all of them.

    What goes wrong until then still becomes a proper error. Afterwards the status line is out, and all that
    can be done is to break the answer off.
    """
    return Begun(await anext(pieces, None), pieces)


class Streamed(StreamingResponse):
    """An answer made piece by piece as the client takes it; its source is let go when the client does."""

    def __init__(
        self,
        pieces: Begun | AsyncGenerator[bytes, None],
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
                for more in (True, False):  # as if there were several, so that its headers are the same
                    await send({"type": "http.response.body", "body": b"", "more_body": more})
            else:
                await super().__call__(scope, receive, send)
        finally:
            await self._pieces.aclose()
