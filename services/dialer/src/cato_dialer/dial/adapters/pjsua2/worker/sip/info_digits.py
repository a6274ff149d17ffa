"""Reads the key out of a SIP INFO request, and answers the request.

PJSIP is kept from reading these itself: it knows `application/dtmf-relay` only, takes the first character of
`Signal=11` for the key, and aborts the process on a body without a line end (pjproject issue 3014).
"""

import ctypes
import re
from typing import Any

from cato_dialer.dial.adapters.sip.info_digits import key_of_info

_CONTENT_TYPE = re.compile(
    r"^(?:content-type|c)[ \t]*:[ \t]*application/(dtmf|dtmf-relay)[ \t]*(?:;.*)?$",
    re.IGNORECASE | re.MULTILINE,
)
_OK = 200


def digit_of_info(message: str) -> str | None:
    """Return the key of an INFO request, None if it has none."""
    head, _, body = message.replace("\r\n", "\n").partition("\n\n")
    content_type = _CONTENT_TYPE.search(head)
    if content_type is None:
        return None
    return key_of_info(f"application/{content_type[1].lower()}", body)


def accept_info(library: ctypes.CDLL, transaction: Any, request: Any) -> None:
    """Answer an INFO request with 200, so that PJSIP neither reads it nor refuses it with 500.

    Must be called while the library reports the request. The arguments are its `SipTransaction` and
    `SipRxData`.
    """
    dialog = dialog_of(library, transaction)
    if not dialog:
        return
    library.pjsip_dlg_respond(
        *(ctypes.c_void_p(dialog), ctypes.c_void_p(int(request.pjRxData)), ctypes.c_int(_OK)),
        *(None, None, None),
    )


def dialog_of(library: ctypes.CDLL, transaction: Any) -> int:
    """Return the library's dialog (`pjsip_dialog *`) of a `SipTransaction`, 0 if it has none."""
    library.pjsip_tsx_get_dlg.restype = ctypes.c_void_p
    return int(library.pjsip_tsx_get_dlg(ctypes.c_void_p(int(transaction.pjTransaction))) or 0)
