"""Processes that are forked from one server, which has imported what they share."""

import asyncio
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

log = structlog.get_logger()

PRELOADED = (
    "cato_runtime.service",
    "cato_jetstream",
    "cato_contracts.messages.audio_commands",
    "cato_contracts.messages.campaign_commands",
    "cato_contracts.messages.jobs",
    "cato_contracts.api.history",
    "cato_contracts.api.status",
)
"""What at least three of the services import; what fewer need is imported by them, at the same time."""

_LOST = -signal.SIGKILL
"""The exit code of processes whose server has ended: the kernel ends them with it."""


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """A process to keep running: its name in logs, its function and program, its complete environment."""

    name: str
    entry: str
    program: str
    environment: Mapping[str, str]


class ForkedProcess:
    """A process that the server has forked."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle: int | None = None
        with suppress(ProcessLookupError):  # it has ended, and the server reports that next
            self._handle = os.pidfd_open(pid)
        self._code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def returncode(self) -> int | None:
        """Return the exit code, negative for a signal; None while the process runs."""
        return self._code.result() if self._code.done() else None

    async def wait(self) -> int:
        """Wait for the end of the process, and return its exit code."""
        return await asyncio.shield(self._code)

    def send_signal(self, number: int) -> None:
        """Send a signal; without effect on a process that has ended."""
        if self._handle is not None and not self._code.done():
            try:
                signal.pidfd_send_signal(self._handle, number)
            except ProcessLookupError:
                log.debug("signal to an ended process", pid=self.pid)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def report_end(self, code: int) -> None:
        """Take the exit code from the server."""
        if not self._code.done():
            self._code.set_result(code)
            if self._handle is not None:
                os.close(self._handle)


class ForkServerProcess:
    """The server, which is started at once: it imports while the caller does. It is replaced when it ends."""

    def __init__(self, preloaded: Sequence[str] = PRELOADED) -> None:
        self._preloaded = preloaded
        self._numbers = itertools.count()
        self._started: dict[int, asyncio.Future[ForkedProcess]] = {}
        self._processes: dict[int, ForkedProcess] = {}
        self._connecting = asyncio.Lock()
        self._listener: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._launch()

    def _launch(self) -> None:
        self._connection, theirs = socket.socketpair()
        with theirs:
            self._server = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "cato_stack.fork_server", str(theirs.fileno()), *self._preloaded],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # Ctrl-C in a terminal reaches only the supervisor, which stops its processes in order.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Return the process id of the server."""
        return self._server.pid

    async def fork(self, spec: ProcessSpec, log_file: Path | None) -> ForkedProcess:
        """Start a process.

        Raises:
            ConnectionError: if the server has ended meanwhile; the next call starts another one.

        """
        async with self._connecting:
            writer = await self._connected()
        number = next(self._numbers)
        started: asyncio.Future[ForkedProcess] = asyncio.get_running_loop().create_future()
        self._started[number] = started
        request = {
            "number": number,
            "entry": spec.entry,
            "program": spec.program,
            "environment": dict(spec.environment),
            "log_file": None if log_file is None else str(log_file),
        }
        writer.write(json.dumps(request).encode() + b"\n")
        return await started

    async def aclose(self) -> None:
        """End the server; its processes should have ended."""
        if self._writer is not None:
            self._writer.close()
        else:
            self._connection.close()
        if self._listener is not None:
            await self._listener
        await asyncio.to_thread(self._server.wait)

    async def _connected(self) -> asyncio.StreamWriter:
        if self._writer is not None and self._listener is not None:
            if not self._listener.done():
                return self._writer
            code = await asyncio.to_thread(self._server.wait)
            log.error("fork server ended", code=code)
            self._launch()
        reader, self._writer = await asyncio.open_connection(sock=self._connection)
        self._listener = asyncio.create_task(self._listen(reader), name="fork server")
        return self._writer

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                self._take(json.loads(line))
        except ConnectionError as error:
            log.warning("connection to the fork server lost", reason=str(error))
        if self._writer is not None:
            self._writer.close()
        for process in self._processes.values():
            process.report_end(_LOST)
        for started in self._started.values():
            started.set_exception(ConnectionResetError("the fork server has ended"))
        self._processes.clear()
        self._started.clear()

    def _take(self, message: dict[str, int]) -> None:
        if "started" in message:
            process = self._processes[message["pid"]] = ForkedProcess(message["pid"])
            self._started.pop(message["started"]).set_result(process)
        elif (ended := self._processes.pop(message["ended"], None)) is not None:
            ended.report_end(message["code"])
