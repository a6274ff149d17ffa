"""A lock on a file that each process with calls of a dialer holds for as long as it lives.

When a dialer is killed, its SIP workers and media processes hang up its calls before they end. The next start
of the dialer waits for the lock: from then on these calls are over. Standard library only: the media process
imports this.
"""

import fcntl
import os
from pathlib import Path

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC


def hold(path: str) -> None:
    """Hold the lock until this process ends, however that happens; "": there is none.

    Raises:
        OSError: if the file cannot be opened.

    """
    if path:
        fcntl.flock(os.open(path, _FLAGS, 0o644), fcntl.LOCK_SH)


def is_held(path: Path) -> bool:
    """Tell whether a process holds the lock. Raises: OSError."""
    file = os.open(path, _FLAGS, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
