"""Hang up the calls of a SIP worker that has died: this process sends their CANCEL or BYE.

The worker passes on the messages of each dialog, as long as it lives. Over UDP only: a connection dies with
the worker.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from cato_dialer.dial.adapters.sip.end_calls import LastRequest, end_calls
from cato_dialer.dial.adapters.sip.last_requests import bye_of, cancel_of, is_success


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
    """Send the last requests until they are answered, some times at most."""
    requests: list[list[LastRequest]] = []
    for call in calls:
        host, _, port = call.peer.rpartition(":")
        with contextlib.suppress(ValueError):  # not an address
            requests.append([LastRequest(data, host.strip("[]"), int(port)) for data in call.last_requests()])
    await asyncio.to_thread(end_calls, requests)
