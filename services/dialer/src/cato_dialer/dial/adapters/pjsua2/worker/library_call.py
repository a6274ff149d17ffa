"""A call of PJSIP: its callbacks make a fact and hand it over, nothing more."""

import ctypes
import time
from collections.abc import Callable
from typing import Any

import pjsua2 as pj

from cato_dialer.dial.adapters.pjsua2.worker import pj_events
from cato_dialer.dial.adapters.pjsua2.worker.info_digits import accept_info, digit_of_info

_ORIGINS = {
    pj.PJSIP_EVENT_RX_MSG: pj_events.Origin.PEER,
    pj.PJSIP_EVENT_TIMER: pj_events.Origin.TIMER,
    pj.PJSIP_EVENT_TRANSPORT_ERROR: pj_events.Origin.TRANSPORT,
}
_DIGIT_SOURCES = {pj.PJSUA_DTMF_METHOD_RFC2833: "rfc4733", pj.PJSUA_DTMF_METHOD_SIP_INFO: "info"}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class LibraryCall(pj.Call):  # type: ignore[misc]
    def __init__(
        self, account: Any, line: int, note: Callable[[pj_events.Fact], None], library: ctypes.CDLL
    ) -> None:
        super().__init__(account)
        self._library = library
        self._line = line
        self._note = note

    def onCallState(self, prm: Any) -> None:  # noqa: N802 - the library's name
        self._guarded(self._state_changed, prm)

    def onCallTsxState(self, prm: Any) -> None:  # noqa: N802
        self._guarded(self._transaction_changed, prm)

    def onCallMediaState(self, prm: Any) -> None:  # noqa: ARG002, N802
        self._guarded(self._media_changed, None)

    def onStreamDestroyed(self, prm: Any) -> None:  # noqa: N802
        self._guarded(self._stream_destroyed, prm)

    def onDtmfDigit(self, prm: Any) -> None:  # noqa: N802
        self._guarded(self._digit, prm)

    def audio_sent(self) -> int:
        """Bytes of audio that the call's RTP stream has sent. Raises: pj.Error."""
        statistics = self.getStreamStat(0)  # its parts live no longer than it does
        return int(statistics.rtcp.txStat.bytes)

    def _guarded(self, work: Callable[[Any], None], prm: Any) -> None:
        # An exception that crosses into the library would end the process and three other calls with it.
        try:
            work(prm)
        except Exception as error:  # noqa: BLE001
            self._note(pj_events.Failed(self._line, now_ms(), f"{type(error).__name__}: {error}"))

    def _state_changed(self, prm: Any) -> None:
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_CONNECTING:
            self._note(pj_events.Accepted(self._line, now_ms()))
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            origin, message = _origin(prm.e)
            code, phrase = _status(message) or (info.lastStatusCode, info.lastReason)
            request = None if message is None or _status(message) else message.split(" ", 1)[0]
            self._note(pj_events.Over(self._line, now_ms(), origin, code, phrase, request))

    def _transaction_changed(self, prm: Any) -> None:
        event = prm.e.body.tsxState
        if event.type != pj.PJSIP_EVENT_RX_MSG:
            return
        if event.tsx.method == "INVITE":
            status = _status(event.src.rdata.wholeMsg)
            if status is not None and 100 <= status[0] < 200:  # noqa: PLR2004
                self._note(pj_events.Provisional(self._line, now_ms(), *status))
        elif event.tsx.method == "INFO" and event.tsx.state == pj.PJSIP_TSX_STATE_TRYING:
            digit = digit_of_info(event.src.rdata.wholeMsg)
            if digit is not None:
                accept_info(self._library, event.tsx, event.src.rdata)
                self._note(pj_events.Keyed(self._line, now_ms(), digit, "info"))

    def _media_changed(self, _: None) -> None:
        info = self.getInfo()  # its parts live no longer than it does
        active = len(info.media) > 0 and info.media[0].status == pj.PJSUA_CALL_MEDIA_ACTIVE
        self._note(pj_events.MediaChanged(self._line, now_ms(), active))

    def _stream_destroyed(self, prm: Any) -> None:
        if prm.streamIdx != 0:
            return
        try:
            sent: int | None = self.audio_sent()
        except pj.Error:
            sent = None
        self._note(pj_events.StreamGone(self._line, now_ms(), sent))

    def _digit(self, prm: Any) -> None:
        source = _DIGIT_SOURCES.get(prm.method)
        if source is not None:
            self._note(pj_events.Keyed(self._line, now_ms(), prm.digit, source))


def _origin(event: Any) -> tuple[pj_events.Origin, str | None]:
    """Return what an event comes from and, if it is a message, that."""
    if event.type == pj.PJSIP_EVENT_TSX_STATE:
        change = event.body.tsxState
        origin = _ORIGINS.get(change.type, pj_events.Origin.OURSELVES)
        return origin, change.src.rdata.wholeMsg if origin is pj_events.Origin.PEER else None
    if event.type == pj.PJSIP_EVENT_RX_MSG:
        return pj_events.Origin.PEER, event.body.rxMsg.rdata.wholeMsg
    return _ORIGINS.get(event.type, pj_events.Origin.OURSELVES), None


def _status(message: str | None) -> tuple[int, str] | None:
    if message is None or not message.startswith("SIP/2.0 "):
        return None
    code, _, phrase = message.split("\r\n", 1)[0][8:].partition(" ")
    return (int(code), phrase) if code.isdecimal() else None


def abandon(call: LibraryCall) -> None:
    """End a call that has been given up; the library may have done so already."""
    if call.isActive():
        call.hangup(pj.CallOpParam())
