"""In-dialog requests in both directions: re-INVITE, UPDATE, INFO, BYE, and the ACKs of 2xx responses."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from sipmessage import Request, Response

from cato_exchange.media.sdp import Direction, NotAcceptableError
from cato_exchange.plan import Answer, CancelCrossing, EarlyMedia
from cato_exchange.sip.messages import ALLOW, reply
from cato_exchange.sip.transactions import ServerTransaction

if TYPE_CHECKING:
    from cato_exchange.calls.call import Call

log = logging.getLogger(__name__)

_OK = 200
_REDIRECTION = 300
_PENDING = 491
# RFC 3261 14.1: the side that does not own the Call-ID waits up to 2 s.
_RETRY_AFTER = 1.0


class InDialog:
    def __init__(self, call: "Call") -> None:
        self._call = call
        self._unacknowledged: dict[int, ServerTransaction] = {}
        self._offering = False

    @property
    def awaits_ack(self) -> bool:
        return bool(self._unacknowledged)

    def await_ack(self, invite: ServerTransaction) -> None:
        self._unacknowledged[invite.request.cseq.sequence] = invite

    def ack(self, request: Request) -> None:
        invite = self._unacknowledged.pop(request.cseq.sequence, None)
        if invite is None:
            return  # the ACK of a retransmitted 2xx
        invite.acknowledge()
        if self._call.record.ended:
            return
        if invite is self._call.invite:
            self._call.acknowledged(request)
        elif request.body:
            self._accept(request.body)

    def receive(self, transaction: ServerTransaction) -> None:
        """Handle BYE, INFO, UPDATE, INVITE or OPTIONS with this dialog's tags."""
        request = transaction.request
        if request.cseq.sequence < self._call.dialog.remote_sequence:
            transaction.respond(reply(request, 500))  # RFC 3261 12.2.2
            return
        self._call.dialog.update(request)
        if request.method == "BYE":
            self._bye(transaction)
        elif request.method in {"INVITE", "UPDATE"}:
            self._renegotiate(transaction)
        else:
            transaction.respond(reply(request, _OK, headers={"Allow": ALLOW}))

    def _bye(self, transaction: ServerTransaction) -> None:
        call = self._call
        behaviour = call.behaviour
        silent = isinstance(behaviour, Answer | EarlyMedia | CancelCrossing) and behaviour.never_bye
        if not silent:
            transaction.respond(reply(transaction.request, _OK))
        if call.record.ended_by is None:
            call.record.bye_answered = not silent
        if call.invite.final_code is None:
            call.refuse(487, by="caller")
        call.finish("caller", transaction.arrived_ms)

    def _renegotiate(self, transaction: ServerTransaction) -> None:
        """Answer a hold, resume or session refresh from the caller."""
        call, request = self._call, transaction.request
        is_invite = request.method == "INVITE"
        if self._offering or (is_invite and self.awaits_ack):
            transaction.respond(reply(request, _PENDING))
            return
        try:
            if request.body:
                body = call.media.answer(request.body)
            else:
                body = call.media.offer() if is_invite else b""
        except NotAcceptableError:
            transaction.respond(reply(request, 488))
            return
        headers = {"Contact": call.dialog.contact, "Allow": ALLOW, "Supported": "timer"}
        if (expires := request.headers.get("Session-Expires")) is not None:
            headers["Session-Expires"] = expires
        if is_invite:
            self.await_ack(transaction)
            transaction.unacknowledged = call.hang_up
        transaction.respond(reply(request, _OK, headers=headers, body=body))
        call.record.session_refreshes += 1
        call.refreshed()

    def reinvite(
        self,
        body: bytes,
        then: Callable[[bool], None],
        headers: dict[str, str] | None = None,
    ) -> None:
        """Send a re-INVITE with this SDP offer; `then` receives whether the caller accepted it."""
        call = self._call
        request, flow = call.dialog.request("INVITE", body=body, headers=headers)
        acknowledgement: list[bytes] = []
        self._offering = True

        def answered(response: Response) -> None:
            if response.code < _OK:
                return
            if response.code < _REDIRECTION:
                self._acknowledge(request, acknowledgement)
                if not self._offering:
                    return  # a retransmitted 2xx
                self._offering = False
                self._accept(response.body)
                then(True)
            else:
                self._offering = False
                if response.code == _PENDING:
                    call.after(_RETRY_AFTER, lambda: self.reinvite(body, then, headers))
                else:
                    then(False)

        def lost() -> None:
            self._offering = False
            call.hang_up()  # RFC 3261 14.1: a re-INVITE without a response ends the call

        call.context.transactions.send(request, flow, answered, lost)

    def update(self, then: Callable[[bool], None], headers: dict[str, str]) -> None:
        """Refresh the session by UPDATE without SDP (RFC 3311); `then` receives whether it was accepted."""
        request, flow = self._call.dialog.request("UPDATE", headers=headers)

        def answered(response: Response) -> None:
            if response.code >= _OK:
                then(response.code < _REDIRECTION)

        self._call.context.transactions.send(request, flow, answered, self._call.hang_up)

    def offer(self, direction: Direction, then: Callable[[bool], None]) -> None:
        self.reinvite(self._call.media.offer(direction), then)

    def info(self, content_type: str, body: str) -> None:
        request, flow = self._call.dialog.request("INFO", body=body.encode(), content_type=content_type)
        self._call.context.transactions.send(request, flow, self._informed)

    def _informed(self, response: Response) -> None:
        if response.code >= _OK:
            self._call.record.info_answers.append(response.code)

    def _acknowledge(self, invite: Request, sent: list[bytes]) -> None:
        """Send the ACK; every retransmission of the 2xx gets the same one."""
        ack, flow = self._call.dialog.request("ACK", sequence=invite.cseq.sequence)
        if not sent:
            sent.append(bytes(ack))
        flow.send(sent[0])

    def _accept(self, answer: bytes) -> None:
        try:
            self._call.media.accept(answer)
        except NotAcceptableError as error:
            extra = {"call_id": self._call.record.call_id, "reason": str(error)}
            log.info("SDP answer is not usable", extra=extra)
            self._call.hang_up()
