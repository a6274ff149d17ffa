"""A module of PJSIP: it sees received messages before the library acts, and requests before they are sent."""

import ctypes
from collections.abc import Callable
from typing import Any

_BEFORE_TRANSACTIONS = 12
"Between PJSIP_MOD_PRIORITY_TRANSPORT_LAYER (8) and PJSIP_MOD_PRIORITY_TSX_LAYER (16)."
_POINTER = ctypes.sizeof(ctypes.c_void_p)
_RDATA_AT_MOST = 16_384
"No field that is looked for in `pjsip_rx_data` is farther from its start."
_INT = 0xFFFF_FFFF
"An `int` in a slot of eight bytes: the rest is padding."
_RESPONSE = 1
"PJSIP_RESPONSE_MSG."
_TAG_LENGTH = 80
"Of `tag.slen` in `pjsip_fromto_hdr`."
_SOURCE_AT, _SOURCE_LENGTH = -88, 28
"Of `pkt_info.src_addr` in `pjsip_rx_data`, which `msg_info` follows: from the start of that."
_CANCELLED = 70_014
"PJ_ECANCELLED: with an error the library does not send the request."

OnMessage = Callable[["ReceivedMessage"], bool]
"""Returns whether the message has been dealt with, so that the library does not get it."""


class Text(ctypes.Structure):
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


Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)


class Module(ctypes.Structure):
    """`pjsip_module`."""

    _fields_ = (
        ("previous", ctypes.c_void_p),
        ("next", ctypes.c_void_p),
        ("name", Text),
        ("id", ctypes.c_int),
        ("priority", ctypes.c_int),
        *((name, ctypes.c_void_p) for name in ("load", "start", "stop", "unload")),
        ("on_rx_request", Callback),
        ("on_rx_response", Callback),
        ("on_tx_request", Callback),
        ("on_tx_response", Callback),
        ("on_tsx_state", ctypes.c_void_p),
    )


class ReceivedMessage:
    """A received message, `pjsip_rx_data`; valid during the callback only."""

    def __init__(self, library: ctypes.CDLL, address: int) -> None:
        self.pointer = ctypes.c_void_p(address)
        self._address = address
        self._info_at = 0
        self._summary_at = library.pjsip_rx_data_get_info(self.pointer)
        self.summary: bytes = ctypes.string_at(self._summary_at)
        """Such as `Request msg BYE/cseq=2 (rdata0x55)` or `Response msg 183/INVITE/cseq=1 (rdata0x55)`."""

    @property
    def head(self) -> str:
        """The first line and the headers; bytes that are not UTF-8 are replaced."""
        parts = self._parts()
        if parts is None or parts[-3] is None:
            return ""
        text = ctypes.string_at(parts[-3], (parts[-2] or 0) & _INT)
        return text.partition(b"\r\n\r\n")[0].decode(errors="replace").replace("\r\n", "\n")

    @property
    def text(self) -> bytes:
        """The message as it came."""
        parts = self._parts()
        return (
            b""
            if parts is None or parts[-3] is None
            else ctypes.string_at(parts[-3], (parts[-2] or 0) & _INT)
        )

    @property
    def source(self) -> bytes:
        """The address that it came from, as a `sockaddr`; empty if it cannot be found."""
        if self._parts() is None:
            return b""
        return ctypes.string_at(self._address + self._info_at + _SOURCE_AT, _SOURCE_LENGTH)

    @property
    def has_to_tag(self) -> bool:
        """Tell whether the message says that it belongs to a dialog."""
        message = self._parts()
        to = message[3] if message is not None else None
        return to is not None and ctypes.c_ssize_t.from_address(to + _TAG_LENGTH).value > 0

    def rewrite(self, change: Callable[[bytes], bytes]) -> None:
        """Change the text of the message, in the same length; before the library has parsed its body."""
        parts = self._parts()
        if parts is None or parts[-3] is None:
            return
        text = ctypes.string_at(parts[-3], (parts[-2] or 0) & _INT)
        changed = change(text)
        if changed != text and len(changed) == len(text):
            ctypes.memmove(parts[-3], changed, len(changed))

    def drop_body(self, code: int) -> None:
        """Take the body out of a response with this code."""
        parts = self._parts()
        if parts is None or parts[-1] is None:
            return
        message = _Message.from_address(parts[-1])
        if (message.type & _INT, message.code & _INT) == (_RESPONSE, code):
            message.body = None

    def _parts(self) -> dict[int, int | None] | None:
        """Return fields of `msg_info` by their distance from the summary.

        They are -3 and -2: the text and its length, -1: `msg`, 3: `to`.

        The place of `msg_info` in `pjsip_rx_data` depends on how the library was built. The address of the
        summary, one of its fields, is known.
        """
        slots = (ctypes.c_void_p * (_RDATA_AT_MOST // _POINTER)).from_address(self._address)
        for index, slot in enumerate(slots):
            if slot == self._summary_at and index >= 3:  # noqa: PLR2004 - the fields before it
                self._info_at = (index - 3) * _POINTER
                return {distance: slots[index + distance] for distance in (-3, -2, -1, 3)}
        return None


class LibraryModule:
    """Passes each received request and response to a function, and asks one before a request is sent.

    `may_send` is called right before the library writes a request to its socket, and again when it repeats
    one. A request that may not be sent fails as if the network had refused it.
    """

    def __init__(
        self,
        library: ctypes.CDLL,
        on_request: OnMessage,
        on_response: OnMessage,
        may_send: Callable[[], bool],
        watch: Callable[[ReceivedMessage], None],
    ) -> None:
        """`watch` gets each received message first."""
        self._library = library
        self._watch = watch
        # The library keeps pointers to these.
        self._name = ctypes.create_string_buffer(b"mod-cato")
        self._request, self._response = self._callback(on_request), self._callback(on_response)
        self._sending = Callback(lambda _: 0 if may_send() else _CANCELLED)
        self._module = Module(
            name=Text(ctypes.addressof(self._name), len(self._name) - 1),
            id=-1,
            priority=_BEFORE_TRANSACTIONS,
            on_rx_request=self._request,
            on_rx_response=self._response,
            on_tx_request=self._sending,
        )

    def register(self) -> int:
        """Return the library's status, 0 for success. To be called when the library is initialised."""
        self._library.pjsip_rx_data_get_info.restype = ctypes.c_void_p
        return int(
            self._library.pjsip_endpt_register_module(endpoint_of(self._library), ctypes.byref(self._module))
        )

    def _callback(self, take: OnMessage) -> Any:
        def called(address: int) -> int:
            message = ReceivedMessage(self._library, address)
            self._watch(message)
            return int(take(message))

        return Callback(called)


def endpoint_of(library: ctypes.CDLL) -> ctypes.c_void_p:
    """Return the library's endpoint (`pjsip_endpoint *`)."""
    library.pjsua_get_pjsip_endpt.restype = ctypes.c_void_p
    return ctypes.c_void_p(library.pjsua_get_pjsip_endpt())
