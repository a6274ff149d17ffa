"""Clients of the REST API: one for each token, shared by all browsers that have signed in with it."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable

import httpx

from cato_client import AsyncClient, Patience

_MOST = 256
_TIMEOUT_S = 15.0
_UPLOAD_TIMEOUT_S = 70.0
"""The API may take a minute to read a list or a recording, and to start a large one."""
_PAGE_PATIENCE = Patience(total_s=3.0, longest_s=1.0)
"""A person waits for the page: after this time it says that the system does not answer."""

MakeTransport = Callable[[], httpx.AsyncBaseTransport]


class ApiClients:
    """Makes clients; the least recently used of many is closed. `transport` is for tests."""

    def __init__(self, api_url: str, *, transport: MakeTransport | None = None) -> None:
        self._api_url = api_url
        self._transport = transport
        self._clients: OrderedDict[tuple[str, float], AsyncClient] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()

    def of(self, token: str) -> AsyncClient:
        return self._kept(token, _TIMEOUT_S)

    def for_uploads(self, token: str) -> AsyncClient:
        """Return the client for what takes the API long: it waits longer for an answer."""
        return self._kept(token, _UPLOAD_TIMEOUT_S)

    def _kept(self, token: str, timeout_s: float) -> AsyncClient:
        key = (token, timeout_s)
        client = self._clients.get(key)
        if client is None:
            client = self._clients[key] = self.make(token, timeout_s=timeout_s)
        self._clients.move_to_end(key)
        while len(self._clients) > _MOST:
            _, oldest = self._clients.popitem(last=False)
            task = asyncio.create_task(oldest.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        return client

    def make(
        self, token: str, patience: Patience = _PAGE_PATIENCE, *, timeout_s: float = _TIMEOUT_S
    ) -> AsyncClient:
        """Return a client of its own, which the caller closes."""
        transport = self._transport() if self._transport else None
        return AsyncClient(self._api_url, token, timeout_s=timeout_s, patience=patience, transport=transport)

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()
        self._clients.clear()
