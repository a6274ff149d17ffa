"""A module of PJSIP next to the network: it sees each message as it was written, right before it is sent."""

import ctypes
import ipaddress
import socket
from collections.abc import Callable
from typing import Any

from cato_dialer.dial.adapters.pjsua2.worker.sip.library_module import Callback, Module, Text, endpoint_of

_AFTER_WRITING = 7
"PJSIP_MOD_PRIORITY_TRANSPORT_LAYER - 1, as the library's own log of messages: the text is complete there."
_SLOTS = 200
"The fields that are looked for in `pjsip_tx_data`, in units of a pointer; the structure is longer."
_POINTER = ctypes.sizeof(ctypes.c_void_p)
_LARGEST_BUFFER = 65_536
_LENGTH_AT, _NAME_AT, _PORT_AT = 28, 32, 80
"In `tp_info` of `pjsip_tx_data`, from `dst_addr` on: its length, the host as text, and the port."
_NAME_LENGTH = 46
_ADDRESS_LENGTHS = {socket.AF_INET: 16, socket.AF_INET6: 28}


class SentMessage:
    """A message that is about to be sent, `pjsip_tx_data`; valid during the callback only."""

    _text_slot: int | None = None
    _peer_offset: int | None = None
    "Where the text and the destination stand, once they were found: it depends on how the library was built."

    def __init__(self, library: ctypes.CDLL, address: int) -> None:
        self._address = address
        self._summary_at = library.pjsip_tx_data_get_info(ctypes.c_void_p(address))
        self.summary: bytes = ctypes.string_at(self._summary_at) if self._summary_at else b""
        """Such as `Request msg BYE/cseq=2 (tdta0x55)` or `Response msg 200/BYE/cseq=1 (tdta0x55)`."""

    @property
    def text(self) -> bytes:
        """The message as it goes to the network; empty if it cannot be found."""
        slots = (ctypes.c_size_t * _SLOTS).from_address(self._address)
        if SentMessage._text_slot is None:
            SentMessage._text_slot = self._find_text(slots)
        if SentMessage._text_slot is None:
            return b""
        start, current = slots[SentMessage._text_slot], slots[SentMessage._text_slot + 1]
        return ctypes.string_at(start, current - start) if start else b""

    @property
    def peer(self) -> tuple[str, int] | None:
        """The address that it is sent to."""
        data = ctypes.string_at(self._address, _SLOTS * _POINTER)
        if SentMessage._peer_offset is None:
            SentMessage._peer_offset = _find_peer(data)
        if SentMessage._peer_offset is None:
            return None
        return address_at(data, SentMessage._peer_offset)

    def _find_text(self, slots: "ctypes.Array[ctypes.c_size_t]") -> int | None:
        """Find `start`, `cur` and `end` of the buffer, behind the pointer to the summary."""
        words = self.summary.split(b" ")
        first = b"SIP/2.0 " if self.summary.startswith(b"Response") else words[2].partition(b"/")[0] + b" "
        behind = next((index for index, slot in enumerate(slots) if slot == self._summary_at), _SLOTS)
        for index in range(behind + 1, _SLOTS - 2):
            start, current, end = slots[index], slots[index + 1], slots[index + 2]
            if not (start and start + len(first) < current <= end <= start + _LARGEST_BUFFER):
                continue
            if ctypes.string_at(start, len(first)) == first:
                return index
        return None


def address_at(data: bytes, offset: int) -> tuple[str, int] | None:
    """Return the address of a `sockaddr` of IPv4 or IPv6, None if there is none."""
    family = int.from_bytes(data[offset : offset + 2], "little")
    port = int.from_bytes(data[offset + 2 : offset + 4], "big")
    if family == socket.AF_INET:
        return str(ipaddress.IPv4Address(data[offset + 4 : offset + 8])), port
    if family == socket.AF_INET6:
        return str(ipaddress.IPv6Address(data[offset + 8 : offset + 24])), port
    return None


def _find_peer(data: bytes) -> int | None:
    """Find `tp_info.dst_addr`: an address that is followed by its length, itself as text, and its port."""
    for offset in range(0, len(data) - _PORT_AT - 4, 4):
        found = address_at(data, offset)
        if found is None or found[1] == 0:
            continue
        length = int.from_bytes(data[offset + _LENGTH_AT : offset + _NAME_AT], "little")
        port = int.from_bytes(data[offset + _PORT_AT : offset + _PORT_AT + 4], "little")
        name = data[offset + _NAME_AT : offset + _NAME_AT + _NAME_LENGTH].partition(b"\0")[0]
        if length in _ADDRESS_LENGTHS.values() and port == found[1] and name.decode("latin-1") == found[0]:
            return offset
    return None


class WireModule:
    """Passes each message to a function right before it is sent; requests and responses apart."""

    def __init__(
        self,
        library: ctypes.CDLL,
        on_request: Callable[[SentMessage], None],
        on_response: Callable[[SentMessage], None],
    ) -> None:
        self._library = library
        # The library keeps pointers to these.
        self._name = ctypes.create_string_buffer(b"mod-cato-wire")
        self._request, self._response = self._callback(on_request), self._callback(on_response)
        self._module = Module(
            name=Text(ctypes.addressof(self._name), len(self._name) - 1),
            id=-1,
            priority=_AFTER_WRITING,
            on_tx_request=self._request,
            on_tx_response=self._response,
        )

    def register(self) -> int:
        """Return the library's status, 0 for success. To be called when the library is initialised."""
        self._library.pjsip_tx_data_get_info.restype = ctypes.c_void_p
        module = ctypes.byref(self._module)
        return int(self._library.pjsip_endpt_register_module(endpoint_of(self._library), module))

    def _callback(self, take: Callable[[SentMessage], None]) -> Any:
        def called(address: int) -> int:
            take(SentMessage(self._library, address))
            return 0

        return Callback(called)
