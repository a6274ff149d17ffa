"""Sending and receiving SIP over UDP and TCP (RFC 3261, 18)."""

import asyncio
import re
import socket
from collections.abc import Callable
from typing import NamedTuple, Protocol

import structlog

from cato_dialer.dial.adapters.dense.sip.messages.message import MAX_MESSAGE

log = structlog.get_logger()

_DATAGRAMS_PER_WAKE_UP = 32
_RECEIVE_BUFFER = 8 << 20
_CONNECT_S = 4.0
_LENGTH = re.compile(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*\r?$")


class Remote(NamedTuple):
    """The destination or source of a message: `udp` or `tcp`, an IP address and a port."""

    transport: str
    host: str
    port: int

    @property
    def reliable(self) -> bool:
        return self.transport != "udp"


Receive = Callable[[bytes, Remote], None]


class Transport(Protocol):
    """Sends messages, and passes received ones to the function given at the start."""

    def send(self, data: bytes, remote: Remote, failed: Callable[[], None]) -> None:
        """Send a message; call `failed` if it cannot be sent."""
        ...

    async def connect(self, remote: Remote) -> None:
        """Open the connection on which the next message to this remote is sent. Raises: OSError."""
        ...

    def contact(self, remote: Remote) -> tuple[str, int]:
        """Return our address and port as this remote can reach them."""
        ...

    async def close(self) -> None: ...


def local_address(remote_host: str, bind_address: str) -> str:
    """Return our local address for a host: the bound one, or the one that the routing table gives."""
    if bind_address not in {"0.0.0.0", "::"}:
        return bind_address
    family = socket.AF_INET6 if ":" in remote_host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((remote_host, 9))
        return str(probe.getsockname()[0])


class UdpTransport:
    """One socket for all stations."""

    def __init__(self, bind_address: str, receive: Receive) -> None:
        self._bind_address = bind_address
        self._receive = receive
        family = socket.AF_INET6 if ":" in bind_address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        self._socket.bind((bind_address, 0))
        self.port = int(self._socket.getsockname()[1])
        self._addresses: dict[str, str] = {}
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._readable)

    def send(self, data: bytes, remote: Remote, failed: Callable[[], None]) -> None:
        try:
            self._socket.sendto(data, (remote.host, remote.port))
        except BlockingIOError:
            pass  # the buffer is full: treated as a lost datagram, which the next retransmission repairs
        except OSError as error:
            log.warning("SIP datagram cannot be sent", host=remote.host, port=remote.port, error=str(error))
            asyncio.get_running_loop().call_soon(failed)

    async def connect(self, remote: Remote) -> None:
        """Do nothing: datagrams need no connection."""

    def contact(self, remote: Remote) -> tuple[str, int]:
        if remote.host not in self._addresses:
            self._addresses[remote.host] = local_address(remote.host, self._bind_address)
        return self._addresses[remote.host], self.port

    async def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()

    def _readable(self) -> None:
        for _ in range(_DATAGRAMS_PER_WAKE_UP):
            try:
                data, source = self._socket.recvfrom(MAX_MESSAGE)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error of an earlier datagram; the transaction's timers handle the loss
            self._receive(data, Remote("udp", source[0], source[1]))


class TcpTransport:
    """One connection per remote, opened on first use and reused for all later messages."""

    def __init__(self, bind_address: str, receive: Receive) -> None:
        self._bind_address = bind_address
        self._receive = receive
        self._connections: dict[Remote, asyncio.Task[asyncio.StreamWriter]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def is_connected(self, remote: Remote) -> bool:
        connection = self._connections.get(remote)
        return connection is not None and _usable(connection)

    async def connect(self, remote: Remote) -> None:
        """Open the connection, unless it is open. Raises: OSError, TimeoutError."""
        # Shielded: a caller that gives up must not cancel the connection, which others may wait for.
        await asyncio.shield(self._connection(remote))

    def send(self, data: bytes, remote: Remote, failed: Callable[[], None]) -> None:
        task = asyncio.get_running_loop().create_task(self._send(data, remote, failed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def contact(self, remote: Remote) -> tuple[str, int]:
        if self.is_connected(remote):
            address = self._connections[remote].result().get_extra_info("sockname")
            return str(address[0]), int(address[1])
        return local_address(remote.host, self._bind_address), 5060

    async def close(self) -> None:
        connections = list(self._connections.values())
        for task in [*self._tasks, *connections]:
            task.cancel()
        await asyncio.gather(*self._tasks, *connections, return_exceptions=True)
        for connection in connections:
            if connection.done() and not connection.cancelled() and connection.exception() is None:
                connection.result().close()

    async def _send(self, data: bytes, remote: Remote, failed: Callable[[], None]) -> None:
        try:
            # Shielded: cancelling one message that waits for the connection must not cancel the others.
            writer = await asyncio.shield(self._connection(remote))
            writer.write(data)
            await writer.drain()
        except (OSError, TimeoutError) as error:
            self._connections.pop(remote, None)
            log.warning("SIP message cannot be sent", host=remote.host, port=remote.port, error=str(error))
            failed()

    def _connection(self, remote: Remote) -> asyncio.Task[asyncio.StreamWriter]:
        known = self._connections.get(remote)
        if known is None or (known.done() and not _usable(known)):
            known = asyncio.get_running_loop().create_task(self._connect(remote))
            self._connections[remote] = known
        return known

    async def _connect(self, remote: Remote) -> asyncio.StreamWriter:
        local = None if self._bind_address in {"0.0.0.0", "::"} else (self._bind_address, 0)
        async with asyncio.timeout(_CONNECT_S):
            reader, writer = await asyncio.open_connection(remote.host, remote.port, local_addr=local)
        task = asyncio.get_running_loop().create_task(self._read(reader, writer, remote))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return writer

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, remote: Remote) -> None:
        """Cut the stream into messages by Content-Length (RFC 3261, 18.3)."""
        buffer = b""
        try:
            while data := await reader.read(MAX_MESSAGE):
                buffer = (buffer + data).lstrip(b"\r\n")
                while (frame := _frame(buffer)) is not None:
                    self._receive(buffer[:frame], remote)
                    buffer = buffer[frame:].lstrip(b"\r\n")
                if len(buffer) > MAX_MESSAGE:
                    log.warning("SIP stream message is too large", host=remote.host, port=remote.port)
                    return
        except OSError as error:
            log.info("SIP connection lost", host=remote.host, port=remote.port, error=str(error))
        finally:
            writer.close()


def _frame(buffer: bytes) -> int | None:
    """Return the length of the first message in the buffer, None while it is not complete."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    match = _LENGTH.search(buffer, 0, end + 2)
    total = end + 4 + (int(match[1]) if match else 0)
    return total if len(buffer) >= total else None


def _usable(connection: asyncio.Task[asyncio.StreamWriter]) -> bool:
    """Return whether the connection is open."""
    if not connection.done() or connection.cancelled() or connection.exception() is not None:
        return False
    return not connection.result().is_closing()
