"""`cato-reporting` as a process on the embedded engine, and its processor time and memory."""

import asyncio
import os
import sys
from pathlib import Path

import httpx

_START_S = 300.0
_TICKS = os.sysconf("SC_CLK_TCK")


class ReportingProcess:
    """The service, connected to a broker; its output goes to `log`."""

    def __init__(self, nats_url: str, directory: Path, log: Path) -> None:
        self._environment = os.environ | {
            "CATO_NATS_URL": nats_url,
            "CATO_DATA_DIR": str(directory),
            "CATO_HEALTH_PORT": "0",
        }
        self._environment.pop("CATO_CLICKHOUSE_DSN", None)
        self._directory = directory
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._http: httpx.AsyncClient | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Return when its metrics can be read: it may still be catching up."""
        self._directory.mkdir(parents=True, exist_ok=True)
        port = self._directory / "health.port"
        port.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                str(Path(sys.executable).with_name("cato-reporting")),
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(_START_S):
            while not (port.exists() and port.read_text().strip()):
                if self._process.returncode is not None:
                    raise RuntimeError(f"cato-reporting did not start: see {self._log}")
                await asyncio.sleep(0.02)
        self._http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port.read_text().strip()}", timeout=60)

    async def ready(self) -> None:
        assert self._http is not None
        async with asyncio.timeout(_START_S):
            while (await self._http.get("/readyz")).status_code != httpx.codes.OK:
                await asyncio.sleep(0.05)

    async def metrics(self) -> dict[str, float]:
        """Every sample without labels."""
        assert self._http is not None
        text = (await self._http.get("/metrics")).text
        lines = (line.split(" ") for line in text.splitlines() if not line.startswith("#"))
        return {line[0]: float(line[1]) for line in lines if "{" not in line[0]}

    async def stop(self) -> None:
        if self._http is not None:
            await self._http.aclose()
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_mb(pid: int, line: str = "VmRSS") -> float:
    """Return the memory of a process: now (`VmRSS`) or at most (`VmHWM`)."""
    for each in Path(f"/proc/{pid}/status").read_text().splitlines():
        if each.startswith(f"{line}:"):
            return int(each.split()[1]) / 1024
    raise RuntimeError(f"no {line} of process {pid}")


def reset_peak(pid: int) -> None:
    """Reset `VmHWM` to the present use."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
