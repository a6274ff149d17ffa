"""`cato-reporting` as a process, to be killed."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from tests.support.preloaded.process import AsyncPreloadedProcess


class ReportingProcess:
    """One after another on the same broker and the same tables; at most one at a time."""

    def __init__(
        self,
        nats_url: str,
        dsn: str,
        directory: Path,
        *,
        config: Path | None = None,
        preloaded: bool = True,
    ) -> None:
        """Describe the process; unless `preloaded`, it imports by itself what it needs."""
        self._environment = os.environ | {
            "CATO_NATS_URL": nats_url,
            "CATO_CLICKHOUSE_DSN": dsn,
            "CATO_DATA_DIR": str(directory),
        }
        if config is not None:
            self._environment["CATO_CONFIG"] = str(config)
        self._preloaded = preloaded
        self._process: asyncio.subprocess.Process | AsyncPreloadedProcess | None = None

    async def start(self, *arguments: str) -> None:
        if self._preloaded:
            self._process = await AsyncPreloadedProcess.start(
                "cato_reporting.entrypoints.main:main",
                ["cato-reporting", *arguments],
                env=self._environment,
                stdout=subprocess.DEVNULL,
            )
            return
        program = Path(sys.executable).with_name("cato-reporting")
        self._process = await asyncio.create_subprocess_exec(
            str(program), *arguments, env=self._environment, stdout=asyncio.subprocess.DEVNULL
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    async def kill(self) -> None:
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> None:
        self._process.terminate()
        await self.ended()

    async def ended(self) -> None:
        async with asyncio.timeout(60):
            assert await self._process.wait() == 0

    async def discard(self) -> None:
        """End the process if it is still running, for example after a failed test."""
        if self._process is not None and self._process.returncode is None:
            await self.kill()
