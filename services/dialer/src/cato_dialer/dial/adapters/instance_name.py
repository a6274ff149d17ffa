"""The name of a dial process, which it keeps over restarts: a locked file in the data directory."""

import fcntl
import os
from itertools import count
from pathlib import Path
from uuid import uuid4


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
