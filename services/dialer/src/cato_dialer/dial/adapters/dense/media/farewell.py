"""Hang up calls whose dialer process has died: the media process sends their BYE or CANCEL before it ends.

Without these requests the called person would hear silence until the station ends the call.
"""

import contextlib
import socket
import time

from cato_dialer.dial.adapters.dense.media.protocol import Farewell

_CROSSING_S = 0.1
"Before the second request of a call: the station processes the first one."
_PAUSES_S = (0.0, 0.5, 1.0)
"Before each sending over UDP: a datagram may be lost, and no process will receive the response. TCP: once."
_CONNECT_S = 1.0


class Farewells:
    """The BYE or CANCEL of each call, prepared in advance by the SIP side."""

    def __init__(self) -> None:
        self._requests: dict[int, Farewell] = {}

    def keep(self, request: Farewell) -> None:
        """Store the request; it replaces an earlier one of the same call."""
        self._requests[request.call] = request

    def drop(self, call: int) -> None:
        """Remove a call that has ended normally."""
        self._requests.pop(call, None)

    def send(self) -> int:
        """Send all requests, and return how many calls there were."""
        requests = list(self._requests.values())
        for pause in _PAUSES_S if requests else ():
            time.sleep(pause)
            for request in requests:
                # A station that cannot be reached ends the call by its own timers.
                with contextlib.suppress(OSError):
                    _send(request, again=pause > 0)
            second = [request._replace(data=request.then) for request in requests if request.then]
            time.sleep(_CROSSING_S if second else 0)
            for request in second:
                with contextlib.suppress(OSError):
                    _send(request, again=pause > 0)
        return len(requests)


def _send(request: Farewell, *, again: bool) -> None:
    data = request.data.encode("utf-8", "replace")
    if request.transport == "udp":
        family = socket.AF_INET6 if ":" in request.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sip:
            sip.sendto(data, (request.host, request.port))
    elif not again:
        with socket.create_connection((request.host, request.port), _CONNECT_S) as sip:
            sip.sendall(data)
