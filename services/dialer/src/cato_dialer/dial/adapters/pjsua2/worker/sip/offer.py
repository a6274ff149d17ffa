"""What the library offers in the session descriptions that it makes."""

import ctypes
from typing import Any

_HAS_TELEPHONE_EVENT = 0
"PJMEDIA_ENDPT_HAS_TELEPHONE_EVENT_FLAG: for the session descriptions that are made from then on."


class Offer:
    """The codecs and whether keys as RTP events are offered; the library has one setting for all calls."""

    def __init__(self, endpoint: Any, library: ctypes.CDLL) -> None:
        self._endpoint = endpoint
        self._library = library
        self._codecs: tuple[str, ...] = ()

    def prepare(self) -> None:
        """Declare the functions of the library that are used."""
        self._library.pjsua_get_pjmedia_endpt.restype = ctypes.c_void_p

    def codecs(self, codecs: tuple[str, ...]) -> None:
        """Offer only these codecs, in this order. Raises: pj.Error."""
        if codecs == self._codecs:
            return
        for codec in self._endpoint.codecEnum2():
            name = codec.codecId.split("/", 1)[0]
            priority = 255 - codecs.index(name) if name in codecs else 0
            self._endpoint.codecSetPriority(codec.codecId, priority)
        self._codecs = codecs

    def events(self, *, offered: bool) -> None:
        """Offer telephone-event, or not."""
        flag = ctypes.byref(ctypes.c_int(offered))
        endpoint = ctypes.c_void_p(self._library.pjsua_get_pjmedia_endpt())
        self._library.pjmedia_endpt_set_flag(endpoint, _HAS_TELEPHONE_EVENT, flag)
