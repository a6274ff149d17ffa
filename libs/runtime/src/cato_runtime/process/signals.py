"""Signals that ask a process to stop."""

import asyncio
import signal
from collections.abc import Callable

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def on_stop_signal(act: Callable[[], object]) -> None:
    """Call `act` at SIGTERM and at Ctrl-C, in the running loop; it replaces what was called before."""
    loop = asyncio.get_running_loop()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, act)


def stop_requested() -> asyncio.Event:
    """Return the event that SIGTERM or Ctrl-C sets."""
    stopping = asyncio.Event()
    on_stop_signal(stopping.set)
    return stopping
