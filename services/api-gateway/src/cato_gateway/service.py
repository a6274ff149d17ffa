"""The life cycle of the gateway: serve HTTP, drain, stop, apply new tokens."""

import asyncio

import structlog
from fastapi import FastAPI

from cato_gateway.deps import Deps
from cato_gateway.http.serving.server import Server, listen, make_server
from cato_gateway.tokens import refuse_public_default
from cato_runtime.configuration.config import Config
from cato_runtime.requests import RequestTable

log = structlog.get_logger()


class GatewayService:
    """Serves the API over HTTP between `start` and `stop`; it answers no requests of other services."""

    def __init__(self, app: FastAPI, deps: Deps, *, drain_seconds: float) -> None:
        self._app = app
        self._deps = deps
        self._finish_seconds = drain_seconds - deps.settings.drain_delay.total_seconds()
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self.requests = RequestTable()

    async def start(self) -> None:
        """Listen and serve.

        Raises:
            ConfigurationError: if the address cannot be listened on.

        """
        settings = self._deps.settings
        listener = listen(settings)
        self._server = make_server(self._app, settings, self._finish_seconds)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]), name="http server")
        log.info("listening", host=settings.host, port=listener.getsockname()[1])

    async def drain(self) -> None:
        """Report not ready for the drain delay; then accept no connections and finish open requests."""
        self._deps.draining = True
        await asyncio.sleep(self._deps.settings.drain_delay.total_seconds())
        self._deps.watches.close()
        self._deps.board.close()
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await asyncio.wait([self._serving])

    async def stop(self) -> None:
        """Close connections that are still open."""
        self._deps.watches.close()
        self._deps.board.close()
        if self._server is not None and self._serving is not None:
            self._server.should_exit = self._server.force_exit = True
            await self._serving

    async def reload(self, config: Config) -> None:
        """Apply the tokens of `config`.

        Raises:
            ConfigurationError: if a token cannot be read, or the address does not allow the well-known one.

        """
        refuse_public_default(config, self._deps.settings.host)
        self._deps.tokens.replace(config.tokens)
        self._deps.board.wake()
        log.info("tokens replaced", tokens=len(config.tokens))
