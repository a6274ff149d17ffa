"""Names of stations to addresses, in the parent: the library would stop all its calls for an answer."""

import asyncio
import socket
import time

_VALID_S = 60.0
_ANSWER_S = 5.0


class Resolver:
    """Remembers an address for a minute, and the last one when the name service fails."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, str]] = {}

    async def resolve(self, host: str) -> str:
        """Raises: OSError, TimeoutError among them."""
        until, known = self._known.get(host, (0.0, ""))
        if time.monotonic() < until:
            return known
        try:
            async with asyncio.timeout(_ANSWER_S):
                found = await asyncio.get_running_loop().getaddrinfo(
                    host, None, family=socket.AF_INET, type=socket.SOCK_DGRAM
                )
        except OSError:
            if known:
                return known
            raise
        resolved = str(found[0][4][0])
        self._known[host] = time.monotonic() + _VALID_S, resolved
        return resolved
