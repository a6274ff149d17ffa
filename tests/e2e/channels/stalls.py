"""Measurement of scheduling delays of the machine."""

import threading
import time
from types import TracebackType
from typing import Self

_NAP_S = 0.001


class StallWatch:
    """Measures while the context is open; `worst_ms` is the longest delay of a timer in its thread."""

    def __init__(self) -> None:
        self.worst_ms = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            began = time.monotonic()
            time.sleep(_NAP_S)
            self.worst_ms = max(self.worst_ms, (time.monotonic() - began - _NAP_S) * 1000)
