"""Programs of the project as processes whose modules need not be imported again: most of the cost of a start.

Each is a process of its own, with its own signals, streams and exit code; only its parent is the server.
"""

import asyncio
import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, Any, Self

from tests.support.preloaded.server import MOST_BYTES

ROOT = Path(__file__).parents[3]
CLOSED = -signal.SIGKILL
"The exit code of processes whose server has ended: the kernel ends them with it."


@cache
def _server() -> socket.socket:
    """Start the server, once; return the connection to it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.support.preloaded.server", str(theirs.fileno())],
            cwd=ROOT,
            # numpy starts threads otherwise, and a process with threads is not forked.
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            # The session stays the same: the kernel shares the processor among sessions, and a lane has one.
            process_group=0,
        )

    def close() -> None:
        ours.close()
        server.wait()

    atexit.register(close)
    return ours


def _opened(stream: int | IO[Any] | None, inherited: int) -> tuple[int, int | None]:
    """Return a descriptor for the process, and one to read from if it is a pipe."""
    if stream == subprocess.PIPE:
        reading, writing = os.pipe()
        return writing, reading
    if stream == subprocess.DEVNULL:
        return os.open(os.devnull, os.O_RDWR), None
    if stream is None:
        return os.dup(inherited), None
    return os.dup(stream if isinstance(stream, int) else stream.fileno()), None


def _readable(descriptor: int, timeout: float | None) -> bool:
    """Wait until a descriptor of any number has something to read."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(None if timeout is None else timeout * 1000))


class PreloadedProcess:
    """A process with the methods of `subprocess.Popen`, as far as tests need them."""

    def __init__(
        self,
        entry: str,
        arguments: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdout: int | IO[Any] | None = None,
        stderr: int | IO[Any] | None = None,
    ) -> None:
        """Run `module:function`, which the server imports, with a command line."""
        self.args = list(arguments)
        self.returncode: int | None = None
        null, _ = _opened(subprocess.DEVNULL, 0)
        output, self.output = _opened(stdout, 1)
        errors, self.errors = _opened(stderr, 2)
        self.state, state = os.pipe()
        request = {
            "entry": entry,
            "arguments": self.args,
            "environment": dict(os.environ if env is None else env),
            "directory": str(cwd or Path.cwd()),
        }
        descriptors = [null, output, errors, state]
        socket.send_fds(_server(), [json.dumps(request).encode()], descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        pid, _, rest = os.read(self.state, MOST_BYTES).decode().partition("\n")
        assert pid, f"the server could not start {entry}"
        self.pid = int(pid)
        if rest:
            self._end(rest)
        self.stdout = None if self.output is None else os.fdopen(self.output, encoding="utf-8")
        self.stderr = None if self.errors is None else os.fdopen(self.errors, encoding="utf-8")

    def poll(self) -> int | None:
        """Return the exit code; None while the process runs."""
        if self.returncode is None and _readable(self.state, 0):
            self._end(os.read(self.state, MOST_BYTES).decode())
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not _readable(self.state, timeout):
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self._end(os.read(self.state, MOST_BYTES).decode())
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal; without effect on a process that has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # its exit code is on the way
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _end(self, code: str) -> None:
        self.returncode = int(code) if code else CLOSED
        os.close(self.state)


class AsyncPreloadedProcess:
    """A process with the methods of `asyncio.subprocess.Process`, as far as tests need them."""

    def __init__(self, process: PreloadedProcess) -> None:
        self._process = process
        self.pid = process.pid
        self.stdout: asyncio.StreamReader | None = None
        self.stderr: asyncio.StreamReader | None = None
        self._pipes: list[asyncio.BaseTransport] = []

    @classmethod
    async def start(cls, entry: str, arguments: Sequence[str], **options: Any) -> Self:
        """Start a process; the arguments are those of `PreloadedProcess`."""
        # The server may import for some seconds.
        self = cls(await asyncio.to_thread(PreloadedProcess, entry, arguments, **options))
        self.stdout = await self._reader(self._process.stdout)
        self.stderr = await self._reader(self._process.stderr)
        return self

    @property
    def returncode(self) -> int | None:
        return self._process.poll()

    async def wait(self) -> int:
        if self._process.poll() is None:
            ended = asyncio.Event()
            loop = asyncio.get_running_loop()
            loop.add_reader(self._process.state, ended.set)
            try:
                await ended.wait()
            finally:
                loop.remove_reader(self._process.state)
        return self._process.wait()

    async def communicate(self) -> tuple[bytes, bytes]:
        """Return what is left of the outputs, when the process has ended."""
        output = await self.stdout.read() if self.stdout else b""
        errors = await self.stderr.read() if self.stderr else b""
        await self.wait()
        for pipe in self._pipes:
            pipe.close()
        return output, errors

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()

    async def _reader(self, file: IO[str] | None) -> asyncio.StreamReader | None:
        if file is None:
            return None
        reader = asyncio.StreamReader()
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), file
        )
        self._pipes.append(pipe)
        return reader
