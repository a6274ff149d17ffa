"""The life cycle of the console: serve pages, drain, stop; and its health endpoint."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Gauge, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from cato_console.deps import Deps
from cato_console.errors import ConfigurationError
from cato_runtime.configuration.settings import ServiceSettings

log = structlog.get_logger()

_BACKLOG = 1024
_NOT_READY = 503
_WATCHERS = Gauge("cato_console_watchers", "Pages that are kept up to date.")
_FEEDS = Gauge("cato_console_feeds", "Subjects that the console follows at the API, for all of its pages.")


class Server(uvicorn.Server):
    """A server that leaves signals to the service; `should_exit` ends it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class ConsoleService:
    """Serves the pages between `start` and `stop`."""

    def __init__(self, app: Starlette, deps: Deps, process: ServiceSettings) -> None:
        self._app = app
        self._deps = deps
        self._process = process
        self._servers: list[tuple[Server, asyncio.Task[None]]] = []
        self.port = 0

    async def start(self) -> None:
        """Listen and serve.

        Raises:
            ConfigurationError: if an address cannot be listened on.

        """
        _WATCHERS.set_function(lambda: self._deps.feeds.watchers)
        _FEEDS.set_function(lambda: self._deps.feeds.subjects)
        settings = self._deps.settings
        listener = _listen(settings.host, settings.port)
        self.port = listener.getsockname()[1]
        self._serve(self._app, listener, "pages", proxies=settings.proxies)
        log.info("listening", host=settings.host, port=self.port, api=settings.api_url)
        if self._process.health_port is not None:
            health = _listen(self._process.health_host, self._process.health_port)
            self._tell_port(health.getsockname()[1])
            self._serve(self._health_app(), health, "health endpoint")

    async def drain(self) -> None:
        """End the live streams, and finish open requests: browsers connect again to another replica."""
        self._deps.draining = True
        self._deps.feeds.close()
        await self._end()

    async def stop(self) -> None:
        """Close all connections."""
        self._deps.feeds.close()
        for server, _ in self._servers:
            server.force_exit = True
        await self._end()
        await self._deps.clients.close()

    async def _end(self) -> None:
        for server, _ in self._servers:
            server.should_exit = True
        await asyncio.gather(*(serving for _, serving in self._servers))

    def _serve(self, app: ASGIApp, listener: socket.socket, name: str, *, proxies: str = "") -> None:
        server = Server(
            uvicorn.Config(
                app,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(proxies),
                forwarded_allow_ips=proxies,
                timeout_graceful_shutdown=max(1, int(self._process.drain_seconds)),
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[listener]), name=name)
        self._servers.append((server, serving))

    def _tell_port(self, port: int) -> None:
        if self._process.health_port == 0:
            file = self._process.health_port_file or self._process.data_dir / "health.port"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{port}\n")

    def _health_app(self) -> Starlette:
        async def healthz(_request: Request) -> Response:
            return JSONResponse({"status": "alive"})

        async def readyz(_request: Request) -> Response:
            # Without the API the pages still say what is wrong: that is no reason to replace the console.
            draining = self._deps.draining
            status = "draining" if draining else "ready"
            return JSONResponse({"status": status}, status_code=_NOT_READY if draining else 200)

        async def metrics(_request: Request) -> Response:
            return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

        return Starlette(
            routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
        )


def _listen(host: str, port: int) -> socket.socket:
    bare = host.strip("[]")
    family = socket.AF_INET6 if ":" in bare else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((bare, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(f"cannot listen on {host}:{port}: {error}") from error
    return listener
