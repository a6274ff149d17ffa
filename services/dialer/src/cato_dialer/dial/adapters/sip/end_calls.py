"""Send the last requests of calls whose process has died, until the far ends have answered.

Without asyncio: the media process imports this.
"""

import contextlib
import select
import socket
import time
from collections.abc import Sequence
from typing import NamedTuple

_WAITS_S = (0.5, 1.0, 0.5)
"The wait for answers after each sending over UDP, whose datagrams may be lost. TCP: sent once."
_CROSSING_S = 0.1
"Between CANCEL and BYE of a call that was perhaps answered before the CANCEL arrived."
_CONNECT_S = 1.0
_LARGEST = 1 << 16


class LastRequest(NamedTuple):
    """A BYE or CANCEL. Its Via asks for the response to the address that it is sent from (`rport`)."""

    data: bytes
    host: str
    port: int
    transport: str = "udp"


def end_calls(calls: Sequence[Sequence[LastRequest]]) -> int:
    """Send the requests of each call, one or two in their order; return how many were not answered.

    A station that does not answer ends the call by its own timers.
    """
    firsts = [requests[0] for requests in calls if requests]
    seconds = [requests[1] for requests in calls if len(requests) > 1]
    with contextlib.ExitStack() as stack:
        sending = _Sending([*firsts, *seconds], stack)
        for wait_s in _WAITS_S:
            sending.send(firsts)
            if seconds:
                sending.take_answers(_CROSSING_S)
                sending.send(seconds)
            sending.take_answers(wait_s)
            if not sending.open:
                break
        return len(sending.open)


class _Sending:
    """The requests without an answer, and the sockets that they are sent from."""

    def __init__(self, requests: Sequence[LastRequest], stack: contextlib.ExitStack) -> None:
        self.open = set(requests)
        self._stack = stack
        self._sockets: dict[int, socket.socket] = {}

    def send(self, requests: Sequence[LastRequest]) -> None:
        for request in requests:
            if request in self.open:
                with contextlib.suppress(OSError, ValueError):
                    self._send(request)

    def take_answers(self, seconds: float) -> None:
        """Take final responses for this time, or until there is one to each request."""
        deadline = time.monotonic() + seconds
        while self.open and (wait_s := deadline - time.monotonic()) > 0:
            for ready in select.select(list(self._sockets.values()), [], [], wait_s)[0]:
                with contextlib.suppress(OSError):  # as for a datagram that nobody takes
                    self._take(ready.recv(_LARGEST))

    def _send(self, request: LastRequest) -> None:
        """Raises: OSError, ValueError: not an address."""
        if request.transport != "udp":
            self.open.discard(request)
            with socket.create_connection((request.host, request.port), _CONNECT_S) as connection:
                connection.sendall(request.data)
            return
        family = socket.AF_INET6 if ":" in request.host else socket.AF_INET
        if family not in self._sockets:
            self._sockets[family] = self._stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            self._sockets[family].setblocking(False)
        self._sockets[family].sendto(request.data, (request.host, request.port))

    def _take(self, response: bytes) -> None:
        if response.startswith(b"SIP/2.0 ") and not response.startswith(b"SIP/2.0 1"):
            answered = _call_and_method(response)
            self.open = {request for request in self.open if _call_and_method(request.data) != answered}


def _call_and_method(message: bytes) -> tuple[str, str]:
    """Return the Call-ID and the method of a request, or of the request that a response is for."""
    call_id = method = ""
    for line in message.decode("utf-8", "replace").partition("\r\n\r\n")[0].split("\r\n")[1:]:
        name, _, value = line.partition(":")
        match name.strip().lower():
            case "call-id" | "i":
                call_id = value.strip()
            case "cseq":
                method = value.strip().rpartition(" ")[2]
    return call_id, method
