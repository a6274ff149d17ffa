"""Answers requests that CATO does not obey, before PJSIP acts on them.

PJSIP would accept a REFER with 202 and call the number that it names, replace a call by an INVITE with
Replaces, answer a MESSAGE with 200, and answer OPTIONS and NOTIFY in a call with 500.
"""

import ctypes
import re
from collections.abc import Callable

from cato_dialer.dial.adapters.pjsua2.worker.sip.library_module import ReceivedMessage, Text, endpoint_of
from cato_dialer.dial.adapters.pjsua2.worker.sip.targets import unreachable_target

_REQUEST = re.compile(rb"Request msg (.+)/cseq=")
_ALLOW = b"INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK"
_OF_CALLS = frozenset({"INVITE", "BYE", "INFO", "UPDATE", "PRACK"})
_NEW_TARGET = frozenset({"INVITE", "UPDATE"})
"Their Contact becomes the address of our later requests."
_KNOWN = frozenset({"REFER", "MESSAGE", "REGISTER", "PUBLISH"})


def reply_code(method: str, *, in_dialog: bool) -> int | None:
    """Return the code of the response to a request; None if the library answers it."""
    if method in {"ACK", "CANCEL"} or (in_dialog and method in _OF_CALLS):
        return None
    if method == "OPTIONS":
        return 200
    if method in {"NOTIFY", "SUBSCRIBE"}:
        return 489
    if method == "REFER" and in_dialog:
        return 603
    if method in _OF_CALLS - {"INVITE"}:
        return 481
    return 405 if method == "INVITE" or method in _KNOWN else 501


class RequestGuard:
    """Answers without a transaction: a repeated request gets the same response."""

    def __init__(self, library: ctypes.CDLL, transports: Callable[[], frozenset[str]]) -> None:
        self._library = library
        self._transports = transports
        self._headers: ctypes.Array[ctypes.c_void_p] | None = None

    def prepare(self) -> None:
        """Make the headers of the responses. To be called when the library is initialised."""
        library = self._library
        library.pjsua_pool_create.restype = ctypes.c_void_p
        library.pjsip_generic_string_hdr_create.restype = ctypes.c_void_p
        pool = ctypes.c_void_p(library.pjsua_pool_create(b"guard", 512, 512))
        # The header copies both texts.
        name, value = (ctypes.create_string_buffer(text) for text in (b"Allow", _ALLOW))
        header = library.pjsip_generic_string_hdr_create(
            pool, *(ctypes.byref(Text(ctypes.addressof(text), len(text) - 1)) for text in (name, value))
        )
        # A list of PJLIB: the head and the one header point to each other.
        self._headers = (ctypes.c_void_p * 2)()
        head = ctypes.addressof(self._headers)
        self._headers[0] = self._headers[1] = header
        links = (ctypes.c_void_p * 2).from_address(header)
        links[0] = links[1] = head

    def answer(self, message: ReceivedMessage) -> bool:
        """Answer the request if it must not reach the library; tell whether it was answered."""
        found = _REQUEST.match(message.summary)
        if found is None or self._headers is None:
            return False
        method = found[1].decode(errors="replace")
        code = reply_code(method, in_dialog=message.has_to_tag)
        if code is None and method in _NEW_TARGET and unreachable_target(message.head, self._transports()):
            code = 400
        if code is None:
            return False
        self._library.pjsip_endpt_respond_stateless(
            *(endpoint_of(self._library), message.pointer, ctypes.c_int(code)),
            *(None, ctypes.byref(self._headers), None),
        )
        return True
