"""The HTTP server: uvicorn, with signals and the worst of errors in our hands."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from http import HTTPStatus

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from cato_contracts.errors import ConfigurationError
from cato_gateway.settings import GatewaySettings

_BACKLOG = 2048
_LINGER_S = 3.0


class Protocol(H11Protocol):
    """HTTP/1.1 that is polite to the end, but not for ever.

    Bytes that are no HTTP get the common error form, too; there is no path to name. A body that nobody wants
    any more (the answer is out, 413 say) is read for a while, for many clients look at the answer only when
    they have sent everything, and then the connection is closed.
    """

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:
            self.loop.call_later(_LINGER_S, self._stop_lingering, self.cycle)

    def _stop_lingering(self, cycle: RequestResponseCycle) -> None:
        if self.cycle is cycle and self.conn.their_state is h11.SEND_BODY:
            self.transport.close()

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
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            for event in (
                h11.Response(status_code=status, headers=headers, reason=status.phrase.encode()),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


class Server(uvicorn.Server):
    """A server that leaves signals alone; `should_exit` ends it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def make_server(app: FastAPI, settings: GatewaySettings, drain_seconds: float) -> Server:
    return Server(
        uvicorn.Config(
            app,
            http=Protocol,
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
        ConfigurationError: if the address is taken, or none of this machine's.

    """
    host = settings.host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, for asyncio turns Nagle's algorithm off only where it sees TCP; with it, each
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
