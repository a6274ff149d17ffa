"""Hides unusable session descriptions of provisional responses from PJSIP.

PJSIP cancels the call, and aborts the process on some of them (pjproject issue 1905), if the description in
a 183 has no codec in common with the offer, has no audio or cannot be parsed. Early media is optional and
CATO does not use it, so such a description is dropped: the call rings on, and the description of the 200
counts. A usable one is left to the library, for stations that send none with the 200.
"""

import ctypes
import itertools
import re
from collections.abc import Mapping

_BEFORE_TRANSACTIONS = 12
"Between PJSIP_MOD_PRIORITY_TRANSPORT_LAYER (8) and PJSIP_MOD_PRIORITY_TSX_LAYER (16)."
_UAC = 0
"PJSIP_ROLE_UAC."
_RESPONSE = 1
"PJSIP_RESPONSE_MSG."
_INT = 0xFFFF_FFFF
"An `int` in a slot of eight bytes: the rest is padding."
_CONTINUE = 0
"PJ_FALSE: other modules get the message, too."

_POINTER = ctypes.sizeof(ctypes.c_void_p)
_RDATA_AT_MOST = 16_384
"No field that is looked for in `pjsip_rx_data` is farther from its start."

_PAYLOAD_TYPES = {"PCMU": "0", "PCMA": "8"}
_PROVISIONAL = re.compile(rb"Response msg (1\d\d)/INVITE/")
_AUDIO = re.compile(r"^m=audio (\d+)(?:/\d+)? \S+ (.+)$", re.MULTILINE)
_RTPMAP = re.compile(r"^a=rtpmap:(\d+) ([\w.-]+)/8000", re.MULTILINE)


class _Text(ctypes.Structure):
    """`pj_str_t`."""

    _fields_ = (("ptr", ctypes.c_void_p), ("slen", ctypes.c_ssize_t))


class _Message(ctypes.Structure):
    """`pjsip_msg`."""

    _fields_ = (
        ("type", ctypes.c_int64),
        ("code", ctypes.c_int64),
        ("rest_of_line", ctypes.c_void_p * 3),
        ("headers", ctypes.c_void_p * 8),
        ("body", ctypes.c_void_p),
    )


class _SdpInfo(ctypes.Structure):
    """`pjsip_rdata_sdp_info`: the parsed description of a message, which the library uses from then on."""

    _fields_ = (("body", _Text), ("error", ctypes.c_int), ("sdp", ctypes.c_void_p))


_OnMessage = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)


class _Module(ctypes.Structure):
    """`pjsip_module`."""

    _fields_ = (
        ("previous", ctypes.c_void_p),
        ("next", ctypes.c_void_p),
        ("name", _Text),
        ("id", ctypes.c_int),
        ("priority", ctypes.c_int),
        *((name, ctypes.c_void_p) for name in ("load", "start", "stop", "unload", "on_rx_request")),
        ("on_rx_response", _OnMessage),
        *((name, ctypes.c_void_p) for name in ("on_tx_request", "on_tx_response", "on_tsx_state")),
    )


class EarlyMediaFilter:
    """A module of the library; `offered` has the codecs of each call by its dialog (`pjsip_dialog *`)."""

    def __init__(self, library: ctypes.CDLL, offered: Mapping[int, tuple[str, ...]]) -> None:
        self._library = library
        self._offered = offered
        self._name = ctypes.create_string_buffer(b"mod-early-media")
        # The library keeps pointers to these.
        self._callback = _OnMessage(self._response)
        self._module = _Module(
            name=_Text(ctypes.addressof(self._name), len(self._name) - 1),
            id=-1,
            priority=_BEFORE_TRANSACTIONS,
            on_rx_response=self._callback,
        )

    def register(self) -> int:
        """Return the library's status, 0 for success. To be called when the library is initialised."""
        library = self._library
        library.pjsua_get_pjsip_endpt.restype = ctypes.c_void_p
        library.pjsip_rx_data_get_info.restype = ctypes.c_void_p
        library.pjsip_rdata_get_sdp_info.restype = ctypes.POINTER(_SdpInfo)
        for name in ("pjsua_pool_create", "pjsip_tsx_layer_find_tsx", "pjsip_tsx_get_dlg"):
            getattr(library, name).restype = ctypes.c_void_p
        library.pjsip_get_invite_method.restype = ctypes.c_void_p
        endpoint = ctypes.c_void_p(library.pjsua_get_pjsip_endpt())
        return int(library.pjsip_endpt_register_module(endpoint, ctypes.byref(self._module)))

    def _response(self, rdata: int) -> int:
        message = ctypes.c_void_p(rdata)
        summary_at = self._library.pjsip_rx_data_get_info(message)
        summary = ctypes.string_at(summary_at)
        provisional = _PROVISIONAL.match(summary)
        if provisional is None:
            return _CONTINUE
        info = self._library.pjsip_rdata_get_sdp_info(message).contents
        if not info.body.ptr:
            return _CONTINUE
        codecs = self._offered.get(self._dialog(message))
        sdp = ctypes.string_at(info.body.ptr, info.body.slen).decode(errors="replace")
        if codecs is not None and (info.error or not is_usable(sdp, codecs)):
            _drop_body(rdata, summary_at, int(provisional[1]))
        return _CONTINUE

    def _dialog(self, message: ctypes.c_void_p) -> int:
        """Return the dialog that the response is for, 0 for none."""
        library = self._library
        pool = ctypes.c_void_p(library.pjsua_pool_create(b"early", 512, 512))
        try:
            key = _Text()
            method = ctypes.c_void_p(library.pjsip_get_invite_method())
            if library.pjsip_tsx_create_key(pool, ctypes.byref(key), _UAC, method, message):
                return 0
            transaction = library.pjsip_tsx_layer_find_tsx(ctypes.byref(key), 0)
            return int(library.pjsip_tsx_get_dlg(ctypes.c_void_p(transaction)) or 0) if transaction else 0
        finally:
            library.pj_pool_release(pool)


def _drop_body(rdata: int, summary_at: int, code: int) -> None:
    """Take the body out of a received message.

    The place of the message in `pjsip_rx_data` depends on how the library was built. The message's summary,
    whose address is known, is next to it.
    """
    slots = (ctypes.c_void_p * (_RDATA_AT_MOST // _POINTER)).from_address(rdata)
    for previous, slot in itertools.pairwise(slots):
        if slot == summary_at and previous is not None:
            message = _Message.from_address(previous)
            if (message.type & _INT, message.code & _INT) == (_RESPONSE, code):
                message.body = None
            return


def is_usable(sdp: str, codecs: tuple[str, ...]) -> bool:
    """Tell whether a session description accepts audio in one of the codecs (`PCMA`, `PCMU`)."""
    text = sdp.replace("\r\n", "\n")
    audio = _AUDIO.search(text)
    if audio is None or int(audio[1]) == 0:
        return False
    mapped = dict(_RTPMAP.findall(text))
    return any(
        payload == _PAYLOAD_TYPES[codec] or mapped.get(payload, "").upper() == codec
        for payload in audio[2].split()
        for codec in codecs
    )
