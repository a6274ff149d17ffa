"""Answers that are never in memory as a whole."""

from collections.abc import AsyncIterator


async def begun(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Wait for the first piece and return all of them.

    What goes wrong until then still becomes a proper error; afterwards the status line is out, and all
    that can be done is to break the answer off.
    """
    first = await anext(pieces, None)

    async def whole() -> AsyncIterator[bytes]:
        if first is not None:
            yield first
            async for piece in pieces:
                yield piece

    return whole()
