"""The worker's end of the pipes to its parent."""

import os
import select
import socket
import threading
from collections import deque
from collections.abc import Callable

from cato_dialer.dial.adapters.pjsua2 import protocol

_INPUT = 0
_CHUNK = 65_536


class Pipes:
    """Receives and sends messages; `closed` once either direction is."""

    def __init__(self) -> None:
        self._output = os.dup(1)
        self._rest = b""
        self._chunks: deque[bytes] = deque()
        self.closed = False

    def send(self, message: protocol.FromWorker) -> None:
        data = protocol.encode(message)
        try:
            while data:
                data = data[os.write(self._output, data) :]
        except BrokenPipeError:
            self.closed = True

    def first(self, timeout_s: float) -> list[protocol.Message]:
        """Wait for the first messages of the parent. Raises: ProtocolError."""
        if select.select([_INPUT], [], [], timeout_s)[0]:
            self._chunks.append(os.read(_INPUT, _CHUNK))
        return self.take()

    def listen(self, wake: Callable[[], None]) -> None:
        """Start the thread that reads; it calls `wake` for all that it has read."""
        threading.Thread(target=self._read, args=(wake,), daemon=True).start()

    def take(self) -> list[protocol.Message]:
        """Return the messages that have come since the last call. Raises: ProtocolError."""
        lines: list[bytes] = []
        while self._chunks:
            chunk = self._chunks.popleft()
            self.closed = self.closed or not chunk
            *whole, self._rest = (self._rest + chunk).split(b"\n")
            lines += whole
        return [protocol.decode(line) for line in lines]

    def _read(self, wake: Callable[[], None]) -> None:
        chunk = b"-"
        while chunk:
            chunk = os.read(_INPUT, _CHUNK)
            # In this order: a loop that is woken finds the chunk; one that looked too early is woken.
            self._chunks.append(chunk)
            wake()


class Doorbell:
    """Wakes the library by a datagram to one of its sockets: it waits for sockets and timers only.

    The datagram is a keep-alive (RFC 5626, 3.5.1), or the byte that Python writes for a signal. PJSIP drops
    both.
    """

    def __init__(self, host: str, port: int) -> None:
        """Raises: OSError."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.connect((host, port))

    def ring(self) -> None:
        try:
            self._socket.send(b"\r\n\r\n")
        except OSError:
            return  # a full socket wakes the library, too, and the loop looks at the next beat anyway

    def fileno(self) -> int:
        return self._socket.fileno()
