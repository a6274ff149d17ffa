"""One call as a user agent client: INVITE to the last answer (RFC 3261, 13 to 15)."""

import secrets
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from cato_dialer.dial.adapters.dense.sip.call_user import GONE, CallUser, Phase
from cato_dialer.dial.adapters.dense.sip.dialog import USER_AGENT, Dialog, Identity
from cato_dialer.dial.adapters.dense.sip.endpoint import ALLOW, SipEndpoint
from cato_dialer.dial.adapters.dense.sip.in_dialog import InDialog
from cato_dialer.dial.adapters.dense.sip.messages.digest import Digest
from cato_dialer.dial.adapters.dense.sip.messages.message import Received, request_bytes
from cato_dialer.dial.adapters.dense.sip.messages.sdp import (
    LocalMedia,
    NoMediaError,
    SdpError,
    offer,
    read_answer,
)
from cato_dialer.dial.adapters.dense.sip.redirection import Redirections
from cato_dialer.dial.adapters.dense.sip.session_timer import SessionTimer
from cato_dialer.dial.adapters.dense.sip.transactions.client import ClientTransaction, Request
from cato_dialer.dial.adapters.dense.sip.transactions.transport import Remote
from cato_dialer.dial.adapters.sip.reason_header import reason_of
from cato_dialer.dial.adapters.sip.retry_after import seconds_of
from cato_dialer.dial.domain.station import Credentials

_PROVISIONAL, _SUCCESS, _REDIRECTION, _ANSWERED = range(100, 200), range(200, 300), range(300, 400), 200
_SESSION_INTERVAL_TOO_SMALL = 422
_FAREWELL_AHEAD = 10_000
_MOST_FORKS, _MOST_RELIABLE = 50, 200
"More answers to one INVITE than any proxy forks to are not handled: each is stored, and ended by a BYE."


class Callee(NamedTuple):
    """The number to call, the station to use, and the identity shown.

    `target` and `identity` are URIs; `remote` is the station's transport address, `host` and `port` are those
    of its URI.
    """

    target: str
    identity: str
    remote: Remote
    host: str
    port: int
    credentials: Credentials | None
    timer: SessionTimer


class UacCall:
    """One outgoing call.

    The far end's first 2xx makes the call; 2xx of other forks are acknowledged and ended. So is a 2xx that
    crosses our CANCEL.
    """

    def __init__(self, endpoint: SipEndpoint, callee: Callee, media: LocalMedia, user: CallUser) -> None:
        self.endpoint = endpoint
        self.callee = callee
        self.media = media
        self.user = user
        self.phase = Phase.NEW
        self.dialog: Dialog | None = None
        self.target = callee.target
        self._redirections = Redirections(callee.host, callee.port)
        self.digest = Digest(callee.credentials)
        self.timer = callee.timer
        self.offer_version = 1
        self._cancelled = False
        self._heard_of_station = False
        self._invite: ClientTransaction | None = None
        self._sequence = 0
        self._last_provisional = 0
        self._reliable_seen: set[tuple[str, int]] = set()
        self._acks: dict[str, bytes] = {}
        self._freezes = endpoint.freezes.count()
        self._in_dialog: InDialog | None = None
        contact = endpoint.contact(callee.remote)
        token = secrets.token_hex(18)
        number = callee.identity.removeprefix("sip:").partition("@")[0]
        transport = "" if callee.remote.transport == "udp" else f";transport={callee.remote.transport}"
        self.identity = Identity(
            call_id=f"{token[:24]}@{contact.rpartition(':')[0]}",
            local_uri=callee.identity,
            local_tag=token[24:],
            remote_uri=callee.target,
            contact=f"sip:{number}@{contact}{transport}",
        )

    def start(self) -> None:
        """Send the INVITE."""
        self._in_dialog = InDialog(self)
        self.endpoint.enter(self.identity.call_id, self._in_dialog, self.callee.remote)
        self._send_invite()

    def hang_up(self) -> None:
        """Cancel or end the call; `hung_up` or another final callback follows."""
        if self.phase is Phase.NEW:
            self.end(self.user.hung_up)
        elif self.phase is Phase.CALLING:
            # CANCEL must wait for a provisional response (RFC 3261, 9.1): it is sent when one comes, and a
            # 2xx is acknowledged and ended. The call is over for the user. A station that comes back must not
            # get the INVITE then: the person may be called again by that time.
            self._cancelled = True
            if self._invite is not None:
                if self._invite.sent:
                    self._invite.stop_repeating()
                else:
                    self._invite.terminate()
            self.end(self.user.hung_up)
        elif self.phase is Phase.PROCEEDING and not self._cancelled:
            self._cancelled = True
            self._send_cancel()
        elif self.phase is Phase.UP:
            self.bye()
            self.end(self.user.hung_up)

    def bye(self) -> None:
        """Send BYE; a challenge is answered once."""
        if self.dialog is not None:
            self._send_bye(self.dialog)

    def _send_invite(self) -> None:
        if not self._may_send_invite():
            return
        # A second INVITE, with credentials for example, cannot be cancelled either before it has a response.
        self.phase, self._heard_of_station = Phase.CALLING, False
        self._sequence += 1
        options = ", ".join(("100rel", *self.timer.options()))
        headers = [
            ("Max-Forwards", "70"),
            ("From", f"<{self.identity.local_uri}>;tag={self.identity.local_tag}"),
            ("To", f"<{self.identity.remote_uri}>"),
            ("Call-ID", self.identity.call_id),
            ("CSeq", f"{self._sequence} INVITE"),
            ("Contact", f"<{self.identity.contact}>"),
            ("P-Asserted-Identity", f"<{self.identity.local_uri}>"),
            ("Allow", ALLOW),
            ("Supported", options),
            *self.timer.headers(),
            *self.digest.authorize("INVITE", self.target),
            ("User-Agent", USER_AGENT),
            ("Content-Type", "application/sdp"),
        ]
        if self.timer.mode == "required":
            headers.append(("Require", "timer"))
        request = Request("INVITE", self.target, tuple(headers), offer(self.media, self.offer_version))
        remote, branch = self.callee.remote, self.endpoint.new_branch()
        # Before the INVITE: this process may die right after it has sent that.
        self._leave_cancel(request, branch, remote)
        self._invite = self.endpoint.send(
            request, remote, self._response, self._failed, branch=branch, may_send=self._may_send_invite
        )

    def _may_send_invite(self) -> bool:
        """Tell whether this process has run all the time; otherwise the call has ended now.

        As after a hang-up, a provisional response is still answered by CANCEL, and a 2xx by ACK and BYE.
        """
        if self.endpoint.freezes.count() == self._freezes:
            return True
        self._cancelled = True
        self.end(self.user.stale)
        return False

    def _late_bye(self, dialog: Dialog) -> bytes:
        """Return a BYE that stays valid after further requests."""
        sequence = max(self._sequence, dialog.local_sequence) + _FAREWELL_AHEAD
        request = dialog.request("BYE", sequence=sequence)
        return self._bytes(request, self.endpoint.new_branch(), self.callee.remote)

    def _bytes(self, request: Request, branch: str, remote: Remote) -> bytes:
        """Return a request that no transaction of ours sends."""
        via = ("Via", self.endpoint.via(branch, remote))
        return request_bytes(request.method, request.uri, (via, *request.headers), request.body)

    def _leave_cancel(
        self, invite: Request, branch: str, remote: Remote, early: Dialog | None = None
    ) -> None:
        """Prepare the end of a call that is not answered yet, for the case that this process dies.

        The CANCEL has no effect on a call that was answered before it arrived; a BYE of the early dialog ends
        that one (RFC 3261, 15).
        """
        data = self._bytes(self._cancel_request(invite), branch, remote)
        self.user.farewell(data, remote, self._late_bye(early) if early else b"")

    def _cancel_request(self, invite: Request) -> Request:
        kept = ("Max-Forwards", "From", "To", "Call-ID", "Route")
        headers = [(name, value) for name, value in invite.headers if name in kept]
        return Request("CANCEL", invite.uri, (*headers, ("CSeq", f"{self._sequence} CANCEL")))

    def _send_cancel(self) -> None:
        invite = self._invite
        if invite is None:
            return
        cancel = self._cancel_request(invite.request)
        self.endpoint.send(cancel, invite.remote, _ignore, _ignore, branch=invite.branch)
        invite.give_up_soon()

    def _response(self, response: Received) -> None:
        code = response.code or 0
        if code in _PROVISIONAL:
            self._provisional(response, code)
        elif code in _SUCCESS:
            self._accepted(response)
        else:
            self._refused(response, code)

    def _provisional(self, response: Received, code: int) -> None:
        first, self._heard_of_station = not self._heard_of_station, True
        if self.phase is Phase.CALLING:
            self.phase = Phase.PROCEEDING
        if self._invite is not None:
            early = Dialog.from_response(self.identity, response, self.target) if response.to_tag else None
            self._leave_cancel(self._invite.request, self._invite.branch, self._invite.remote, early)
        if "100rel" in response.tokens("Require"):
            self._acknowledge_provisional(response)
        if first and self._cancelled:
            self._send_cancel()
        if self._cancelled or code == self._last_provisional:
            return
        self._last_provisional = code
        if code == 100:  # noqa: PLR2004 - SIP's codes are their own names
            self.user.trying()
        elif code == 183:  # noqa: PLR2004
            self.user.progress()
        else:
            self.user.ringing(code, response.phrase)

    def _acknowledge_provisional(self, response: Received) -> None:
        """PRACK (RFC 3262): once for each reliable response."""
        number = response.number("RSeq")
        if number is None or not response.to_tag or (response.to_tag, number) in self._reliable_seen:
            return
        if len(self._reliable_seen) >= _MOST_RELIABLE:
            return
        self._reliable_seen.add((response.to_tag, number))
        early = Dialog.from_response(self.identity, response, self.target)
        early.local_sequence = self._sequence
        self._sequence += 1
        rack = (("RAck", f"{number} {response.sequence} INVITE"),)
        request = early.request("PRACK", rack, sequence=self._sequence)
        self.endpoint.send(request, self.callee.remote, _ignore, _ignore)

    def _accepted(self, response: Received) -> None:
        if response.to_tag in self._acks:
            self.endpoint.send_once(self._acks[response.to_tag], self.callee.remote)
            return
        if len(self._acks) >= _MOST_FORKS:
            return
        dialog = Dialog.from_response(self.identity, response, self.target)
        dialog.local_sequence = max(self._sequence, response.sequence)
        self._acks[response.to_tag] = self.acknowledge(dialog, response)
        if self.dialog is not None or self.phase is Phase.ENDED:
            self._send_bye(dialog)  # another fork, or we have already ended the call
            return
        self.dialog = dialog
        self.phase = Phase.UP
        if self._cancelled:
            self._send_bye(dialog)
            self.end(self.user.hung_up)
            return
        self.user.farewell(self._late_bye(dialog), self.callee.remote)
        try:
            session = read_answer(response.body, self.media)
        except SdpError as error:
            self._without_media(dialog, f"no-media: {error}")
        except NoMediaError as error:
            self._without_media(dialog, str(error))
        else:
            self.user.answered(session)
            if self._in_dialog is not None:
                self._in_dialog.refresh_as_agreed(self.timer.agreed(response), response)

    def _without_media(self, dialog: Dialog, why: str) -> None:
        self._send_bye(dialog)
        self.end(lambda: self.user.no_media(why))

    def acknowledge(self, dialog: Dialog, response: Received) -> bytes:
        """Send the ACK of a 2xx and return it, so that it can be repeated when the 2xx is repeated."""
        authorization = tuple(self.digest.authorize("ACK", dialog.target))
        request = dialog.request("ACK", authorization, sequence=response.sequence)
        data = self._bytes(request, self.endpoint.new_branch(), self.callee.remote)
        self.endpoint.send_once(data, self.callee.remote)
        return data

    def _refused(self, response: Received, code: int) -> None:
        if self.phase is Phase.ENDED:
            return
        if self._cancelled:
            self.end(self.user.hung_up)  # 487 or any other final response only confirms our CANCEL
        elif self.digest.take(response):
            self._send_invite()
        elif code == _SESSION_INTERVAL_TOO_SMALL and (raised := self.timer.raised(response)) is not None:
            self.timer = raised
            self._send_invite()
        elif code in _REDIRECTION and (target := self._redirections.next(response, self.target)) is not None:
            self.target = target
            self._send_invite()
        else:
            self.tell_reason(response)
            if (pause_s := seconds_of(response.header("Retry-After") or "")) is not None:
                self.user.pause_asked(pause_s)
            self.end(lambda: self.user.rejected(code, response.phrase))

    def tell_reason(self, message: Received) -> None:
        """Pass on what a message that ends the call says about the reason."""
        reason = reason_of(message.headers("Reason"), message.headers("Warning"))
        if reason is not None:
            self.user.reason_given(reason)

    def _failed(self, why: str) -> None:
        if self.phase is Phase.ENDED:
            return
        if self._cancelled:
            self.end(self.user.hung_up)
        else:
            self.end(lambda: self.user.no_response(why))

    def _send_bye(self, dialog: Dialog) -> None:
        authorization = tuple(self.digest.authorize("BYE", dialog.request_uri))
        request = dialog.request("BYE", authorization)
        self.endpoint.send(request, self.callee.remote, partial(self._bye_answered, dialog), _ignore)

    def _bye_answered(self, dialog: Dialog, response: Received) -> None:
        if not dialog.bye_challenged and self.digest.take(response):
            dialog.bye_challenged = True
            self._send_bye(dialog)

    def end(self, last_word: Callable[[], None]) -> None:
        """Call the final callback of the user, unless it has been called.

        No reference to the user is kept: its transactions keep the call for 32 s, and without a circle of
        references it is freed after that without the garbage collector.
        """
        if self.phase is not Phase.ENDED:
            self.phase = Phase.ENDED
            if self._in_dialog is not None:
                self._in_dialog.close()
                self._in_dialog = None
            self.endpoint.leave(self.identity.call_id)
            last_word()
            self.user = GONE


def _ignore(_outcome: object) -> None:
    """Ignore a response, or its absence: the call depends on the INVITE only, or is already over."""
