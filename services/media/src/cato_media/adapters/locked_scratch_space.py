"""Scratch files on disk. The next process to start removes the files of one that was killed."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import uuid4

_LOCK = ".lock"


class LockedScratchSpace:
    """A directory for this process below `root`, which other replicas may share.

    Each directory has a lock file. The kernel releases the lock of a process that ends for any reason, so a
    directory whose lock is free is left over and can be removed.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._own = root / uuid4().hex

    @contextmanager
    def opened(self) -> Iterator[None]:
        self._root.mkdir(parents=True, exist_ok=True)
        _sweep(self._root)
        lock = self._own.with_suffix(_LOCK)
        with lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._own.mkdir()
            try:
                yield
            finally:
                _remove(lock)

    @contextmanager
    def directory(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self._own) as directory:
            yield Path(directory)


def _sweep(root: Path) -> None:
    for lock in root.glob(f"*{_LOCK}"):
        try:
            with lock.open("r+") as file:
                if _is_free(file):
                    _remove(lock)
        except FileNotFoundError:
            continue  # another process has removed it


def _is_free(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove(lock: Path) -> None:
    shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
    lock.unlink(missing_ok=True)
