"""Where the engines pass their messages while a SIP trace runs."""

from collections.abc import Callable
from typing import Protocol

from cato_dialer.dial.domain.sip_trace.recorder import Party, SeenMessage

Tap = Callable[[SeenMessage, Callable[[str], Party | None]], None]
"""Takes a message, and a function that finds the party of a call by its Call-ID."""


class Traceable(Protocol):
    """A part that exchanges messages of SIP."""

    def trace(self, tap: Tap | None) -> None:
        """Pass all messages to the tap from now on; None: no more."""
        ...
