"""Looks at the responses to our INVITEs before PJSIP acts on them.

PJSIP cancels the call, and aborts the process on some of them (pjproject issue 1905), if the description in
a 183 has no codec in common with the offer, has no audio or cannot be parsed. Early media is optional and
CATO does not use it, so such a description is dropped: the call rings on, and the description of the 200
counts. A usable one is left to the library, for stations that send none with the 200.

PJSIP aborts the process, too, if it cannot send the ACK of a 2xx. A 2xx with an address that no request can
be sent to is discarded, and its call ended.
"""

import ctypes
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cato_dialer.dial.adapters.pjsua2.worker.sip.early_media import (
    has_audio,
    is_usable,
    with_short_packets,
)
from cato_dialer.dial.adapters.pjsua2.worker.sip.library_module import ReceivedMessage, Text
from cato_dialer.dial.adapters.pjsua2.worker.sip.targets import unreachable_target
from cato_dialer.dial.domain.call.line_events import ReleaseCause

_UAC = 0
"PJSIP_ROLE_UAC."
_TO_INVITE = re.compile(rb"Response msg ([12]\d\d)/INVITE/")


class _SdpInfo(ctypes.Structure):
    """`pjsip_rdata_sdp_info`: the parsed description of a message, which the library uses from then on."""

    _fields_ = (("body", Text), ("error", ctypes.c_int), ("sdp", ctypes.c_void_p))


@dataclass(frozen=True, slots=True)
class BadAnswer:
    """A 2xx that no call can be made of; `discarded`: the library does not know of it."""

    dialog: int
    cause: ReleaseCause
    why: str
    discarded: bool


class ResponseFilter:
    """`offered` has the codecs of each call by its dialog (`pjsip_dialog *`); `report` gets bad answers."""

    def __init__(
        self,
        library: ctypes.CDLL,
        offered: Mapping[int, tuple[str, ...]],
        transports: Callable[[], frozenset[str]],
        report: Callable[[BadAnswer], None],
    ) -> None:
        self._library = library
        self._offered = offered
        self._transports = transports
        self._report = report
        self._described: set[int] = set()
        """The dialogs whose usable early description the library has."""

    def prepare(self) -> None:
        """Declare the functions of the library that are used."""
        library = self._library
        library.pjsip_rdata_get_sdp_info.restype = ctypes.POINTER(_SdpInfo)
        for name in ("pjsua_pool_create", "pjsip_tsx_layer_find_tsx", "pjsip_tsx_get_dlg"):
            getattr(library, name).restype = ctypes.c_void_p
        library.pjsip_get_invite_method.restype = ctypes.c_void_p

    def forget(self, dialog: int) -> None:
        """Forget a call that is over."""
        self._described.discard(dialog)

    def take(self, message: ReceivedMessage) -> bool:
        """Look at a response; tell whether it is discarded."""
        found = _TO_INVITE.match(message.summary)
        if found is None:
            return False
        message.rewrite(with_short_packets)
        code, dialog = int(found[1]), self._dialog(message.pointer)
        if code < 200:  # noqa: PLR2004 - SIP's codes are their own names
            self._provisional(message, code, dialog)
            return False
        return self._answer(message, dialog)

    def _provisional(self, message: ReceivedMessage, code: int, dialog: int) -> None:
        codecs, (sdp, error) = self._offered.get(dialog), self._description(message)
        if codecs is None or sdp is None:
            return
        if error or not is_usable(sdp, codecs):
            message.drop_body(code)
        else:
            self._described.add(dialog)

    def _answer(self, message: ReceivedMessage, dialog: int) -> bool:
        target = unreachable_target(message.head, self._transports())
        if target is not None:
            why = f"no ACK can be sent to {target}"
            self._report(BadAnswer(dialog, ReleaseCause.NO_RESPONSE, why, discarded=True))
            return True
        codecs, (sdp, error) = self._offered.get(dialog), self._description(message)
        if codecs is None or (sdp is None and dialog in self._described):
            return False
        if sdp is None or error or not has_audio(sdp):
            why = "no-media: the answer has no audio"
            self._report(BadAnswer(dialog, ReleaseCause.NO_MEDIA, why, discarded=False))
        elif not is_usable(sdp, codecs):
            why = "no-common-codec"
            self._report(BadAnswer(dialog, ReleaseCause.NO_COMMON_CODEC, why, discarded=False))
        return False

    def _description(self, message: ReceivedMessage) -> tuple[str | None, int]:
        """Return the session description of a message, and whether the library cannot read it."""
        info = self._library.pjsip_rdata_get_sdp_info(message.pointer).contents
        if not info.body.ptr:
            return None, 0
        return ctypes.string_at(info.body.ptr, info.body.slen).decode(errors="replace"), info.error

    def _dialog(self, message: ctypes.c_void_p) -> int:
        """Return the dialog that the response is for, 0 for none."""
        library = self._library
        pool = ctypes.c_void_p(library.pjsua_pool_create(b"early", 512, 512))
        try:
            key = Text()
            method = ctypes.c_void_p(library.pjsip_get_invite_method())
            if library.pjsip_tsx_create_key(pool, ctypes.byref(key), _UAC, method, message):
                return 0
            transaction = library.pjsip_tsx_layer_find_tsx(ctypes.byref(key), 0)
            return int(library.pjsip_tsx_get_dlg(ctypes.c_void_p(transaction)) or 0) if transaction else 0
        finally:
            library.pj_pool_release(pool)
