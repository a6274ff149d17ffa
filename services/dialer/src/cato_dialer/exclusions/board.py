"""How far each live dialer has read the exclusion lists."""

from collections.abc import Sequence
from typing import Protocol


class ReadingBoard(Protocol):
    """The positions of all dialers; each expires some time after it was announced last."""

    async def announce(self, position: int, ttl_s: int) -> None:
        """Announce the position of this process, for `ttl_s` seconds.

        Raises:
            BrokerError: without an acknowledgement; it may be announced.

        """
        ...

    async def withdraw(self) -> None:
        """Take the position of this process back: it starts no more calls. Raises BrokerError."""
        ...

    async def positions(self) -> Sequence[int]:
        """Return the positions of all dialers that have not expired. Raises BrokerError."""
        ...
