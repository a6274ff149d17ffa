"""The HTTP server: uvicorn, without its signal handlers."""

import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from cato_contracts.errors import ConfigurationError
from cato_gateway.http.serving.connections import ConnectionLimits, bounded_protocol, default_total
from cato_gateway.settings import GatewaySettings

_BACKLOG = 2048
_ACCEPTED_AT_ONCE = 64


class Server(uvicorn.Server):
    """A server that leaves signals to the service; `should_exit` ends it."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # The event loop accepts as many connections at once as its backlog says; those that wait may be more.
        for listener in sockets or []:
            listener.listen(_BACKLOG)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def make_server(app: FastAPI, settings: GatewaySettings, drain_seconds: float) -> Server:
    limits = connection_limits(settings)
    return Server(
        uvicorn.Config(
            app,
            http=bounded_protocol(limits),  # type: ignore[arg-type]  # it is called only
            backlog=max(1, min(_ACCEPTED_AT_ONCE, limits.total // 8)),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=int(settings.keep_alive.total_seconds()),
            timeout_graceful_shutdown=int(drain_seconds),
        )
    )


def connection_limits(settings: GatewaySettings) -> ConnectionLimits:
    """Return the bounds on connections; those that are not set follow from the descriptors of the process."""
    total = settings.connections or default_total()
    per_address = settings.connections_per_address or max(1, total // 2)
    return ConnectionLimits(total, min(total, per_address), settings.head_timeout.total_seconds())


def listen(settings: GatewaySettings) -> socket.socket:
    """Return the listening socket.

    Raises:
        ConfigurationError: if the address is taken, or does not belong to this machine.

    """
    host = settings.host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, since asyncio turns Nagle's algorithm off only where it sees TCP; with it, each
    # answer on a kept connection waits 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, host != "::")
        listener.bind((host, settings.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(f"cannot listen on {settings.host}:{settings.port}: {error}") from error
    return listener
