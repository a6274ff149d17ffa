"""The baseline sender in Python: asyncio, woken 1,000 times a second by timerfd, `sendto` for each stream.

Takes the same requests as `floor_sender.c`: first the ports, then the counts since the last request.
"""

import asyncio
import ctypes
import gc
import os
import socket
import struct
import time
from typing import Any

from telephony.child import allow_many_sockets, serve
from telephony.prompt import FRAME, PERIOD

_SLOTS = 20
_SLOT_NS = 20_000_000 // _SLOTS
_GIVE_UP_NS = 100_000_000
"Packets that are later than this are skipped instead of being sent in a burst."
_HEADER = struct.Struct(">BBHII")
_NONBLOCK = 0o4000
_AUDIO = [bytes([mark]) * FRAME for mark in range(PERIOD)]

_library = ctypes.CDLL(None, use_errno=True)


class _TimerSpec(ctypes.Structure):
    """struct itimerspec."""

    _fields_ = tuple((name, ctypes.c_long) for name in ("every_s", "every_ns", "first_s", "first_ns"))


class Sender:
    def __init__(self) -> None:
        self._slots: list[list[tuple[Any, tuple[str, int]]]] = [[] for _ in range(_SLOTS)]
        self._sockets: list[socket.socket] = []
        self._timer = -1
        self._tick = 0
        self._due_ns = 0
        self._sent = self._errors = self._late_ns = 0

    async def handle(self, request: dict[str, Any]) -> dict[str, Any]:
        if "ports" in request:
            self._start(request["ports"])
            return {"streams": len(request["ports"])}
        found = {"sent": self._sent, "errors": self._errors, "late_ms": self._late_ns / 1e6}
        self._sent = self._errors = self._late_ns = 0
        return found

    def _start(self, ports: list[int]) -> None:
        for number, port in enumerate(ports):
            sending = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sending.bind(("127.0.0.1", 0))
            self._slots[number % _SLOTS].append((sending.sendto, ("127.0.0.1", port)))
            sending.setblocking(False)
            self._sockets.append(sending)
        self._timer = _library.timerfd_create(time.CLOCK_MONOTONIC, _NONBLOCK)
        spec = _TimerSpec(0, _SLOT_NS, 0, _SLOT_NS)
        self._due_ns = time.monotonic_ns()
        _library.timerfd_settime(self._timer, 0, ctypes.byref(spec), None)
        asyncio.get_running_loop().add_reader(self._timer, self._woken)
        gc.collect()
        gc.freeze()
        gc.disable()

    def _woken(self) -> None:
        for _ in range(int.from_bytes(os.read(self._timer, 8), "little")):
            self._due_ns += _SLOT_NS
            late_ns = time.monotonic_ns() - self._due_ns
            self._late_ns = max(self._late_ns, late_ns)
            if late_ns < _GIVE_UP_NS:
                self._send_slot()

    def _send_slot(self) -> None:
        frame, slot = divmod(self._tick, _SLOTS)
        self._tick += 1
        header = _HEADER.pack(0x80, 8, frame & 0xFFFF, frame * FRAME & 0xFFFFFFFF, 0)
        packet = header + _AUDIO[frame % PERIOD]
        streams = self._slots[slot]
        for send, port in streams:
            try:
                send(packet, port)
            except OSError:
                self._errors += 1
        self._sent += len(streams)


async def main() -> None:
    allow_many_sockets()
    await serve(Sender().handle)


if __name__ == "__main__":
    asyncio.run(main())
