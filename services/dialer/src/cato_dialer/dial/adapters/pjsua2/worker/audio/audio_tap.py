"""Audio of calls, out of the library: by its writer of WAV files, into a pipe.

That way no Python is in the path of a packet, where it would hold up those of other calls. An ear is lent to
one call after another and never closed: the library's threads may still be at it.
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
"What the writer keeps back at most."
_LEFT_BYTES = _BUFFER_BYTES + _FRAME_BYTES
"What may come of the last call yet: that, and the frame that the library's clock is just about to write."
_PIPE_BYTES = 1 << 20
"A minute of audio. Were it full, the library's clock would stand still."


class EarError(Exception):
    """The library refuses."""


class Ear:
    """One call's audio, 8 kHz. To be used on the library's thread."""

    def __init__(self, library: ctypes.CDLL) -> None:
        """Raises: EarError, OSError."""
        self._library = library
        self._libc = ctypes.CDLL(None)
        self._source = 0
        self._left = 0
        self._reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # A machine that grants less has to be read often enough, which it is: every 100 ms.
        with contextlib.suppress(PermissionError):
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._slot = self._open(f"/proc/self/fd/{writing}")
        os.close(writing)
        self._drain()

    def lend(self) -> None:
        """Begin with another call: the first 60 ms may be of the last one, and are not heard."""
        self._left = _LEFT_BYTES

    def listen_to(self, source: Any) -> None:
        """Hear a port of the bridge from here on, and nothing from before. Raises: EarError."""
        self._drain()
        self._source = int(source.getPortId())
        self._check(self._library.pjsua_conf_connect(self._source, self._slot))

    def turn_away(self) -> None:
        """Hear no more of what it was lent for."""
        # Refused if the call and its port are gone, and the connection with them.
        self._library.pjsua_conf_disconnect(self._source, self._slot)

    def heard(self) -> bytes:
        """Return the samples since the last time, 16 bit."""
        samples = self._drain()
        heard = samples[self._left :]
        self._left = max(self._left - len(samples), 0)
        return heard

    def _drain(self) -> bytes:
        # The writer's file has a buffer of its own, in C.
        self._libc.fflush(None)
        chunks = []
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self._reading, _PIPE_BYTES):
                chunks.append(chunk)
        return b"".join(chunks)

    def _open(self, path: str) -> int:
        """Return the place in the bridge."""
        library = self._library
        library.pjsua_pool_create.restype = ctypes.c_void_p
        pool = ctypes.c_void_p(library.pjsua_pool_create(b"ear", 1_000, 1_000))
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
            raise EarError(f"calls cannot be listened to: status {status} of the library")
