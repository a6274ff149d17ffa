"""Reads the key out of a SIP INFO request, and answers the request.

PJSIP is kept from reading these itself: it knows `application/dtmf-relay` only, takes the first character of
`Signal=11` for the key, and aborts the process on a body without a line end (pjproject issue 3014).
"""

import ctypes
import re
from typing import Any

_CONTENT_TYPE = re.compile(
    r"^(?:content-type|c)[ \t]*:[ \t]*application/(dtmf|dtmf-relay)[ \t]*(?:;.*)?$",
    re.IGNORECASE | re.MULTILINE,
)
_SIGNAL = re.compile(r"^[ \t]*signal[ \t]*=[ \t]*(\S*)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_KEYS = frozenset("0123456789*#ABCD")
_EVENTS = "0123456789*#ABCD"
"RFC 4733, 3.2: the key of an event number is at its index."

_OK = 200


def digit_of_info(message: str) -> str | None:
    """Return the key of an INFO request, None if it has none.

    The key is a character or the number of its event (RFC 4733): `11` is `#`. Other values, such as `16` for
    a hook flash, are not keys.
    """
    head, _, body = message.replace("\r\n", "\n").partition("\n\n")
    content_type = _CONTENT_TYPE.search(head)
    if content_type is None:
        return None
    signal = _SIGNAL.search(body)
    if signal is not None:
        return _key(signal[1])
    return _key(body.strip()) if content_type[1].lower() == "dtmf" else None


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


def _key(value: str) -> str | None:
    if value.upper() in _KEYS:
        return value.upper()
    if re.fullmatch(r"[0-9]{2}", value) and int(value) < len(_EVENTS):
        return _EVENTS[int(value)]
    return None
