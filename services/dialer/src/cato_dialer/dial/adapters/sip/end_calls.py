"""Send the last requests of calls whose process has died, until the far ends have answered.

Without asyncio: the media process imports this.
"""

import contextlib
import errno
import select
import socket
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from cato_dialer.dial.adapters.sip.last_requests import ack_of, bye_of, call_and_method, is_success, sent_by

_WAITS_S = (0.5, 1.0, 0.5)
"The wait for answers after each sending over UDP, whose datagrams may be lost. TCP: sent once."
_CROSSING_S = 0.1
"Between CANCEL and BYE of a call that was perhaps answered before the CANCEL arrived."
_REPEATED_S = 4.5
"A station repeats the 2xx of an INVITE that is not acknowledged at least every 4 s (RFC 3261, 13.3.1.4)."
_CONNECT_S = 1.0
_LARGEST = 1 << 16
_BINDS, _BIND_AGAIN_S = 10, 0.02
"The address of a process that is just dying may not be free yet."


class LastRequest(NamedTuple):
    """A BYE or CANCEL. Its Via asks for the response to the address that it is sent from (`rport`)."""

    data: bytes
    host: str
    port: int
    transport: str = "udp"

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")


def end_calls(calls: Sequence[Sequence[LastRequest]]) -> int:
    """Send the requests of each call, one or two in their order; return how many were not answered.

    A station that does not answer ends the call by its own timers. A call with a CANCEL alone may have been
    answered, and the process have died before it read that: so the 2xx is awaited at its address.
    """
    firsts = [requests[0] for requests in calls if requests]
    seconds = [requests[1] for requests in calls if len(requests) > 1]
    lone = [requests[0] for requests in calls if len(requests) == 1]
    with contextlib.ExitStack() as stack:
        sending = _Sending(lone, stack)
        sending.send_until_answered(firsts, seconds)
        sending.take_answers(_REPEATED_S, lambda: not sending.invites)
        sending.send_until_answered(sending.late_byes, [])
        return len(sending.open)


class _Sending:
    """The requests without an answer, and the sockets that they are sent from.

    `invites` has the CANCEL of each call whose INVITE may still get a final response here; `late_byes` the
    requests that end the calls with a 2xx.
    """

    def __init__(self, lone: Sequence[LastRequest], stack: contextlib.ExitStack) -> None:
        self.open: set[LastRequest] = set()
        self.invites: dict[str, LastRequest] = {}
        self.late_byes: list[LastRequest] = []
        self._lone = {each for each in lone if call_and_method(each.text)[1] == "CANCEL"}
        self._stack = stack
        self._sockets: dict[tuple[int, tuple[str, int] | None], socket.socket] = {}

    def send_until_answered(self, firsts: Sequence[LastRequest], seconds: Sequence[LastRequest]) -> None:
        """Send requests, some times at most; `seconds` a moment after `firsts`."""
        mine = {*firsts, *seconds}
        self.open |= mine

        def answered() -> bool:
            return self.open.isdisjoint(mine)

        for wait_s in _WAITS_S:
            if answered():
                return
            self._send_open(firsts)
            if seconds:
                self.take_answers(_CROSSING_S, answered)
                self._send_open(seconds)
            self.take_answers(wait_s, answered)

    def take_answers(self, seconds: float, enough: Callable[[], bool]) -> None:
        """Take final responses for this time, or until it is enough."""
        deadline = time.monotonic() + seconds
        while not enough() and (wait_s := deadline - time.monotonic()) > 0:
            for ready in select.select(list(self._sockets.values()), [], [], wait_s)[0]:
                with contextlib.suppress(OSError):  # as for a datagram that nobody takes
                    self._take(ready.recv(_LARGEST).decode("utf-8", "replace"))

    def _send_open(self, requests: Sequence[LastRequest]) -> None:
        for request in requests:
            if request in self.open:
                with contextlib.suppress(OSError, ValueError):
                    self._send(request)

    def _send(self, request: LastRequest) -> None:
        """Raises: OSError, ValueError: not an address."""
        if request.transport != "udp":
            self.open.discard(request)
            with socket.create_connection((request.host, request.port), _CONNECT_S) as connection:
                connection.sendall(request.data)
            return
        self._socket_for(request).sendto(request.data, (request.host, request.port))

    def _socket_for(self, request: LastRequest) -> socket.socket:
        family = socket.AF_INET6 if ":" in request.host else socket.AF_INET
        local = sent_by(request.text)
        if (family, local) not in self._sockets:
            made = self._stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            made.setblocking(False)
            if local is not None and not _bound(made, local):
                local = None
            self._sockets[family, local] = made
        if local is not None and request in self._lone:
            self._lone.discard(request)
            self.invites[call_and_method(request.text)[0]] = request
        return self._sockets[family, local]

    def _take(self, response: str) -> None:
        if not response.startswith("SIP/2.0 ") or response.startswith("SIP/2.0 1"):
            return
        call_id, method = call_and_method(response)
        if method != "INVITE":
            answered = {each for each in self.open if call_and_method(each.text) == (call_id, method)}
            self.open -= answered
        elif (cancel := self.invites.pop(call_id, None)) is not None:
            self._end_invite(cancel, response)

    def _end_invite(self, cancel: LastRequest, response: str) -> None:
        self.open.discard(cancel)
        with contextlib.suppress(OSError):
            self._send(cancel._replace(data=ack_of(cancel.text, response)))
        if is_success(response) and (bye := bye_of(cancel.text, response)) is not None:
            self.late_byes.append(cancel._replace(data=bye))


def _bound(made: socket.socket, local: tuple[str, int]) -> bool:
    """Bind a socket to the address of the process that has died; tell whether that was possible."""
    for _ in range(_BINDS):
        try:
            made.bind(local)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return False
            time.sleep(_BIND_AGAIN_S)
        else:
            return True
    return False
