"""Processes of the benchmark: the parent sends requests as JSON lines, the children answer in lines."""

import asyncio
import contextlib
import json
import os
import resource
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Self

_BENCH = Path(__file__).parent.parent
_END_S = 8.0
_LINE = 1 << 24

Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class ChildError(Exception):
    """The process ended, or reported an error."""


class Child:
    """A process that answers requests one after another and ends when its input does."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, *command: str, log: Path | None, descriptors: Sequence[int] = ()) -> Self:
        """Start a command that inherits `descriptors`; what else it prints is added to `log`."""
        path = os.pathsep.join(filter(None, (str(_BENCH), os.environ.get("PYTHONPATH"))))
        with contextlib.ExitStack() as stack:
            errors = stack.enter_context(log.open("ab")) if log is not None else None
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=errors,
                limit=_LINE,
                pass_fds=descriptors,
                env=os.environ | {"PYTHONPATH": path},
            )
        return cls(process)

    @classmethod
    async def start_module(cls, module: str, *arguments: str, log: Path) -> Self:
        return await cls.start(sys.executable, "-m", module, *arguments, log=log)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, request: dict[str, Any], timeout: float = 60.0) -> dict[str, Any]:
        """Raises: ChildError, TimeoutError."""
        writer, reader = self._process.stdin, self._process.stdout
        if writer is None or reader is None:
            raise ChildError("the process has no pipes")
        writer.write(json.dumps(request).encode() + b"\n")
        async with asyncio.timeout(timeout):
            line = await reader.readline()
        if not line:
            raise ChildError(f"the process {self.pid} has ended")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ChildError(answer["error"])
        return answer

    async def close(self) -> None:
        """End its input and wait for it; kill it if that takes too long."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(_END_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def serve(handle: Handler) -> None:
    """Answer requests on standard input until it ends. All other output goes to standard error."""
    answers = os.dup(1)
    os.dup2(2, 1)
    reader = asyncio.StreamReader(limit=_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        try:
            answer = await handle(json.loads(line))
        except Exception as error:  # noqa: BLE001 - reported to the parent, which ends the benchmark
            answer = {"error": f"{type(error).__name__}: {error}"}
        data = json.dumps(answer).encode() + b"\n"
        with contextlib.suppress(BrokenPipeError):
            while data:
                data = data[os.write(answers, data) :]


def allow_many_sockets() -> None:
    """Raise the limit of open files to the maximum allowed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
