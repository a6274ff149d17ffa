"""Play a file with the C functions of the library.

The C++ class registers a callback for the end of the file. The library calls it on another thread, possibly
after the object is gone, and the process crashes (in `AudioMediaPlayer::eof_cb`; seen once in some hundred
calls on a busy machine). The C functions register no callback.
"""

import ctypes
import os
from pathlib import Path
from typing import Any

_NO_LOOP = 1
"PJMEDIA_FILE_NO_LOOP."


class PlayerError(Exception):
    """The library refused to play."""


class _Text(ctypes.Structure):
    _fields_ = (("ptr", ctypes.c_char_p), ("slen", ctypes.c_ssize_t))


class PromptPlayer:
    """Plays one file once. Must be used and closed on the library's thread."""

    def __init__(self, library: ctypes.CDLL, path: Path) -> None:
        """Raises: PlayerError."""
        self._library = library
        number = ctypes.c_int()
        name = os.fsencode(path)
        text = _Text(name, len(name))
        status = library.pjsua_player_create(
            ctypes.byref(text), ctypes.c_uint(_NO_LOOP), ctypes.byref(number)
        )
        if status:
            raise PlayerError(f"{path} cannot be played: status {status} of the library")
        self._number: int | None = number.value
        library.pjsua_player_get_pos.restype = ctypes.c_ssize_t

    def play_to(self, sink: Any) -> None:
        """Connect the player to a port of the bridge. Raises: PlayerError."""
        source = self._library.pjsua_player_get_conf_port(self._number)
        status = self._library.pjsua_conf_connect(source, int(sink.getPortId()))
        if status:
            raise PlayerError(f"the prompt cannot be connected: status {status} of the library")

    @property
    def position(self) -> int:
        """The samples read from the file; 0 before the first frame and at the end."""
        return max(int(self._library.pjsua_player_get_pos(self._number)), 0)

    def close(self) -> None:
        """Stop playing. A second call does nothing."""
        if self._number is not None:
            self._library.pjsua_player_destroy(self._number)
            self._number = None
