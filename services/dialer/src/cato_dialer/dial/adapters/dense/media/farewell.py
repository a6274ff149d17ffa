"""Hang up calls whose dialer process has died: the media process sends their BYE or CANCEL before it ends.

Without these requests the called person would hear silence until the station ends the call.
"""

from cato_dialer.dial.adapters.dense.media.protocol import Farewell
from cato_dialer.dial.adapters.sip.end_calls import LastRequest, end_calls


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
        """Send all requests until they are answered, some times at most; return how many calls there were."""
        end_calls([_requests(farewell) for farewell in self._requests.values()])
        return len(self._requests)


def _requests(farewell: Farewell) -> list[LastRequest]:
    return [
        LastRequest(data.encode("utf-8", "replace"), farewell.host, farewell.port, farewell.transport)
        for data in (farewell.data, farewell.then)
        if data
    ]
