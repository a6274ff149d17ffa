"""Child processes that are restarted when they end."""

import asyncio
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from cato_stack.forked_process import ForkedProcess, ForkServerProcess, ProcessSpec

log = structlog.get_logger()

_FIRST_WAIT_S = 0.2
_LONGEST_WAIT_S = 10.0
_HEALTHY_AFTER_S = 30.0


@dataclass(slots=True)
class Supervised:
    """One process that is kept running until `stop`; its process id is in `<pid_dir>/<name>.pid`."""

    spec: ProcessSpec
    server: ForkServerProcess
    pid_dir: Path
    log_file: Path | None = None
    """File for its standard error; None: inherited."""
    refuses_to_start: bool = False
    """It ended with EX_CONFIG; it is not restarted, because the configuration would still be invalid."""
    _process: ForkedProcess | None = None
    _keeper: asyncio.Task[None] | None = None
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.spec.name}")

    def reload(self) -> None:
        """Send SIGHUP to reload the configuration; without effect during a restart, which reads it anyway."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGHUP)

    def hurry(self) -> None:
        """Send SIGTERM again to a process that is being stopped: it ends its work in progress."""
        if self._stopping.is_set() and self._process is not None:
            self._process.send_signal(signal.SIGTERM)

    async def stop(self, timeout: float) -> None:
        """Send SIGTERM, wait up to `timeout` seconds, then kill the process."""
        self._stopping.set()
        process = self._process
        if process is not None and process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(timeout):
                    await process.wait()
            except TimeoutError:
                log.warning("process did not end in time", process=self.spec.name, seconds=timeout)
                process.kill()
                await process.wait()
        if self._keeper is not None:
            await self._keeper
        self._pid_file.unlink(missing_ok=True)

    @property
    def _pid_file(self) -> Path:
        return self.pid_dir / f"{self.spec.name}.pid"

    async def _spawn(self) -> None:
        self._process = await self.server.fork(self.spec, self.log_file)
        self._pid_file.write_text(f"{self._process.pid}\n")

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        wait = _FIRST_WAIT_S
        while self._process is not None:
            started = loop.time()
            code = await self._process.wait()
            if self._stopping.is_set():
                return
            if code == os.EX_CONFIG:
                log.error("process rejected its configuration", process=self.spec.name)
                self.refuses_to_start = True
                return
            if loop.time() - started > _HEALTHY_AFTER_S:
                wait = _FIRST_WAIT_S
            log.error("process ended", process=self.spec.name, code=code, restart_in_s=wait)
            try:
                async with asyncio.timeout(wait):
                    await self._stopping.wait()
                    return
            except TimeoutError:
                wait = min(wait * 2, _LONGEST_WAIT_S)
            try:
                await self._spawn()
            except ConnectionError as error:
                # The process of before is still the present one, so the next round tries again.
                log.warning("process not started", process=self.spec.name, reason=str(error))
