"""Who of the calls is listened to for tones, and with which ear."""

import ctypes
from dataclasses import dataclass, field
from typing import Any

from cato_dialer.dial.adapters.pjsua2.worker.audio.audio_tap import Ear
from cato_dialer.dial.adapters.pjsua2.worker.audio.tones import ToneReceiver


@dataclass(slots=True)
class _Lent:
    ear: Ear
    receiver: ToneReceiver = field(default_factory=ToneReceiver)


class Hearing:
    """One ear for each line that has been listened to, at most as many as there were calls at once."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._idle: list[Ear] = []
        self._lent: dict[int, _Lent] = {}

    def listen(self, line: int, source: Any) -> None:
        """Listen to a port of the bridge, for the first time or, with a new stream, again.

        Raises: EarError, OSError.
        """
        if line not in self._lent:
            lent = self._lent[line] = _Lent(self._idle.pop() if self._idle else Ear(self._library))
            lent.ear.lend()
        self._lent[line].ear.listen_to(source)

    def keys(self, line: int) -> str:
        """Return the keys that have become sure since the last time."""
        lent = self._lent.get(line)
        return lent.receiver.hear(lent.ear.heard()) if lent is not None else ""

    def end(self, line: int) -> None:
        lent = self._lent.pop(line, None)
        if lent is not None:
            lent.ear.turn_away()
            self._idle.append(lent.ear)
