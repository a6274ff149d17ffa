"""A call of PJSIP. Its callbacks only queue events."""

import ctypes
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pjsua2 as pj

from cato_contracts.instants import now_ms
from cato_dialer.dial.adapters.pjsua2.worker import pj_events
from cato_dialer.dial.adapters.pjsua2.worker.sip.early_media import with_events_at_101
from cato_dialer.dial.adapters.pjsua2.worker.sip.info_digits import accept_info, dialog_of, digit_of_info
from cato_dialer.dial.adapters.sip.reason_header import reason_of_message
from cato_dialer.dial.adapters.sip.retry_after import retry_after_of
from cato_dialer.dial.domain.call.line_events import DigitSource

_ORIGINS = {
    pj.PJSIP_EVENT_RX_MSG: pj_events.Origin.PEER,
    pj.PJSIP_EVENT_TIMER: pj_events.Origin.TIMER,
    pj.PJSIP_EVENT_TRANSPORT_ERROR: pj_events.Origin.TRANSPORT,
}


_OVER_UDP = "SIP/2.0/UDP"


class LibraryCall(pj.Call):  # type: ignore[misc]
    """A call of the library; `note` queues its events."""

    def __init__(
        self, account: Any, line: int, note: Callable[[pj_events.PjEvent], None], library: ctypes.CDLL
    ) -> None:
        super().__init__(account)
        self._library = library
        self._line = line
        self._note = note
        self.dialog = 0
        """The library's dialog of the call, from the INVITE on; 0 before."""

    def onCallState(self, prm: Any) -> None:  # noqa: N802 - the library's name
        self._guarded(self._state_changed, prm)

    def onCallTsxState(self, prm: Any) -> None:  # noqa: N802
        self._guarded(self._transaction_changed, prm)

    def onCallSdpCreated(self, prm: Any) -> None:  # noqa: N802
        if not prm.remSdp.wholeSdp:
            self._guarded(_number_events, prm)

    def onCallMediaState(self, prm: Any) -> None:  # noqa: ARG002, N802
        self._guarded(self._media_changed, None)

    def onStreamDestroyed(self, prm: Any) -> None:  # noqa: N802
        self._guarded(self._stream_destroyed, prm)

    def onDtmfDigit(self, prm: Any) -> None:  # noqa: N802
        self._guarded(self._digit, prm)

    def sip_call_id(self) -> str | None:
        """Return the `Call-ID` of the call; None if the library has ended the call already."""
        try:
            return str(self.getInfo().callIdString) or None
        except pj.Error:
            return None

    def audio_sent(self) -> int:
        """Return the bytes of audio that the RTP stream of the call has sent. Raises: pj.Error."""
        statistics = self.getStreamStat(0)  # its parts are freed with it
        return int(statistics.rtcp.txStat.bytes)

    def _guarded(self, work: Callable[[Any], None], prm: Any) -> None:
        # An exception that reaches the library would end the process, and the other calls with it.
        try:
            work(prm)
        except Exception as error:  # noqa: BLE001
            self._note(pj_events.Failed(self._line, now_ms(), f"{type(error).__name__}: {error}"))

    def _state_changed(self, prm: Any) -> None:
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_CONNECTING:
            self._note(pj_events.Accepted(self._line, now_ms()))
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            over = _ending(self._line, prm.e, info)
            if over.origin is pj_events.Origin.PEER:
                over = replace(over, reason_header=_reason_header(prm.e))
            self._note(over)

    def _transaction_changed(self, prm: Any) -> None:
        event = prm.e.body.tsxState
        if event.tsx.method == "INVITE" and event.tsx.state == pj.PJSIP_TSX_STATE_CALLING:
            self.dialog = dialog_of(self._library, event.tsx)
            if event.type == pj.PJSIP_EVENT_TX_MSG:
                self._pass_on(event.src.tdata.wholeMsg, event.src.tdata.dstAddress)
        if event.type != pj.PJSIP_EVENT_RX_MSG:
            return
        if event.tsx.method == "INVITE":
            code = event.tsx.statusCode
            if event.tsx.role == pj.PJSIP_ROLE_UAC and code < 300:  # noqa: PLR2004
                self._pass_on(event.src.rdata.wholeMsg, event.src.rdata.srcAddress)
            if 100 <= code < 200:  # noqa: PLR2004
                phrase = received_text(event.tsx.statusText)
                self._note(pj_events.Provisional(self._line, now_ms(), code, phrase))
        elif event.tsx.method == "INFO" and event.tsx.state == pj.PJSIP_TSX_STATE_TRYING:
            digit = digit_of_info(received_text(event.src.rdata.wholeMsg))
            accept_info(self._library, event.tsx, event.src.rdata)
            if digit is not None:
                self._note(pj_events.Keyed(self._line, now_ms(), digit, DigitSource.SIP_INFO))

    def _pass_on(self, message: str, peer: str) -> None:
        """Report a message of the dialog, without its body."""
        head = received_text(message).partition("\r\n\r\n")[0]
        if _OVER_UDP in head:
            self._note(pj_events.Signalled(self._line, now_ms(), head, peer))

    def _media_changed(self, _: None) -> None:
        info = self.getInfo()  # its parts are freed with it
        active = len(info.media) > 0 and info.media[0].status == pj.PJSUA_CALL_MEDIA_ACTIVE
        self._note(pj_events.MediaChanged(self._line, now_ms(), active))

    def _stream_destroyed(self, prm: Any) -> None:
        if prm.streamIdx != 0:
            return
        try:
            statistics = self.getStreamStat(0)  # its parts are freed with it
        except pj.Error:
            self._note(pj_events.StreamGone(self._line, now_ms(), None))
            return
        sent = statistics.rtcp.txStat
        lost = int(sent.loss) if sent.updateCount else None
        self._note(pj_events.StreamGone(self._line, now_ms(), int(sent.bytes), int(sent.pkt), lost))

    def _digit(self, prm: Any) -> None:
        if prm.method == pj.PJSUA_DTMF_METHOD_RFC2833:
            self._note(pj_events.Keyed(self._line, now_ms(), prm.digit, DigitSource.RTP_EVENT))


def _number_events(prm: Any) -> None:
    offer = prm.sdp.wholeSdp
    if (numbered := with_events_at_101(offer)) != offer:
        prm.sdp.wholeSdp = numbered


def received_text(received: str) -> str:
    """Return text from the network with a replacement character for each byte that is not UTF-8.

    The bindings hand such bytes over as lone surrogates (PEP 383), which cannot be written anywhere.
    """
    return received.encode(errors="surrogateescape").decode(errors="replace")


def _ending(line: int, event: Any, info: Any) -> pj_events.Over:
    """Return the end of a call."""
    at, code, phrase = now_ms(), info.lastStatusCode, received_text(info.lastReason)
    if event.type == pj.PJSIP_EVENT_TSX_STATE:
        change = event.body.tsxState
        origin = _ORIGINS.get(change.type, pj_events.Origin.OURSELVES)
        if origin is not pj_events.Origin.PEER:
            return pj_events.Over(line, at, origin, code, phrase)
        if change.tsx.role == pj.PJSIP_ROLE_UAS:
            return pj_events.Over(line, at, origin, code, phrase, change.tsx.method)
        phrase = received_text(change.tsx.statusText)
        retry_after_s = retry_after_of(received_text(change.src.rdata.wholeMsg))
        return pj_events.Over(line, at, origin, change.tsx.statusCode, phrase, retry_after_s=retry_after_s)
    if event.type == pj.PJSIP_EVENT_RX_MSG:
        first_word = event.body.rxMsg.rdata.wholeMsg.split(" ", 1)[0]
        is_response = first_word.startswith("SIP/")
        request = None if is_response else received_text(first_word)
        return pj_events.Over(line, at, pj_events.Origin.PEER, code, phrase, request)
    return pj_events.Over(line, at, _ORIGINS.get(event.type, pj_events.Origin.OURSELVES), code, phrase)


def _reason_header(event: Any) -> str | None:
    """Return what the message of the peer that ended the call says about the reason."""
    received = event.body.tsxState.src if event.type == pj.PJSIP_EVENT_TSX_STATE else event.body.rxMsg
    return reason_of_message(received_text(received.rdata.wholeMsg))


def call_options(identity_uri: str) -> Any:
    """Return the options of a call with audio only, whose INVITE asserts our identity."""
    option = pj.CallOpParam(True)
    option.opt.audioCount, option.opt.videoCount, option.opt.textCount = 1, 0, 0
    identity = pj.SipHeader()
    identity.hName, identity.hValue = "P-Asserted-Identity", f"<{identity_uri}>"
    option.txOption.headers.append(identity)
    return option


def abandon(call: LibraryCall) -> None:
    """End a call after a fault; the library may have ended it already."""
    if call.isActive():
        call.hangup(pj.CallOpParam())
