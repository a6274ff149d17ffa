"""Wait until no dialer can start a call to a number that was excluded."""

import asyncio

from cato_contracts.errors import BrokerError, UnavailableError
from cato_dialer.exclusions.board import ReadingBoard

_LOOK_S = 0.05
WAIT_S = 8.0
"""A dialer that died is waited for as long as its key lasts, which is less."""


async def await_dialers(board: ReadingBoard, sequence: int, what: str) -> None:
    """Return when every live dialer has applied the commit `sequence`.

    Raises:
        UnavailableError: if one has not in time; the change itself is stored.

    """
    try:
        async with asyncio.timeout(WAIT_S):
            # Polled: positions also change by expiring, which nothing announces.
            while any(position < sequence for position in await board.positions()):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_S)
    except (TimeoutError, BrokerError) as error:
        raise UnavailableError(
            f"{what} is stored, but a dialer has not confirmed it yet and may still start a call; send the"
            " request again"
        ) from error
