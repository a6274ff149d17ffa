"""The name of a dial process, which it keeps over restarts: a locked file in the data directory."""

import asyncio
import fcntl
import os
from itertools import count
from pathlib import Path
from uuid import uuid4

import structlog

from cato_dialer.dial.adapters.call_lock import is_held

log = structlog.get_logger()

_CALLS_END_S = 10.0
"""SIP workers and media processes hang up and end within 4 s of the death of their dialer; a worker that
hangs ends within 6 s. Only one that is frozen lasts longer: then the station has to end its calls."""
_LOOK_S = 0.02


def take_name(directory: Path) -> str:
    """Take the first name in the directory that no running process has; make one if all are taken.

    The lock on its file lasts as long as this process, however that ends.

    Raises:
        OSError: if the directory cannot be written.

    """
    directory.mkdir(parents=True, exist_ok=True)
    for place in count():
        file = os.open(directory / str(place), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            continue
        known = os.read(file, 100).decode()
        if known.endswith("\n"):
            return known.strip()
        name = str(uuid4())
        os.pwrite(file, f"{name}\n".encode(), 0)
        os.fsync(file)
        return name
    raise AssertionError  # the count has no end


async def former_calls_ended(calls_file: Path, *, within_s: float = _CALLS_END_S) -> None:
    """Return once the processes that a killed dialer of this name has left have hung up its calls.

    To be done before a new incarnation is claimed: that is proof to others that these calls are over.

    Raises:
        OSError: if the file cannot be opened.

    """
    calls_file.parent.mkdir(parents=True, exist_ok=True)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while is_held(calls_file):
        if loop.time() >= deadline:
            log.error("SIP processes of the former start do not end", waited_s=within_s)
            return
        await asyncio.sleep(_LOOK_S)
