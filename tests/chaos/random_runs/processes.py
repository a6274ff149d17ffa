"""The service processes of a random run: started, killed, frozen, and started again."""

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from cato_stack.forked_process import PRELOADED, ForkedProcess, ForkServerProcess, ProcessSpec

_ANSWER_S = 5.0
_READY_S = 180.0
"A busy machine takes long to start eight processes; the run itself has its own bounds."


_SERVICES = ("cato_dialer", "cato_gateway", "cato_media", "cato_reporting")


def fork_server() -> ForkServerProcess:
    """Return a server whose processes have all modules of their service: eight of them start for each run."""
    return ForkServerProcess((*PRELOADED, *(f"{service}.bootstrap" for service in _SERVICES)))


class Node:
    """One service process. It is started again whenever it has ended, `down_s` later."""

    def __init__(
        self, name: str, entry: str, environment: Mapping[str, str], directory: Path, forks: ForkServerProcess
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.log_file = directory / f"{name}.log"
        self.down_s = 0.2
        self.starts_ms: list[float] = []
        self._forks = forks
        self._port_file = directory / f"{name}.port"
        own = {
            "CATO_DATA_DIR": str(directory / name),
            "CATO_HEALTH_PORT": "0",
            "CATO_HEALTH_PORT_FILE": str(self._port_file),
        }
        self._spec = ProcessSpec(name, entry, name, {**environment, **own})
        self._process: ForkedProcess | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def process(self) -> ForkedProcess:
        assert self._process is not None
        return self._process

    async def start(self) -> None:
        await self._fork()
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Kill it: what a run needs is in its log."""
        if self._keeper is not None:
            self._keeper.cancel()
        if self._process is not None:
            for pid in self.workers():
                os.kill(pid, signal.SIGKILL)
            self.process.kill()
            await self.process.wait()

    def kill(self, down_s: float) -> None:
        """Kill it by SIGKILL, and start it again after `down_s`."""
        self.down_s = down_s
        self.process.kill()

    async def replace(self) -> None:
        """Have it drain and end, as for an update; return when its successor is ready."""
        self.down_s = 0.0
        former = self.process
        former.send_signal(signal.SIGTERM)
        await former.wait()
        while self.process is former:
            await asyncio.sleep(0.05)
        await self.until_ready()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def workers(self) -> list[int]:
        """Return the processes that it has started: SIP workers, media processes."""
        pid = self.process.pid
        found: list[int] = []
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(child) for child in children.read_text().split()]
        return found

    async def until_ready(self) -> None:
        async with asyncio.timeout(_READY_S):
            while not await self._is_ready():
                await asyncio.sleep(0.1)

    async def _is_ready(self) -> bool:
        # Asked without an HTTP client: eight processes are asked ten times a second, for each run.
        try:
            port = int(self._port_file.read_text())
            async with asyncio.timeout(_ANSWER_S):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    writer.write(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                    return (await reader.readline()).split()[1:2] == [b"200"]
                finally:
                    writer.close()
        except (OSError, ValueError):  # a timeout is an OSError
            return False

    async def _keep(self) -> None:
        while True:
            await self.process.wait()
            self._port_file.unlink(missing_ok=True)
            await asyncio.sleep(self.down_s)
            await self._fork()

    async def _fork(self) -> None:
        self.starts_ms.append(time.time() * 1000)
        self._process = await self._forks.fork(self._spec, self.log_file)
