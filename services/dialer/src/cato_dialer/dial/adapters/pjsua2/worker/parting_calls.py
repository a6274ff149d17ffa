"""Calls that we have hung up and that the library still holds: their last request has no answer yet."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cato_dialer.dial.adapters.pjsua2 import protocol


class PartingCalls:
    """Tells the supervisor when the far end of each released line is gone."""

    def __init__(self, library: ctypes.CDLL, emit: Callable[[protocol.FromWorker], None]) -> None:
        self._library = library
        self._emit = emit
        self._numbers: dict[int, int] = {}

    @contextmanager
    def hanging_up(self, line: int, number: int) -> Iterator[None]:
        """Watch the call of a line, which has this number in the library and is hung up inside."""
        yield
        if number in self._held():
            self._numbers[line] = number

    def released(self, line: int) -> None:
        """Note that a line is released: its far end is gone unless the library holds the call."""
        if line not in self._numbers:
            self._emit(protocol.Gone(line))

    def check(self) -> None:
        """Find the calls that have ended. To be called before the library is given another call."""
        if not self._numbers:
            return
        held = self._held()
        for line, number in list(self._numbers.items()):
            if number not in held:
                del self._numbers[line]
                self._emit(protocol.Gone(line))

    def _held(self) -> frozenset[int]:
        most = int(self._library.pjsua_call_get_max_count())
        numbers, count = (ctypes.c_int * most)(), ctypes.c_uint(most)
        self._library.pjsua_enum_calls(numbers, ctypes.byref(count))
        return frozenset(numbers[: count.value])
