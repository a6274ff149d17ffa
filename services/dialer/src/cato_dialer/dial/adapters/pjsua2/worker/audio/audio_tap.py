"""Get the audio of calls out of the library, by its writer of WAV files, into a pipe.

No Python is in the path of a packet that way; it would delay the packets of other calls. A tap is attached to
one call after another and never closed, because the library's threads may still use it.
"""

import contextlib
import ctypes
import fcntl
import os
from typing import Any

from cato_dialer.dial.adapters.pjsua2.worker.audio.tones import RATE

_FRAME_SAMPLES = 160
_SAMPLE_BITS = 16
_FRAME_BYTES = _FRAME_SAMPLES * _SAMPLE_BITS // 8
_BUFFER_BYTES = 2 * _FRAME_BYTES
"The most that the writer buffers."
_LEFT_BYTES = _BUFFER_BYTES + _FRAME_BYTES
"Audio that may still come from the last call: the buffer, and the frame that is being written."
_PIPE_BYTES = 1 << 20
"A minute of audio. A full pipe would stop the library's clock."


class AudioTapError(Exception):
    """The library refused an operation of the tap."""


class AudioTap:
    """The audio of one call, at 8 kHz. Must be used on the library's thread."""

    def __init__(self, library: ctypes.CDLL) -> None:
        """Raises: AudioTapError, OSError."""
        self._library = library
        self._libc = ctypes.CDLL(None)
        self._source = 0
        self._left = 0
        self._reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # A machine that grants a smaller pipe works, too: the pipe is read every 100 ms.
        with contextlib.suppress(PermissionError):
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._slot = self._open(f"/proc/self/fd/{writing}")
        os.close(writing)
        self._drain()

    def attach(self) -> None:
        """Begin with another call; its first 60 ms are dropped, because they may be of the last call."""
        self._left = _LEFT_BYTES

    def listen_to(self, source: Any) -> None:
        """Take the audio of a port of the bridge from here on. Raises: AudioTapError."""
        self._drain()
        self._source = int(source.getPortId())
        self._check(self._library.pjsua_conf_connect(self._source, self._slot))

    def detach(self) -> None:
        """Take no more audio of the call."""
        # The library refuses this if the call, its port and the connection are gone already.
        self._library.pjsua_conf_disconnect(self._source, self._slot)

    def samples(self) -> bytes:
        """Return the samples (16 bit) since the last call of this method."""
        drained = self._drain()
        kept = drained[self._left :]
        self._left = max(self._left - len(drained), 0)
        return kept

    def _drain(self) -> bytes:
        # The writer's file has a buffer of its own, in C.
        self._libc.fflush(None)
        chunks = []
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self._reading, _PIPE_BYTES):
                chunks.append(chunk)
        return b"".join(chunks)

    def _open(self, path: str) -> int:
        """Return the slot in the bridge."""
        library = self._library
        library.pjsua_pool_create.restype = ctypes.c_void_p
        pool = ctypes.c_void_p(library.pjsua_pool_create(b"tap", 1_000, 1_000))
        port, slot = ctypes.c_void_p(), ctypes.c_int()
        self._check(
            library.pjmedia_wav_writer_port_create(
                *(pool, os.fsencode(path), RATE, 1, _FRAME_SAMPLES, _SAMPLE_BITS, 0),
                *(ctypes.c_ssize_t(_BUFFER_BYTES), ctypes.byref(port)),
            )
        )
        self._check(library.pjsua_conf_add_port(pool, port, ctypes.byref(slot)))
        return slot.value

    def _check(self, status: int) -> None:
        if status:
            raise AudioTapError(f"calls cannot be listened to: status {status} of the library")
