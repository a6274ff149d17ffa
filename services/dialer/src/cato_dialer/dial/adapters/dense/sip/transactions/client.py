"""Client transactions (RFC 3261, 17.1; RFC 6026): retransmission, time-outs, each response once."""

from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from cato_dialer.dial.adapters.dense.sip.messages.message import Received, request_bytes
from cato_dialer.dial.adapters.dense.sip.transactions.timing import Delayed, Delays
from cato_dialer.dial.adapters.dense.sip.transactions.transport import Remote

Send = Callable[[bytes, Remote, Callable[[], None]], None]


class Request(NamedTuple):
    """An outgoing request. `headers` has all headers except Via and Content-Length."""

    method: str
    uri: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def header(self, name: str) -> str:
        return next(value for key, value in self.headers if key == name)


class State(Enum):
    TRYING = auto()
    """Sent, no response yet."""
    PROCEEDING = auto()
    """A provisional response has come."""
    COMPLETED = auto()
    """The final response has come; its retransmissions are acknowledged or absorbed."""
    TERMINATED = auto()


class ClientTransaction:
    """An outgoing request and its responses.

    `on_response` gets each provisional response, the final one, and every 2xx to an INVITE (repeats and
    those of other forks, too: the caller acknowledges them). `on_failure` is called instead if no final
    response comes or the request cannot be sent. `on_end` is called at the very end. `may_send` is asked
    before the request is sent, for the first time or again.
    """

    def __init__(
        self,
        request: Request,
        via: str,
        branch: str,
        remote: Remote,
        delays: Delays,
        *,
        send: Send,
        on_response: Callable[[Received], None],
        on_failure: Callable[[str], None],
        on_end: Callable[["ClientTransaction"], None],
        may_send: Callable[[], bool],
    ) -> None:
        self.request = request
        self.branch = branch
        self.remote = remote
        self.method = request.method
        self.call_id = request.header("Call-ID")
        self._via = via
        self._bytes = request_bytes(
            request.method, request.uri, (("Via", via), *request.headers), request.body
        )
        self._send_bytes = send
        self._on_response = on_response
        self._on_failure = on_failure
        self._on_end = on_end
        self._may_send = may_send
        self._invite = request.method == "INVITE"
        self._delays = delays
        self._interval = delays.timing.t1_s
        self._retransmission: Delayed | None = None
        self._ack: bytes | None = None
        self.state = State.TRYING
        self.sent = False
        self._deadline: Delayed | None = delays.after(delays.timing.life_s, self._timed_out)

    @property
    def size(self) -> int:
        return len(self._bytes)

    def move(self, remote: Remote, via: str) -> None:
        """Use another transport; only before `start`."""
        self.remote, self._via = remote, via
        self._bytes = request_bytes(
            self.request.method, self.request.uri, (("Via", via), *self.request.headers), self.request.body
        )

    def start(self) -> None:
        if self.state is State.TRYING and self._may_send():
            self.sent = True
            self._send(self._bytes)
            if not self.remote.reliable:
                self._again_later()

    def receive(self, response: Received) -> None:
        code = response.code or 0
        if self.state is State.TERMINATED:
            return
        if code < 200:  # noqa: PLR2004 - SIP's codes are their own names
            self._provisional(response)
        elif self._invite and code < 300:  # noqa: PLR2004
            self._accepted(response)
        else:
            self._final(response)

    def give_up_soon(self) -> None:
        """End the transaction in 64*T1 if no final response comes (RFC 3261, 9.1)."""
        if self.state in {State.TRYING, State.PROCEEDING}:
            self._restart_deadline(self._delays.timing.life_s, self._timed_out)

    def stop_repeating(self) -> None:
        """Send the request no more; responses to what was sent are still handled."""
        self._stop_retransmission()

    def terminate(self) -> None:
        if self.state is not State.TERMINATED:
            self.state = State.TERMINATED
            self._stop_retransmission()
            if self._deadline:
                self._deadline.cancel()
            self._on_response = self._on_failure = _ended
            self._may_send = _never
            self._on_end(self)

    def _provisional(self, response: Received) -> None:
        if self.state is State.COMPLETED:
            return
        if self.state is State.TRYING:
            self.state = State.PROCEEDING
            if self._invite:
                self._stop_retransmission()
                # No timer from here on: the call limits how long the phone may ring.
                if self._deadline:
                    self._deadline.cancel()
                    self._deadline = None
            else:
                self._interval = self._delays.timing.t2_s
        self._on_response(response)

    def _accepted(self, response: Received) -> None:
        if self.state is not State.COMPLETED:
            self.state = State.COMPLETED
            self._stop_retransmission()
            self._restart_deadline(self._delays.timing.life_s, self.terminate)
            self._forget_request()
        if self._ack is None:
            self._on_response(response)

    def _final(self, response: Received) -> None:
        first = self.state is not State.COMPLETED
        if first:
            self.state = State.COMPLETED
            self._stop_retransmission()
            timing = self._delays.timing
            wait = timing.life_s if self._invite else timing.t4_s
            self._restart_deadline(0 if self.remote.reliable else wait, self.terminate)
        if self._invite:
            if self._ack is None and first:
                self._ack = self._ack_of(response)
            if self._ack is not None:
                self._send(self._ack)
        if first:
            self._forget_request()
            self._on_response(response)

    def _forget_request(self) -> None:
        """Free the request: a completed transaction does not send it again, and is kept for up to 32 s."""
        self._bytes = b""
        self.request = self.request._replace(headers=(), body=b"")

    def _ack_of(self, response: Received) -> bytes:
        """Return the ACK of a response other than 2xx: part of this transaction (RFC 3261, 17.1.1.3)."""
        kept = ("From", "Call-ID", "Route", "Max-Forwards", "Authorization", "Proxy-Authorization")
        headers = [(name, value) for name, value in self.request.headers if name in kept]
        number, to = self.request.header("CSeq").split()[0], response.header("To") or ""
        return request_bytes(
            "ACK", self.request.uri, (("Via", self._via), *headers, ("To", to), ("CSeq", f"{number} ACK"))
        )

    def _again_later(self) -> None:
        self._retransmission = self._delays.after(self._interval, self._again)

    def _again(self) -> None:
        if not self._may_send():
            return
        longest = self._delays.timing.t2_s
        self._interval = self._interval * 2 if self._invite else min(self._interval * 2, longest)
        self._send(self._bytes)
        self._again_later()

    def _send(self, data: bytes) -> None:
        self._send_bytes(data, self.remote, self._unreachable)

    def _unreachable(self) -> None:
        if self.state in {State.TRYING, State.PROCEEDING} and (
            self.remote.reliable or self.state is State.TRYING
        ):
            self._fail("the station cannot be reached")

    def _timed_out(self) -> None:
        self._fail("no response")

    def _fail(self, why: str) -> None:
        on_failure, self._on_failure = self._on_failure, _ended
        self.terminate()
        on_failure(why)

    def _stop_retransmission(self) -> None:
        if self._retransmission:
            self._retransmission.cancel()
            self._retransmission = None

    def _restart_deadline(self, seconds: float, then: Callable[[], None]) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self._delays.after(seconds, then)


def _ended(_: object) -> None:
    """Do nothing: the transaction has ended, and keeps no reference to its user."""


def _never() -> bool:
    return False
