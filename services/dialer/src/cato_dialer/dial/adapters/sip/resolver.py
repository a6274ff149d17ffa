"""Resolve the names of stations in the parent: the library would block all its calls meanwhile."""

import asyncio
import socket
import time

_VALID_S = 60.0
_ANSWER_S = 5.0


class Resolver:
    """Caches an address for a minute, and uses the last one while the name service fails."""

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
