"""Requests within the call: answer those of the far end, and send our session refreshes."""

import asyncio
from typing import TYPE_CHECKING

from cato_dialer.dial.adapters.dense.sip.call_user import Phase
from cato_dialer.dial.adapters.dense.sip.endpoint import (
    ALLOW,
    outside_of_calls,
    unsupported_extensions,
)
from cato_dialer.dial.adapters.dense.sip.messages.message import Received, response_bytes
from cato_dialer.dial.adapters.dense.sip.messages.sdp import (
    NoMediaError,
    SdpError,
    Session,
    answer_offer,
    offer,
    read_answer,
)
from cato_dialer.dial.adapters.dense.sip.session_timer import Refresh
from cato_dialer.dial.adapters.dense.sip.transactions.server import ServerTransaction
from cato_dialer.dial.adapters.sip.info_digits import key_of_info

if TYPE_CHECKING:
    from cato_dialer.dial.adapters.dense.sip.call import UacCall

_RETRY_OTHER_SIDE_S = 1.0
"After a 491, the side that did not make the Call-ID waits up to 2 s, the other one longer (RFC 3261, 14.1)."
_OK, _GLARE, _GONE = 200, 491, {408, 481}
_REFUSED = {
    "CANCEL": (481, "Call/Transaction Does Not Exist"),
    "PRACK": (481, "Call/Transaction Does Not Exist"),
    "REFER": (603, "Decline"),
    "NOTIFY": (489, "Bad Event"),
    "SUBSCRIBE": (489, "Bad Event"),
}
"Rejected methods with a code of their own; others get 405. None may start a call or change the audio."


class InDialog:
    """The far end's requests of one call."""

    def __init__(self, call: "UacCall") -> None:
        self._call = call
        self._own_offer = False
        """Our re-INVITE or UPDATE has no final response yet."""
        self._expected_answer: ServerTransaction | None = None
        """Our 200 to an INVITE without an offer: it carries our offer, and the ACK carries the answer."""
        self._unacknowledged: dict[int, ServerTransaction] = {}
        self._refresh: Refresh | None = None
        self._refresh_timer: asyncio.TimerHandle | None = None
        self._updates = False

    def belongs(self, request: Received) -> bool:
        dialog = self._call.dialog
        if request.to_tag != self._call.identity.local_tag:
            return False
        return dialog is None or request.from_tag == dialog.remote_tag

    def request(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        dialog = self._call.dialog
        if self._call.phase is not Phase.UP or dialog is None:
            self._early(transaction)
            return
        if not dialog.takes(request):
            self._respond(transaction, 500, "Server Internal Error")
            return
        if request.method != "BYE" and (unsupported := unsupported_extensions(request)):
            self._respond(transaction, 420, "Bad Extension", ("Unsupported", unsupported))
            return
        match request.method:
            case "BYE":
                self._respond(transaction, _OK, "OK")
                self._call.tell_reason(request)
                self._call.end(self._call.user.remote_hangup)
            case "INFO":
                self._respond(transaction, _OK, "OK")
                if (
                    key := key_of_info(request.content_type, request.body.decode("ascii", "replace"))
                ) is not None:
                    self._call.user.key(key)
            case "OPTIONS":
                self._respond(transaction, _OK, "OK", ("Allow", ALLOW), ("Accept", "application/sdp"))
            case "INVITE" | "UPDATE":
                self._change(transaction)
            case method:
                code, phrase = _REFUSED.get(method, (405, "Method Not Allowed"))
                self._respond(transaction, code, phrase, ("Allow", ALLOW))

    def acknowledged(self, request: Received) -> None:
        transaction = self._unacknowledged.pop(request.sequence, None)
        if transaction is None:
            return
        transaction.acknowledged()
        if transaction is not self._expected_answer:
            return
        self._expected_answer = None
        try:
            session = read_answer(request.body, self._call.media)
        except (SdpError, NoMediaError):
            self._cannot_go_on()  # we cannot send audio according to this answer to our offer
        else:
            self._call.user.session_changed(session)

    def refresh_as_agreed(self, refresh: Refresh | None, message: Received) -> None:
        """Restart the session timer."""
        self._updates = self._updates or "update" in message.tokens("Allow")
        self._refresh = refresh
        if self._refresh_timer:
            self._refresh_timer.cancel()
            self._refresh_timer = None
        if refresh is not None and self._call.phase is Phase.UP:
            loop = asyncio.get_running_loop()
            self._refresh_timer = loop.call_later(
                refresh.due_s, self._send_refresh if refresh.ours else self._cannot_go_on
            )

    def close(self) -> None:
        if self._refresh_timer:
            self._refresh_timer.cancel()
        for transaction in self._unacknowledged.values():
            transaction.acknowledged()
        self._unacknowledged.clear()

    def _early(self, transaction: ServerTransaction) -> None:
        """Answer an early request: before the call is answered the offer may not change (RFC 3311, 5.2)."""
        match transaction.request.method:
            case "OPTIONS":
                self._respond(transaction, _OK, "OK", ("Allow", ALLOW), ("Accept", "application/sdp"))
            case "INFO":
                self._respond(transaction, _OK, "OK")
            case "UPDATE" | "INVITE":
                self._respond(transaction, 500, "Server Internal Error", ("Retry-After", "2"))
            case _:
                transaction.respond(outside_of_calls(transaction.request))

    def _change(self, transaction: ServerTransaction) -> None:
        """Answer a re-INVITE or UPDATE, which changes the address, holds the call, or only refreshes it."""
        request, call = transaction.request, self._call
        if self._own_offer:
            self._respond(transaction, _GLARE, "Request Pending")
            return
        if self._expected_answer is not None:
            self._respond(transaction, 500, "Server Internal Error", ("Retry-After", "1"))
            return
        try:
            body, session = self._describe(request)
        except SdpError as error:
            self._respond(transaction, 400, f"Bad Session Description: {error}")
            return
        except NoMediaError:
            self._respond(transaction, 488, "Not Acceptable Here")
            return
        if request.method == "INVITE":
            self._unacknowledged[request.sequence] = transaction
            if session is None:
                self._expected_answer = transaction
        if call.dialog is not None:
            call.dialog.refresh_target(request)
        refresh = call.timer.asked(request)
        extra = self._headers(refresh, with_body=bool(body))
        transaction.respond(
            response_bytes(request, _OK, "OK", extra, body), on_unacknowledged=self._cannot_go_on
        )
        if refresh is not None:
            self.refresh_as_agreed(refresh, request)
        if session is not None:
            call.user.session_changed(session)

    def _describe(self, request: Received) -> tuple[bytes, Session | None]:
        """Return our answer to an offer and the resulting session, or our own offer to an INVITE without one.

        Raises: SdpError, NoMediaError.
        """
        call = self._call
        if request.body:
            body, session = answer_offer(request.body, call.media, call.offer_version + 1)
            call.offer_version += 1
            return body, session
        if request.method == "INVITE":
            call.offer_version += 1
            return offer(call.media, call.offer_version), None
        return b"", None

    def _headers(self, refresh: Refresh | None, *, with_body: bool) -> list[tuple[str, str]]:
        headers = [("Contact", f"<{self._call.identity.contact}>"), ("Allow", ALLOW)]
        if refresh is not None:
            headers += [refresh.header(), ("Supported", "timer")]
            if not refresh.ours:
                headers.append(("Require", "timer"))
        if with_body:
            headers.append(("Content-Type", "application/sdp"))
        return headers

    def _send_refresh(self) -> None:
        """Refresh the session by UPDATE, or by a re-INVITE where the far end has no UPDATE."""
        call, refresh = self._call, self._refresh
        if call.phase is not Phase.UP or call.dialog is None or refresh is None:
            return
        expires = ("Session-Expires", f"{refresh.interval_s};refresher=uac")
        supported = ("Supported", "timer")
        if self._updates:
            request = call.dialog.request("UPDATE", (expires, supported))
        else:
            request = call.dialog.request(
                "INVITE", (expires, supported, ("Allow", ALLOW)), offer(call.media, call.offer_version)
            )
        self._own_offer = request.method == "INVITE"
        call.endpoint.send(request, call.callee.remote, self._refreshed, lambda _: self._cannot_go_on())

    def _refreshed(self, response: Received) -> None:
        call, code = self._call, response.code or 0
        if code < _OK or call.dialog is None:
            return
        self._own_offer = False
        if code < 300:  # noqa: PLR2004 - the end of the 2xx
            if response.method == "INVITE":
                call.acknowledge(call.dialog, response)
            call.dialog.refresh_target(response)
            self.refresh_as_agreed(call.timer.agreed(response), response)
        elif code in _GONE:
            self._cannot_go_on()
        elif call.phase is Phase.UP:
            # After 491 and other rejections the session lasts until its interval ends; retry before that.
            asyncio.get_running_loop().call_later(_RETRY_OTHER_SIDE_S * 3, self._send_refresh)

    def _cannot_go_on(self) -> None:
        """End a call whose far end does not respond, or that has no session."""
        if self._call.phase is Phase.UP:
            self._call.bye()
            self._call.end(self._call.user.session_expired)

    def _respond(
        self, transaction: ServerTransaction, code: int, phrase: str, *extra: tuple[str, str]
    ) -> None:
        transaction.respond(response_bytes(transaction.request, code, phrase, extra))
