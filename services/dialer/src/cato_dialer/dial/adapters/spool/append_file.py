"""A file of lines that is only appended to, and replaced by a shorter one now and then."""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

import structlog

log = structlog.get_logger()

_MODE = 0o600  # events and jobs contain telephone numbers
_MOST_BYTES = 64 * 2**20
_END = b"\n"


class AppendFile:
    """Survives the death of the process after each line, and a power failure after `sync`.

    A disk that is full or broken is logged once and does not end the calls. What was written of a line that
    failed, or of one that a former process was writing when it was killed, is removed before the next line.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._size = 0
        """The length of the whole lines."""
        self._torn = False
        """There may be a part of a line behind them."""
        self._failed = False
        self._syncing: asyncio.Task[None] | None = None
        self._dirty = False

    def read(self) -> list[str]:
        """Return the complete lines; a last one without an end was being written at a power failure."""
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return []
        return text.split("\n")[:-1]

    def append(self, line: str) -> None:
        data = f"{line}\n".encode()
        try:
            file = self._opened()
            if self._size + len(data) > _MOST_BYTES:
                self._fail(f"the file has reached {_MOST_BYTES} bytes")
                return
            self._torn = True
            rest = data
            while rest:
                rest = rest[os.write(file, rest) :]
            self._torn = False
            self._size += len(data)
        except OSError as error:
            self._fail(str(error))

    def replace(self, lines: Iterable[str]) -> None:
        """Have these lines only."""
        lines = list(lines)
        draft = self._path.with_suffix(".draft")
        try:
            self.close()
            if lines:
                file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
                with os.fdopen(file, "w", encoding="utf-8") as content:
                    content.writelines(f"{line}\n" for line in lines)
                draft.replace(self._path)
            else:
                self._path.unlink(missing_ok=True)
            self._failed = False
        except OSError as error:
            self._fail(str(error))

    def sync(self) -> None:
        """Write everything to the disk soon, in a thread: the calls do not wait for it."""
        self._dirty = True
        if self._syncing is None or self._syncing.done():
            self._syncing = asyncio.create_task(self._sync())

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int:
        """Return the file, which ends with a whole line. Raises: OSError."""
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._file = os.open(self._path, flags, _MODE)
            self._size = self._path.read_bytes().rfind(_END) + 1
            self._torn = os.fstat(self._file).st_size > self._size
        if self._torn:
            os.ftruncate(self._file, self._size)
            self._torn = False
        return self._file

    async def _sync(self) -> None:
        while self._dirty and self._file is not None:
            self._dirty = False
            copy = os.dup(self._file)  # the file may be closed meanwhile
            try:
                await asyncio.to_thread(os.fdatasync, copy)
            except OSError as error:
                self._fail(str(error))
            finally:
                os.close(copy)

    def _fail(self, reason: str) -> None:
        if not self._failed:
            log.error("what a restart would need cannot be kept", file=str(self._path), reason=reason)
        self._failed = True
