"""Hang up the calls of a SIP worker that has died: this process sends their CANCEL or BYE.

The worker passes on the messages of each dialog, as long as it lives. Over UDP only: a connection dies with
the worker.
"""

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from cato_dialer.dial.adapters.sip.last_requests import bye_of, cancel_of, is_success

_PAUSES_S = (0.0, 0.5, 1.0)
"Before each sending: a datagram may be lost, and no process receives the response."
_CROSSING_S = 0.1
"Between CANCEL and BYE of a call that was perhaps answered before the CANCEL arrived."


@dataclass(slots=True)
class Signalling:
    """The INVITE of a call, where it was sent to, and the last response that belongs to a dialog."""

    invite: str = ""
    peer: str = ""
    response: str = ""

    def take(self, text: str, peer: str) -> None:
        """Take a message of the call; a second INVITE, with credentials for example, begins anew."""
        if text.startswith("INVITE "):
            self.invite, self.peer, self.response = text, peer, ""
        else:
            self.response = text

    def last_requests(self) -> tuple[bytes, ...]:
        """Return the requests that end the call, in their order."""
        if not self.invite:
            return ()
        bye = bye_of(self.invite, self.response)
        if bye is None:
            return (cancel_of(self.invite),)
        return (bye,) if is_success(self.response) else (cancel_of(self.invite), bye)


async def send_last_requests(calls: Sequence[Signalling]) -> None:
    """Send each request several times. A station that cannot be reached ends the call by its own timers."""
    ends = [(call.peer, call.last_requests()) for call in calls]
    for pause in _PAUSES_S:
        await asyncio.sleep(pause)
        for place in range(2):
            for peer, requests in ends:
                if place < len(requests):
                    with contextlib.suppress(OSError, ValueError):
                        _send(requests[place], peer)
            await asyncio.sleep(_CROSSING_S if place == 0 else 0)


def _send(request: bytes, peer: str) -> None:
    """Raises: OSError, ValueError: not an address."""
    host, _, port = peer.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sip:
        sip.sendto(request, (host, int(port)))
