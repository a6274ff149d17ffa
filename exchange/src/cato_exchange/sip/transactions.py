"""The transaction layer (RFC 3261 17, RFC 6026), free of I/O: it uses flows and a clock."""

import logging
from collections.abc import Callable

from sipmessage import Request, Response

from cato_exchange.clock import Clock
from cato_exchange.sip.client_transactions import ClientTransaction
from cato_exchange.sip.messages import branch_of, mark_received, parse, sent_by, tag_of, wants_rport
from cato_exchange.sip.timers import DEFAULT_PORT, T2, TIMEOUT, Backoff
from cato_exchange.sip.transport import Flow

log = logging.getLogger(__name__)

TransactionKey = tuple[str, ...]

_OK = 200
_REDIRECTION = 300


class ServerTransaction:
    """One received request and its responses.

    Only `respond` sends; there is no automatic 100, because some behaviours never reply.
    """

    def __init__(self, request: Request, flow: Flow, arrived_ms: float, clock: Clock) -> None:
        self.request = request
        self.flow = flow
        self.arrived_ms = arrived_ms
        self.final_code: int | None = None
        self.unacknowledged: Callable[[], None] = lambda: None
        "Called if the ACK of a final response does not arrive in time."
        self.forget: Callable[[], object] = lambda: None
        self.retransmissions = 0
        self._clock = clock
        self._last: bytes | None = None
        self._backoff: Backoff | None = None
        self._acknowledged = False

    @property
    def is_invite(self) -> bool:
        return self.request.method == "INVITE"

    def respond(self, response: Response) -> None:
        if self.final_code is not None:
            raise RuntimeError(f"cannot send {response.code}: {self.final_code} was already sent")
        self._last = bytes(response)
        self.flow.send(self._last)
        if response.code < _OK:
            return
        self.final_code = response.code
        if self.is_invite:
            # A 2xx is retransmitted on reliable transports, too (13.3.1.4): a proxy may forward it over UDP.
            if not self.flow.reliable or response.code < _REDIRECTION:
                self._backoff = Backoff(self._clock, self._repeat, T2)
            self._clock.call_later(TIMEOUT, self._time_out)

    def repeated(self) -> None:
        """Handle a retransmission of the request."""
        self.retransmissions += 1
        if self._last is not None and not self._acknowledged:
            self._repeat()

    def acknowledge(self) -> None:
        """Stop retransmitting after the ACK. The call matches the ACK of a 2xx, which has its own branch."""
        self._acknowledged = True
        if self._backoff is not None:
            self._backoff.cancel()

    def _repeat(self) -> None:
        if self._last is not None:
            self.flow.send(self._last)

    def _time_out(self) -> None:
        if self._backoff is not None:
            self._backoff.cancel()
        self.forget()
        if not self._acknowledged:
            self.unacknowledged()


class Transactions:
    """Matches messages with transactions and passes new requests to the callbacks."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.on_request: Callable[[ServerTransaction], None] = lambda _: None
        self.on_cancel: Callable[[ServerTransaction, ServerTransaction | None], None] = lambda _c, _i: None
        self.on_ack: Callable[[Request], None] = lambda _: None
        "Called for an ACK that matches no transaction: the ACK of a 2xx."
        self.malformed = 0
        self.repeated_invites = 0
        self._servers: dict[TransactionKey, ServerTransaction] = {}
        self._clients: dict[TransactionKey, ClientTransaction] = {}
        self.arrived_ms = 0.0
        """When the message that is handled now has arrived (Unix ms)."""

    def receive(self, data: bytes, flow: Flow, arrived_ms: float) -> None:
        if not data.strip(b"\r\n\0 "):
            return  # keep-alive
        self.arrived_ms = arrived_ms
        try:
            message = parse(data)
            if isinstance(message, Request):
                host, port = sent_by(message.headers["Via"])
                answers_to = flow
                if not flow.reliable and not wants_rport(message.headers["Via"]):
                    answers_to = flow.towards(flow.peer[0], port or DEFAULT_PORT)
                key = _server_key(message, host, port)
                mark_received(message, *flow.peer)
        except ValueError as error:
            self.malformed += 1
            log.warning("message is not valid SIP", extra={"peer": flow.peer, "reason": str(error)})
            return
        if isinstance(message, Response):
            self._receive_response(message)
        else:
            self._receive_request(message, key, answers_to, arrived_ms)

    def _receive_request(self, request: Request, key: TransactionKey, flow: Flow, arrived_ms: float) -> None:
        known = self._servers.get((*key, "INVITE" if request.method == "ACK" else request.method))
        if request.method == "ACK":
            if known is not None and (known.final_code or 0) >= _REDIRECTION:
                known.acknowledge()
            else:
                self.on_ack(request)
            return
        if known is not None:
            self.repeated_invites += known.is_invite
            known.repeated()
            return
        full_key = (*key, request.method)
        transaction = ServerTransaction(request, flow, arrived_ms, self.clock)
        transaction.forget = lambda: self._servers.pop(full_key, None)
        self._servers[full_key] = transaction
        if not transaction.is_invite:
            # Timer J, started by the request so that an unanswered one is forgotten, too.
            self.clock.call_later(TIMEOUT, transaction.forget)
        if request.method == "CANCEL":
            self.on_cancel(transaction, self._servers.get((*key, "INVITE")))
        else:
            self.on_request(transaction)

    def _receive_response(self, response: Response) -> None:
        client = self._clients.get((branch_of(response.headers["Via"]), response.cseq.method))
        if client is not None:
            client.receive(response)

    def send(
        self,
        request: Request,
        flow: Flow,
        on_response: Callable[[Response], None] = lambda _: None,
        on_timeout: Callable[[], None] = lambda: None,
    ) -> None:
        """Start a client transaction; the topmost Via of the request must have a new branch."""
        key = (branch_of(request.headers["Via"]), request.method)
        self._clients[key] = ClientTransaction(
            request,
            flow,
            self.clock,
            on_response=on_response,
            on_timeout=on_timeout,
            forget=lambda: self._clients.pop(key, None),
        )


def _server_key(request: Request, host: str, port: int | None) -> TransactionKey:
    """Return the matching key of RFC 3261 17.2.3, also for RFC 2543 peers. Raises: ValueError."""
    branch = branch_of(request.headers["Via"].partition(",")[0])
    if branch.startswith("z9hG4bK"):
        return branch, host.lower(), str(port or DEFAULT_PORT)
    from_tag = tag_of(request.headers["From"]) or ""
    return request.call_id, str(request.cseq.sequence), from_tag, request.headers["Via"]
