"""The HTTP server: uvicorn, without its signal handlers."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from http import HTTPStatus

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from cato_contracts.errors import ConfigurationError
from cato_gateway.settings import GatewaySettings

_BACKLOG = 2048


class ErrorFormProtocol(H11Protocol):
    """HTTP/1.1 that answers bytes that are not HTTP in the common form of errors, without a path."""

    def send_400_response(self, msg: str) -> None:
        status = HTTPStatus.BAD_REQUEST
        body = json.dumps(
            {
                "timestamp": time.time_ns() // 1_000_000,
                "status": status,
                "error": status.phrase,
                "path": "",
                "message": msg,
            }
        ).encode()
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            head = (
                f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self.transport.close()


class Server(uvicorn.Server):
    """A server that leaves signals to the service; `should_exit` ends it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def make_server(app: FastAPI, settings: GatewaySettings, drain_seconds: float) -> Server:
    return Server(
        uvicorn.Config(
            app,
            http=ErrorFormProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=int(settings.keep_alive.total_seconds()),
            timeout_graceful_shutdown=int(drain_seconds),
        )
    )


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
