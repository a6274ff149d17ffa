"""Signals to stop that come while a process still imports its modules and reads its configuration.

By default SIGTERM ends a process with an error, and does not end the first process of a container at all:
that one would be killed after the grace period. This module imports nothing that takes time.
"""

import os
import signal
from types import FrameType


def _end(_number: int, _frame: FrameType | None) -> None:
    # There is nothing to undo yet. An exception would show as a traceback of whatever is being imported.
    os._exit(0)


def end_at_stop_signal() -> None:
    """End the process at once, with exit code 0, at SIGTERM and Ctrl-C; until the service listens to them."""
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
