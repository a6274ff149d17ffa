"""Requests that are too large for a datagram (RFC 3261, 18.1.1): over TCP, or UDP if TCP does not connect."""

import asyncio
import time
from collections.abc import Callable

import structlog

from cato_dialer.dial.adapters.dense.sip.transactions.client import ClientTransaction
from cato_dialer.dial.adapters.dense.sip.transactions.transport import Remote, TcpTransport

log = structlog.get_logger()

LARGEST_DATAGRAM = 1_300
_CONNECT_S = 0.5
"A station in reach connects within a round trip. The person is not called before this is decided."
_WITHOUT_TCP_S = 300.0
"How long a station that did not connect is used over UDP only."


class LargeRequests:
    """Chooses the transport of large requests to UDP stations, and starts their transactions."""

    def __init__(self, tcp: TcpTransport, via: Callable[[str, Remote], str]) -> None:
        self._tcp = tcp
        self._via = via
        self._without_tcp: dict[Remote, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, transaction: ClientTransaction) -> None:
        """Start the transaction, at once or when the station has connected."""
        over_tcp = transaction.remote._replace(transport="tcp")
        if self._tcp.is_connected(over_tcp):
            self._start_over(over_tcp, transaction)
        elif time.monotonic() < self._without_tcp.get(over_tcp, 0.0):
            transaction.start()
        else:
            task = asyncio.get_running_loop().create_task(self._connect(over_tcp, transaction))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connect(self, over_tcp: Remote, transaction: ClientTransaction) -> None:
        try:
            async with asyncio.timeout(_CONNECT_S):
                await self._tcp.connect(over_tcp)
        except (OSError, TimeoutError):
            if over_tcp not in self._without_tcp:
                log.info("station has no TCP; large requests use UDP", host=over_tcp.host, port=over_tcp.port)
            self._without_tcp[over_tcp] = time.monotonic() + _WITHOUT_TCP_S
            transaction.start()
        else:
            self._without_tcp.pop(over_tcp, None)
            self._start_over(over_tcp, transaction)

    def _start_over(self, remote: Remote, transaction: ClientTransaction) -> None:
        transaction.move(remote, self._via(transaction.branch, remote))
        transaction.start()
