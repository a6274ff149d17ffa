"""Answers that are never in memory as a whole."""

from collections.abc import AsyncGenerator, AsyncIterator

from cato_gateway.errors import BrokenOffError
from cato_runtime.errors import CatoError


async def begun(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Wait for the first piece and return all of them.

    What goes wrong until then still becomes a proper error. Afterwards the status line is out, and all that
    can be done is to break the answer off: `BrokenOffError` makes the server close the connection.
    """
    first = await anext(pieces, None)

    async def whole() -> AsyncIterator[bytes]:
        try:
            if first is not None:
                yield first
            async for piece in pieces:
                yield piece
        except CatoError as error:
            raise BrokenOffError(str(error)) from error
        finally:
            if isinstance(pieces, AsyncGenerator):
                await pieces.aclose()

    return whole()
