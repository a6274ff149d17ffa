"""The last requests of calls whose dialer has died: the media process outlives it for a moment and hangs up.

Without them a person would listen to silence until the station notices.
"""

import contextlib
import socket
import time

from cato_dialer.dial.adapters.dense.media.protocol import Farewell

_PAUSES_S = (0.0, 0.5, 1.0)
"Datagrams may be lost, and nothing is left that could take the answers."
_CONNECT_S = 1.0


class Farewells:
    """The BYE or CANCEL of each call, made ahead by SIP."""

    def __init__(self) -> None:
        self._requests: dict[int, Farewell] = {}

    def keep(self, request: Farewell) -> None:
        """Keep the request instead of an earlier one of the call."""
        self._requests[request.call] = request

    def drop(self, call: int) -> None:
        """Forget a call that has ended as it should."""
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
