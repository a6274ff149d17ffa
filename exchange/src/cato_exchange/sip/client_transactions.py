"""Client transactions for in-dialog requests: BYE, INFO, re-INVITE (RFC 3261 17.1)."""

from collections.abc import Callable

from sipmessage import Request, Response

from cato_exchange.clock import Clock, Timer
from cato_exchange.sip.timers import T2, TIMEOUT, Backoff
from cato_exchange.sip.transport import Flow

_OK = 200
_REDIRECTION = 300


class ClientTransaction:
    """One sent request. A retransmitted 2xx to an INVITE is reported again, as it needs another ACK."""

    def __init__(
        self,
        request: Request,
        flow: Flow,
        clock: Clock,
        *,
        on_response: Callable[[Response], None],
        on_timeout: Callable[[], None],
        forget: Callable[[], object],
    ) -> None:
        self._request = request
        self._flow = flow
        self._clock = clock
        self._on_response = on_response
        self._on_timeout = on_timeout
        self._forget = forget
        self._final = False
        self._backoff: Backoff | None = None
        if not flow.reliable:
            limit = TIMEOUT if request.method == "INVITE" else T2
            self._backoff = Backoff(clock, lambda: flow.send(bytes(request)), limit)
        self._expiry: Timer = clock.call_later(TIMEOUT, self._time_out)
        flow.send(bytes(request))

    def receive(self, response: Response) -> None:
        invite = self._request.method == "INVITE"
        if response.code < _OK:
            if invite:
                self._stop_repeating()
                self._expiry.cancel()
            self._on_response(response)
            return
        self._stop_repeating()
        if invite and response.code >= _REDIRECTION:
            self._flow.send(bytes(self._acknowledgement(response)))
        if self._final and not (invite and response.code < _REDIRECTION):
            return
        if not self._final:
            self._final = True
            self._expiry.cancel()
            self._expiry = self._clock.call_later(TIMEOUT, self._forget)
        self._on_response(response)

    def _acknowledgement(self, response: Response) -> Request:
        """Return the ACK of a non-2xx response; it has the INVITE's branch (RFC 3261 17.1.1.3)."""
        ack = Request("ACK", self._request.uri)
        headers = self._request.headers
        ack.headers.add("Via", headers["Via"])
        for route in headers.getlist("Route"):
            ack.headers.add("Route", route)
        ack.headers.add("Max-Forwards", "70")
        ack.headers.add("From", headers["From"])
        ack.headers.add("To", response.headers["To"])
        ack.headers.add("Call-ID", self._request.call_id)
        ack.headers.add("CSeq", f"{self._request.cseq.sequence} ACK")
        ack.headers.add("Content-Length", "0")
        return ack

    def _stop_repeating(self) -> None:
        if self._backoff is not None:
            self._backoff.cancel()

    def _time_out(self) -> None:
        self._stop_repeating()
        self._forget()
        self._on_timeout()
