"""Digits in SIP INFO that PJSIP leaves alone: it knows `application/dtmf-relay` only."""

import ctypes
import re
from typing import Any

_CONTENT_TYPE = re.compile(
    r"^(?:content-type|c)[ \t]*:[ \t]*application/dtmf[ \t]*(?:;.*)?$", re.IGNORECASE | re.MULTILINE
)
_BODY = re.compile(r"\s*(?:signal\s*=\s*)?([0-9A-D*#])\s*", re.IGNORECASE)

_OK = 200


def digit_of_info(message: str) -> str | None:
    """Return the digit of an INFO request whose body, of type `application/dtmf`, is just that."""
    head, _, body = message.partition("\r\n\r\n")
    if _CONTENT_TYPE.search(head.replace("\r\n", "\n")) is None:
        return None
    match = _BODY.fullmatch(body)
    return match[1].upper() if match else None


def accept_info(library: ctypes.CDLL, transaction: Any, request: Any) -> None:
    """Answer 200 to a request that the library would answer 500, as nothing in it knows what it is.

    To be called while the library reports it. The two are its `SipTransaction` and `SipRxData`.
    """
    library.pjsip_tsx_get_dlg.restype = ctypes.c_void_p
    dialog = library.pjsip_tsx_get_dlg(ctypes.c_void_p(int(transaction.pjTransaction)))
    if dialog is None:
        return
    library.pjsip_dlg_respond(
        *(ctypes.c_void_p(dialog), ctypes.c_void_p(int(request.pjRxData)), ctypes.c_int(_OK)),
        *(None, None, None),
    )
