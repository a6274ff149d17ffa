"""Run a media process: start it, send orders, read its reports, replace it when it dies."""

import asyncio
import sys
from collections import deque
from collections.abc import Callable

import structlog

from cato_dialer.dial.adapters.dense.media import protocol
from cato_runtime.process.child_process import kill

log = structlog.get_logger()

_MODULE = "cato_dialer.dial.adapters.dense.media.main"
_LONGEST_READ = 1 << 18
_READY_S = 60.0
"To load the interpreter and its modules; half a second on a machine that is not busy."
_SILENT_S = 10.0
"A process says something twice a second. One that hangs is replaced."
_STOOD_STILL_S = 1.0
"A time-out that is noticed so late is ours: the reports are only unread."
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 10.0
_CLOSE_S = 2.0


class MediaProcess:
    """Sends orders. `on_report` is called with reports of a call, the other callbacks concern the process."""

    def __init__(
        self,
        configure: protocol.Configure,
        *,
        on_report: Callable[["MediaProcess", protocol.FromMedia], None],
        on_ready: Callable[[], None],
        on_death: Callable[["MediaProcess"], None],
    ) -> None:
        self._configure = configure
        self._on_report = on_report
        self._on_ready = on_ready
        self._on_death = on_death
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._closing = False
        self._orders = bytearray()
        self.ports: deque[int] = deque()
        """Free local RTP ports, the one that has been free for longest first."""
        self.incarnation = 0
        """How often the process has been started; ports of an earlier process are no longer valid."""
        self.way = ""
        self.lag_ms = self.streams = 0
        self.refusal = ""
        self.deaths = 0
        """How often the process has ended unasked."""
        self.tried = asyncio.Event()
        """Set once the process is running or has failed to start."""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        return bool(self.way)

    def start(self) -> None:
        self._keeper = asyncio.create_task(self._keep_running())

    def send(self, message: protocol.ToMedia) -> None:
        """Send an order; it is dropped if the process has died, which `on_death` reports.

        The orders of one turn of the event loop are written together: each write wakes the process.
        """
        if self._process is None:
            return
        if not self._orders:
            asyncio.get_running_loop().call_soon(self._write)
        self._orders += protocol.encode(message)

    def _write(self) -> None:
        orders = bytes(self._orders)
        self._orders.clear()
        process = self._process
        if orders and process is not None and process.stdin is not None and not process.stdin.is_closing():
            process.stdin.write(orders)

    async def close(self) -> None:
        """Let the process end its streams and exit."""
        self._closing = True
        self._write()
        process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()
        if self._keeper is not None:
            _, still = await asyncio.wait([self._keeper], timeout=_CLOSE_S)
            for task in still:
                task.cancel()
                await asyncio.wait([task])

    async def _keep_running(self) -> None:
        pause = _FIRST_PAUSE_S
        while not self._closing:
            try:
                await self._run()
            except (OSError, TimeoutError, protocol.ProtocolError):
                log.exception("media process cannot run")
            if self.running:
                pause = _FIRST_PAUSE_S
            self._died()
            if not self._closing:
                self.deaths += 1
                log.warning("media process ended; starting another", pause_s=pause, refusal=self.refusal)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _run(self) -> None:
        process = self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", _MODULE),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LONGEST_READ,
        )
        try:
            self.send(self._configure)
            if process.stdout is not None:
                await self._listen(process.stdout)
            async with asyncio.timeout(_CLOSE_S):
                await process.wait()
        finally:
            # Kill it only if it is still running. Polling its state here would reap it before asyncio does.
            if process.returncode is None:
                await kill(process)

    async def _listen(self, reports: asyncio.StreamReader) -> None:
        rest, patience_s = b"", _READY_S
        while data := await self._read(reports, patience_s):
            patience_s = _SILENT_S
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._handle(protocol.decode(line))

    async def _read(self, reports: asyncio.StreamReader, patience_s: float) -> bytes:
        """Return what comes next. Raises: TimeoutError: the process is silent."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + patience_s
            try:
                async with asyncio.timeout(patience_s):
                    return await reports.read(_LONGEST_READ)
            except TimeoutError:
                if loop.time() - due < _STOOD_STILL_S:
                    raise
                # This process stood still. What the other one has said meanwhile is in the pipe.

    def _handle(self, message: protocol.FromMedia) -> None:
        match message:
            case protocol.Ready(ports=ports, way=way):
                self.ports, self.way = deque(ports), way
                self.incarnation += 1
                self._on_ready()
                self.tried.set()
            case protocol.Refused(reason=reason):
                self.refusal = reason
                self.tried.set()
            case protocol.Beat(lag_ms=lag, streams=streams):
                self.lag_ms, self.streams = lag, streams
            case _:
                self._on_report(self, message)

    def _died(self) -> None:
        self._process = None
        self._orders.clear()
        self.ports.clear()
        self.way, self.lag_ms, self.streams = "", 0, 0
        self._on_death(self)
        self.tried.set()
