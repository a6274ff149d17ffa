"""Connections of the HTTP server: bounded in number, and closed if a request head does not arrive in time.

A connection costs a descriptor of the process, before any token is looked at. So there are fewer connections
than descriptors, no address can have all of them, and one without a request makes room for a new one.
"""

import asyncio
import json
import resource
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

import h11
import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol

log = structlog.get_logger()

_MOST = 10_000


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The most connections, in all and from one address, and the time for the head of a request."""

    total: int
    per_address: int
    head_seconds: float


def default_total() -> int:
    """Return three quarters of the descriptors of the process: files and the broker need the others."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(_MOST, max(4, soft // 4 * 3)) if soft != resource.RLIM_INFINITY else _MOST


class Connection(Protocol):
    """A connection as the table sees it."""

    address: str

    def give_way(self) -> None:
        """Close it in favour of another one; it has no request."""
        ...


class ConnectionTable:
    """The open connections. Those without a request are closed, the oldest first, when there are too many."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._open: Counter[str] = Counter()
        self._idle: OrderedDict[Connection, None] = OrderedDict()
        self._idle_of: dict[str, OrderedDict[Connection, None]] = {}
        self._refusing = False

    def admit(self, connection: Connection) -> bool:
        """Return whether there is room for a new connection, which has no request yet."""
        address = connection.address
        if self._open[address] >= self.limits.per_address:
            admitted = self._make_room(self._idle_of.get(address))
        elif self._open.total() >= self.limits.total:
            admitted = self._make_room(self._idle)
        else:
            admitted = True
        if not admitted and not self._refusing:
            log.warning("too many connections, new ones are closed", address=address, open=self._open.total())
        self._refusing = not admitted
        if admitted:
            self._open[address] += 1
            self.await_request(connection)
        return admitted

    def await_request(self, connection: Connection) -> None:
        """Note that the connection has no request; it may have to make room."""
        self._idle[connection] = None
        self._idle_of.setdefault(connection.address, OrderedDict())[connection] = None

    def begin_request(self, connection: Connection) -> None:
        """Note that the head of a request has arrived."""
        self._idle.pop(connection, None)
        idle = self._idle_of.get(connection.address, OrderedDict())
        idle.pop(connection, None)
        if not idle:
            self._idle_of.pop(connection.address, None)

    def remove(self, connection: Connection) -> None:
        """Note that the connection is closed or about to be."""
        self.begin_request(connection)
        self._open[connection.address] -= 1
        if self._open[connection.address] <= 0:
            del self._open[connection.address]

    def _make_room(self, idle: "OrderedDict[Connection, None] | None") -> bool:
        if not idle:
            return False
        oldest = next(iter(idle))
        self.remove(oldest)
        oldest.give_way()
        return True


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 with errors in the common form, whose connections stand in a table."""

    def __init__(self, table: ConnectionTable, **options: Any) -> None:
        super().__init__(**options)
        self._table = table
        self._head_timer: asyncio.TimerHandle | None = None
        self._admitted = False
        self._begun = False
        self.address = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self._admitted = self._table.admit(self)
        if not self._admitted:
            transport.abort()
            return
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_head_timer()
        if self._admitted:
            self._admitted = False
            self._table.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._waits_for_head():
            self._begun = True
            if self._head_timer is None:
                self._start_head_timer()
        super().data_received(data)

    def handle_events(self) -> None:
        super().handle_events()
        self._note_request()

    def on_response_complete(self) -> None:
        self._begun = False
        super().on_response_complete()
        self._note_request()

    def give_way(self) -> None:
        self._admitted = False
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _note_request(self) -> None:
        if not self._admitted:
            return
        if not self._waits_for_head():
            self._stop_head_timer()
            self._table.begin_request(self)
        elif self.cycle is None or self.cycle.response_complete:
            self._table.await_request(self)

    def _waits_for_head(self) -> bool:
        return self.conn.their_state is h11.IDLE

    def _start_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(self._table.limits.head_seconds, self._head_is_late)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self._begun:
            seconds = self._table.limits.head_seconds
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"the head of the request took more than {seconds:g} s")
        else:
            self.transport.close()

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        """Answer in the common form, without a path, and close."""
        body = json.dumps(
            {
                "timestamp": time.time_ns() // 1_000_000,
                "status": status,
                "error": status.phrase,
                "path": "",
                "message": message,
            }
        ).encode()
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            head = (
                f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self.transport.close()


def bounded_protocol(limits: ConnectionLimits) -> Callable[..., BoundedProtocol]:
    """Return the factory of the connections of one server."""
    table = ConnectionTable(limits)

    def make(**options: Any) -> BoundedProtocol:
        return BoundedProtocol(table, **options)

    return make
