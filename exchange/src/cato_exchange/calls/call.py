"""One call: the callee's actions and the reactions to the caller. `scripts` decides when each happens."""

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sipmessage import Request

from cato_exchange.calls.in_dialog import InDialog
from cato_exchange.clock import Clock, Timer
from cato_exchange.media.sdp import NotAcceptableError
from cato_exchange.media.session import MediaSession, Pacing
from cato_exchange.plan import Behaviour, CancelCrossing, Challenge, NoReply
from cato_exchange.record import CallRecord, EndedBy
from cato_exchange.sip import digest
from cato_exchange.sip.dialog import Dialog
from cato_exchange.sip.messages import ALLOW, reply
from cato_exchange.sip.timers import TIMEOUT
from cato_exchange.sip.transactions import ServerTransaction, Transactions

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CallContext:
    """The exchange's services that every call uses: clock, transactions, media loop."""

    clock: Clock
    transactions: Transactions
    pacing: Pacing
    bind_host: str
    wall_ms: Callable[[], float]
    changed: Callable[["Call"], None]


class Call:
    """A call from its INVITE to the response to the final BYE.

    `perform` is called when the INVITE is to be processed, `confirmed` on the ACK of the 200,
    `refreshed` when the caller refreshes the session.
    """

    def __init__(
        self, context: CallContext, invite: ServerTransaction, record: CallRecord, behaviour: Behaviour
    ) -> None:
        self.context = context
        self.record = record
        self.behaviour = behaviour
        self.invite = invite
        self.perform: Callable[[], None] = lambda: None
        self.confirmed: Callable[[], None] = lambda: None
        self.refreshed: Callable[[], None] = lambda: None
        self.dialog = self._open_dialog()
        self.media = MediaSession(context.pacing, context.bind_host, invite.flow.local[0])
        self.in_dialog = InDialog(self)
        self.nonce: str | None = None
        self.hanging_up = False
        self._timers: set[Timer] = set()
        self._described = False
        self._incomplete = False
        self._bye_after_ack = False

    @property
    def occupies_channel(self) -> bool:
        """False for a call without a reply: the exchange cannot see when its caller gives up."""
        return not (self.record.ended or self.hanging_up or isinstance(self.behaviour, NoReply))

    def now(self) -> float:
        return round(self.context.wall_ms(), 3)

    def after(self, delay: float | None, act: Callable[[], None]) -> Timer | None:
        """Run `act` after the delay: immediately for 0, never for None or once the call is ending."""
        if delay is None or self.record.ended or self.hanging_up:
            return None
        if delay == 0:
            act()
            return None
        timer = self.context.clock.call_later(delay, act)
        self._timers.add(timer)
        return timer

    # Responses to the INVITE

    def trying(self) -> None:
        self.invite.respond(reply(self.invite.request, 100))

    def ring(self) -> None:
        self.record.ringing_ms = self.now()
        self._respond(180)

    def progress(self) -> None:
        """Send 183 with SDP, which allows early media."""
        body = self._describe()
        if body is not None:
            self.record.early_media_ms = self.now()
            self._respond(183, body=body)

    def answer(self, headers: dict[str, str] | None = None) -> None:
        body = self._describe()
        if body is None:
            return
        self.record.answer_ms = self.now()
        self.invite.unacknowledged = self._no_ack
        self.in_dialog.await_ack(self.invite)
        self._respond(200, headers=headers, body=body)
        self.context.changed(self)

    def refuse(
        self,
        code: int,
        reason: str | None = None,
        headers: dict[str, str] | None = None,
        by: EndedBy = "exchange",
    ) -> None:
        # The caller may call again before this process goes on: the call ends with the response.
        at_ms = self.now()
        self._respond(code, reason=reason, headers=headers)
        self.finish(by, at_ms)

    def challenge(self, challenge: Challenge, *, stale: bool = False) -> None:
        """Send 401 or 407 and wait for the INVITE with credentials."""
        self.nonce = secrets.token_hex(16)
        headers = digest.challenge_header(challenge, self.nonce)
        if stale:
            headers = {name: f"{value}, stale=true" for name, value in headers.items()}
        self._respond(challenge.status, headers=headers)
        self._await_retried_invite()

    def require_longer_session(self, seconds: int) -> None:
        """Send 422 and wait for the INVITE with a longer session interval."""
        self._respond(422, headers={"Min-SE": str(seconds)})
        self._await_retried_invite()

    def _await_retried_invite(self) -> None:
        self._incomplete = True
        self.after(TIMEOUT, lambda: self.finish("timeout"))

    @property
    def awaits_retried_invite(self) -> bool:
        return self._incomplete and self.invite.final_code is not None and not self.record.ended

    def retry(self, invite: ServerTransaction) -> None:
        """Continue with the caller's second INVITE, which has the credentials or the longer interval."""
        self._incomplete = False
        self.forget_timers()
        self.invite = invite
        self.record.final_code = None
        self.dialog = self._open_dialog()
        self.perform()

    # Actions of the caller

    def cancelled(self, cancel: ServerTransaction) -> None:
        self.record.cancel_ms = self.now()
        if isinstance(self.behaviour, NoReply):
            self.finish("caller")
            return
        if self.invite.final_code is None and isinstance(self.behaviour, CancelCrossing):
            self.answer()
        cancel.respond(reply(cancel.request, 200, to_tag=self.dialog.local_tag))
        if self.invite.final_code is None:
            self.refuse(487, by="caller")

    def acknowledged(self, ack: Request) -> None:
        """Handle the ACK of the first 2xx."""
        self.record.ack_ms = self.now()
        if ack.body:
            self._accept(ack.body)
        if self._bye_after_ack:
            self.hang_up()
        else:
            self.confirmed()

    # The end

    def hang_up(self) -> None:
        """Send BYE, but not before the ACK has come or timed out (RFC 3261 15)."""
        if self.record.ended or self.hanging_up:
            return
        if self.record.ack_ms is None and self.in_dialog.awaits_ack:
            self._bye_after_ack = True
            return
        self._send_bye("exchange")

    def finish(self, by: EndedBy, at_ms: float | None = None) -> None:
        """End the call and complete its record; `at_ms` is when it ended (Unix ms), now by default."""
        if self.record.ended:
            return
        self.forget_timers()
        if self.invite.final_code is None:
            # The INVITE stays unanswered; its retransmissions are recognized for this long.
            self.context.clock.call_later(TIMEOUT, self.invite.forget)
        elif self.record.answer_ms is not None:
            self.invite.acknowledge()  # stops the retransmission of the 2xx
        record = self.record
        record.ended_by = record.ended_by or by
        # The BYE's arrival time can be earlier than the times of events that waited in the socket.
        record.end_ms = max(at_ms, record.answer_ms or 0, record.ack_ms or 0) if at_ms else self.now()
        record.codec = self.media.codec
        record.invite_repeats = self.invite.retransmissions
        record.rtp, record.audio = self.media.close()
        self.context.changed(self)

    def forget_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _no_ack(self) -> None:
        if not self.record.ended:
            self._send_bye("timeout")

    def _send_bye(self, by: EndedBy) -> None:
        self.hanging_up = True
        self.record.hung_up_ms = self.now()
        self.record.ended_by = by
        self.record.bye_answered = False
        self.forget_timers()
        self.media.stop_audio()
        request, flow = self.dialog.request("BYE")
        self.context.transactions.send(
            request, flow, lambda response: self._bye_answered(response.code), lambda: self.finish(by)
        )
        self.context.changed(self)

    def _bye_answered(self, code: int) -> None:
        if code >= 200 and not self.record.ended:  # noqa: PLR2004
            self.record.bye_answered = True
            # The caller may call again before its answer is read here: its time of arrival counts.
            self.finish("exchange", self.context.transactions.arrived_ms)

    def _open_dialog(self) -> Dialog:
        host, port = self.invite.flow.local
        over = f";transport={self.invite.flow.protocol.lower()}" if self.invite.flow.reliable else ""
        return Dialog(self.invite.request, self.invite.flow, f"<sip:exchange@{host}:{port}{over}>")

    def _respond(
        self,
        code: int,
        *,
        reason: str | None = None,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
    ) -> None:
        everything = {"Contact": self.dialog.contact} if code < 300 else {}  # noqa: PLR2004
        if code == 200:  # noqa: PLR2004
            everything |= {"Allow": ALLOW, "Supported": "timer"}
        everything |= headers or {}
        self.invite.respond(
            reply(
                self.invite.request,
                code,
                reason=reason,
                to_tag=self.dialog.local_tag,
                headers=everything,
                body=body,
            )
        )
        if code >= 200:  # noqa: PLR2004
            self.record.final_code = code

    def _describe(self) -> bytes | None:
        """Return the SDP for 183 and 200, the same in both, or refuse the INVITE and return None."""
        if self._described:
            return self.media.repeat()
        try:
            offer = self.invite.request.body
            body = self.media.answer(offer) if offer else self.media.offer()
        except NotAcceptableError as error:
            log.info("no common codec", extra={"call_id": self.record.call_id, "reason": str(error)})
            self.refuse(488)
            return None
        except OSError as error:
            log.warning("no free RTP port", extra={"call_id": self.record.call_id, "reason": str(error)})
            self.refuse(500)
            return None
        self._described = True
        return body

    def _accept(self, answer: bytes) -> None:
        """Apply the SDP answer of an ACK; hang up if it is not usable."""
        try:
            self.media.accept(answer)
        except NotAcceptableError as error:
            log.info("SDP answer is not usable", extra={"call_id": self.record.call_id, "reason": str(error)})
            self._bye_after_ack = True
