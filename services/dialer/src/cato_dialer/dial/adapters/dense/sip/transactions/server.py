"""Server transactions (RFC 3261, 17.2): each request is handled once, its response repeated as needed."""

from collections.abc import Callable

from cato_dialer.dial.adapters.dense.sip.messages.message import Received
from cato_dialer.dial.adapters.dense.sip.transactions.client import Send
from cato_dialer.dial.adapters.dense.sip.transactions.timing import Delayed, Delays
from cato_dialer.dial.adapters.dense.sip.transactions.transport import Remote


class ServerTransaction:
    """A request of the far end and our response, which is repeated when the request is repeated.

    The response to an INVITE is repeated by a timer until it is acknowledged (`acknowledged`), at most for
    64*T1; then `on_unacknowledged` is called (RFC 3261, 13.3.1.4).
    """

    def __init__(
        self,
        request: Received,
        remote: Remote,
        delays: Delays,
        send: Send,
        on_end: Callable[["ServerTransaction"], None],
    ) -> None:
        self.request = request
        self.remote = remote
        self._send_bytes = send
        self._on_end = on_end
        self._response: bytes | None = None
        self._delays = delays
        self._interval = delays.timing.t1_s
        self._retransmission: Delayed | None = None
        self._unacknowledged: Callable[[], None] | None = None
        self._end = delays.after(delays.timing.life_s, self.terminate)

    def respond(self, response: bytes, *, on_unacknowledged: Callable[[], None] | None = None) -> None:
        self._response = response
        self._send()
        if self.request.method == "INVITE":
            self._unacknowledged = on_unacknowledged
            self._retransmission = self._delays.after(self._interval, self._again)

    def received_again(self) -> None:
        self._send()

    def acknowledged(self) -> None:
        self._unacknowledged = None
        if self._retransmission:
            self._retransmission.cancel()
            self._retransmission = None

    def terminate(self) -> None:
        self._end.cancel()
        waited_for = self._unacknowledged
        self.acknowledged()
        self._on_end(self)
        if waited_for is not None:
            waited_for()

    def _again(self) -> None:
        self._interval = min(self._interval * 2, self._delays.timing.t2_s)
        self._send()
        self._retransmission = self._delays.after(self._interval, self._again)

    def _send(self) -> None:
        if self._response is not None:
            self._send_bytes(self._response, self.remote, _nothing)


def _nothing() -> None:
    """Do nothing: the far end retransmits the request, and the response is sent again then."""
