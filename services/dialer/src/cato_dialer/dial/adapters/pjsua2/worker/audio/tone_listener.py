"""Listen to calls for key tones, with an audio tap for each."""

import ctypes
from dataclasses import dataclass, field
from typing import Any

from cato_dialer.dial.adapters.pjsua2.worker.audio.audio_tap import AudioTap
from cato_dialer.dial.adapters.pjsua2.worker.audio.tones import ToneReceiver


@dataclass(slots=True)
class _Attached:
    tap: AudioTap
    receiver: ToneReceiver = field(default_factory=ToneReceiver)


class ToneListener:
    """Has one tap for each line that is listened to; taps are used again."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._idle: list[AudioTap] = []
        self._attached: dict[int, _Attached] = {}

    def listen(self, line: int, source: Any) -> None:
        """Listen to a port of the bridge, for the first time or again after a new stream.

        Raises: AudioTapError, OSError.
        """
        if line not in self._attached:
            attached = self._attached[line] = _Attached(
                self._idle.pop() if self._idle else AudioTap(self._library)
            )
            attached.tap.attach()
        self._attached[line].tap.listen_to(source)

    def keys(self, line: int) -> str:
        """Return the keys that were recognised since the last call of this method."""
        attached = self._attached.get(line)
        return attached.receiver.hear(attached.tap.samples()) if attached is not None else ""

    def end(self, line: int) -> None:
        attached = self._attached.pop(line, None)
        if attached is not None:
            attached.tap.detach()
            self._idle.append(attached.tap)
