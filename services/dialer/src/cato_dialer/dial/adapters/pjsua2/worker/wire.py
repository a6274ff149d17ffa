"""What the supervisor is told of the messages themselves: each INVITE before it is sent, and SIP traces."""

import ctypes
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cato_dialer.dial.adapters.pjsua2 import protocol
from cato_dialer.dial.adapters.pjsua2.worker.sip.library_module import ReceivedMessage
from cato_dialer.dial.adapters.pjsua2.worker.sip.wire_module import SentMessage, WireModule, address_at
from cato_dialer.dial.adapters.sip.last_requests import call_and_method, sent_by

_INVITE = b"Request msg INVITE/"
_TO_TAG = re.compile(r"(?im)^(?:to|t)[ \t]*:.*;[ \t]*tag=")
_VIA = re.compile(rb"(?im)^(?:via|v)[ \t]*:[ \t]*SIP[ \t]*/[ \t]*2\.0[ \t]*/[ \t]*([a-z]+)")
_UNKNOWN = "0.0.0.0", 0


class Wire:
    """Sees every message; `emit` gets what is for the supervisor."""

    def __init__(self, library: ctypes.CDLL, emit: Callable[[protocol.FromWorker], None]) -> None:
        self._emit = emit
        self._module = WireModule(library, self._sends_request, self._sends_response)
        self._sending: int | None = None
        self._lines: dict[str, int] = {}
        self._announced: dict[int, str] = {}
        self._traced = False
        self._local: dict[str, tuple[str, int]] = {}

    def register(self) -> int:
        """Return the library's status, 0 for success."""
        return self._module.register()

    def trace(self, *, on: bool) -> None:
        """Pass on all messages, or no more."""
        self._traced = on

    @contextmanager
    def sending(self, line: int) -> Iterator[None]:
        """Have the library send the first INVITE of a line inside."""
        self._sending = line
        try:
            yield
        finally:
            self._sending = None

    def announced(self, line: int) -> str | None:
        """Return the head of the line's last INVITE, if the supervisor was told of it before it was sent."""
        return self._announced.get(line)

    def over(self, line: int) -> None:
        """Forget a line."""
        self._announced.pop(line, None)
        for call_id in [call_id for call_id, known in self._lines.items() if known == line]:
            del self._lines[call_id]

    def received(self, message: ReceivedMessage) -> None:
        """Take a message before the library acts on it."""
        if self._traced:
            self._pass_on(message.text, address_at(message.source, 0), sent=False)

    def _sends_request(self, message: SentMessage) -> None:
        if message.summary.startswith(_INVITE):
            # Before it is sent: this process may die right after that, and the call must be ended.
            self._announce(message)
        if self._traced:
            self._pass_on(message.text, message.peer, sent=True)

    def _sends_response(self, message: SentMessage) -> None:
        if self._traced:
            self._pass_on(message.text, message.peer, sent=True)

    def _announce(self, message: SentMessage) -> None:
        head = message.text.partition(b"\r\n\r\n")[0].decode(errors="replace")
        if not head or _TO_TAG.search(head):
            return  # within the call, which the supervisor can end by what it knows
        call_id = call_and_method(head)[0]
        if call_id not in self._lines and self._sending is not None:
            line, self._sending = self._sending, None
            self._lines[call_id] = line
            self._emit(protocol.CallNamed(line, call_id))
        line_of_call = self._lines.get(call_id)
        if line_of_call is None or self._announced.get(line_of_call) == head:
            return  # sent again
        peer = message.peer
        if sent_by(head) is not None and peer is not None:  # over UDP
            host, port = peer
            address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            self._emit(protocol.Signalled(line_of_call, head, address))
        self._announced[line_of_call] = head

    def _pass_on(self, text: bytes, peer: tuple[str, int] | None, *, sent: bool) -> None:
        found = _VIA.search(text)
        transport = found[1].decode().lower() if found else "udp"
        if sent and not text.startswith(b"SIP/") and (own := _own_address(text)) is not None:
            self._local[transport] = own
        local, remote = self._local.get(transport, _UNKNOWN), peer or _UNKNOWN
        at_us = time.time_ns() // 1_000
        self._emit(protocol.SipMessage(at_us, sent, transport, local, remote, text.decode("latin-1")))


_SENT_BY = re.compile(rb"(?im)^(?:via|v)[ \t]*:[^\r\n]*?[A-Z]+[ \t]+(\[[^\]]+\]|[^\s:;]+):([0-9]+)")


def _own_address(request: bytes) -> tuple[str, int] | None:
    """Return our address, by the Via of a request of ours."""
    found = _SENT_BY.search(request)
    return None if found is None else (found[1].strip(b"[]").decode("latin-1"), int(found[2]))
