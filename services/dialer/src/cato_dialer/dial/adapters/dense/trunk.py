"""The dense trunk: one SIP endpoint in this process, RTP in media processes, many calls in each."""

import asyncio
import contextlib
import itertools
import math
import secrets
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from cato_contracts.alaw_wav import AlawWavError
from cato_contracts.errors import ConfigurationError
from cato_dialer.dial.adapters.dense.checked_prompts import CheckedPrompts
from cato_dialer.dial.adapters.dense.line import DenseLine
from cato_dialer.dial.adapters.dense.media import protocol
from cato_dialer.dial.adapters.dense.media_process import MediaProcess
from cato_dialer.dial.adapters.dense.sip.call import Callee, UacCall
from cato_dialer.dial.adapters.dense.sip.endpoint import SipEndpoint
from cato_dialer.dial.adapters.dense.sip.messages.sdp import LocalMedia
from cato_dialer.dial.adapters.dense.sip.session_timer import SessionTimer
from cato_dialer.dial.adapters.dense.sip.transactions.timing import Timing
from cato_dialer.dial.adapters.dense.sip.transactions.transport import Remote
from cato_dialer.dial.adapters.sip.addresses import caller_uri, target_uri
from cato_dialer.dial.adapters.sip.resolver import Resolver, Target
from cato_dialer.dial.adapters.sip.tap import Tap
from cato_dialer.dial.domain.call.line_events import DigitSource, ReleaseCause
from cato_dialer.dial.domain.sip_trace.recorder import Party, SeenMessage
from cato_dialer.dial.domain.station import Station
from cato_dialer.dial.ports.trunk import CallOrder, Line
from cato_runtime.configuration.config import DialingConfig

log = structlog.get_logger()

_CLOSE_S = 2.0
"How long to wait at shutdown for stations to answer the last requests."
_WATCH_S = 0.1
_LAG_MEMORY = 20
_SPARE_PORTS = 1.1
_STANDARD_TIMING = Timing()


@dataclass(frozen=True, slots=True)
class Usage:
    """What calls occupy: in this process, and `streams` in the media processes as they last reported."""

    lines: int = 0
    dialogs: int = 0
    transactions: int = 0
    streams: int = 0


class DenseTrunk:
    """A `Trunk` for `channels` calls at once."""

    def __init__(
        self,
        dialing: DialingConfig,
        channels: int,
        *,
        timing: Timing = _STANDARD_TIMING,
        resolver: Resolver | None = None,
        calls_file: str = "",
    ) -> None:
        """`calls_file`: the lock that each process with calls of this dialer holds ("": none)."""
        self._dialing = dialing
        self._timing = timing
        self._channels = channels
        self._calls_file = calls_file
        self._processes: list[MediaProcess] = []
        self._media_processes = dialing.media_processes
        self._endpoint: SipEndpoint | None = None
        self._lines: dict[int, DenseLine] = {}
        self._numbers = itertools.count(1)
        self._prompts = CheckedPrompts()
        self._resolver = resolver or Resolver(dialing.bind_address)
        self._tasks: set[asyncio.Task[None]] = set()
        self._watcher: asyncio.Task[None] | None = None
        self._lags: list[int] = []
        self._changed = asyncio.Event()
        self._tap: Tap | None = None

    @property
    def capacity(self) -> int:
        if self._endpoint is None or not any(process.running for process in self._processes):
            return 0
        return min(self._channels, len(self._lines) + sum(len(process.ports) for process in self._processes))

    @property
    def has_free_line(self) -> bool:
        return len(self._lines) < self._channels and any(process.ports for process in self._processes)

    @property
    def free_ports(self) -> tuple[int, ...]:
        """The local RTP ports that no call uses."""
        return tuple(port for process in self._processes for port in process.ports)

    @property
    def usage(self) -> Usage:
        endpoint = self._endpoint
        return Usage(
            lines=len(self._lines),
            dialogs=endpoint.open_dialogs if endpoint else 0,
            transactions=endpoint.open_transactions if endpoint else 0,
            streams=sum(process.streams for process in self._processes),
        )

    @property
    def media_lag_ms(self) -> int:
        return max((process.lag_ms for process in self._processes), default=0)

    @property
    def loop_lag_ms(self) -> int:
        return max(self._lags, default=0)

    @property
    def worker_pids(self) -> tuple[int, ...]:
        return tuple(process.pid for process in self._processes if process.pid is not None)

    @property
    def worker_deaths(self) -> int:
        """How often a media process has ended unasked."""
        return sum(process.deaths for process in self._processes)

    async def open(self) -> None:
        """Start SIP and the media processes.

        Raises:
            ConfigurationError: if none of them can start.

        """
        if not self._channels:
            return
        self._endpoint = SipEndpoint(self._dialing.bind_address, self._dialing.public_address, self._timing)
        self.trace(self._tap)
        share = math.ceil(self._channels / self._media_processes * _SPARE_PORTS) + 1
        first, last = self._dialing.rtp_port_from, self._dialing.rtp_port_till
        width = (last - first + 1) // self._media_processes // 2 * 2
        for index in range(self._media_processes):
            low = first + index * width if first else 0
            configure = protocol.Configure(
                share, self._dialing.bind_address, low, low + width - 1 if first else 0, self._calls_file
            )
            process = MediaProcess(
                configure, on_report=self._report, on_ready=self._media_ready, on_death=self._media_died
            )
            self._processes.append(process)
            process.start()
        for process in self._processes:
            await process.tried.wait()
        if self.capacity == 0:
            refusal = self._processes[0].refusal
            await self.close()
            raise ConfigurationError(
                f"the media process cannot start: {refusal or 'it ended without a reason'}"
            )
        if self.capacity < self._channels:
            log.warning("fewer RTP ports than channels", ports=self.capacity, channels=self._channels)
        log.info("dense engine ready", way=self._processes[0].way, channels=self.capacity)
        self._watcher = asyncio.create_task(self._watch())

    async def line_free(self) -> None:
        while self._endpoint is not None and not self.has_free_line:
            self._changed.clear()
            await self._changed.wait()

    def trace(self, tap: Tap | None) -> None:
        """Pass all messages of SIP to the tap from now on; None: no more."""
        self._tap = tap
        if self._endpoint is not None:
            self._endpoint.watch = None if tap is None else self._watched

    def _watched(self, data: bytes, remote: Remote, sent: bool) -> None:
        if self._tap is not None and self._endpoint is not None:
            at_us, local = time.time_ns() // 1_000, self._endpoint.local(remote)
            peer = remote.host, remote.port
            self._tap(SeenMessage(at_us, sent, remote.transport, local, peer, data), self._party)

    def _party(self, sip_call_id: str) -> Party | None:
        for line in self._lines.values():
            if line.sip_call_id == sip_call_id:
                return Party(line.order.station.id, line.order.number)
        return None

    def place(self, order: CallOrder) -> Line:
        line = DenseLine(next(self._numbers), order, self._freed)
        try:
            self._prompts.check(order.audio)
        except AlawWavError as error:
            line.release(ReleaseCause.NOT_SENT, None, str(error))
            return line
        process = max(self._processes, key=lambda one: len(one.ports), default=None)
        if self._endpoint is None or process is None or not self.has_free_line:
            line.release(ReleaseCause.NOT_SENT, None, "no free line in the dense engine")
            return line
        line.media, line.incarnation, line.port = process, process.incarnation, process.ports.popleft()
        self._lines[line.number] = line
        delay = 0.0 if order.not_before is None else order.not_before.timestamp() - time.time()
        loop = asyncio.get_running_loop()
        if delay > 0:
            line.start = loop.call_later(delay, self._dial, line)
        else:
            line.start = loop.call_soon(self._dial, line)
        return line

    async def close(self) -> None:
        """Hang up the remaining calls, wait for the responses, and end the media processes."""
        for line in list(self._lines.values()):
            await line.hang_up()
        endpoint, self._endpoint = self._endpoint, None
        self._changed.set()
        if self._watcher is not None:
            self._watcher.cancel()
        if endpoint is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await endpoint.answered()
        for line in list(self._lines.values()):
            line.release(ReleaseCause.LOCAL_HANGUP, None, "the SIP engine is closed")
        for process in self._processes:
            await process.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._resolver.close()
        if endpoint is not None:
            await endpoint.close()

    def _dial(self, line: DenseLine) -> None:
        line.start = None  # it refers to the line
        station = line.order.station
        if station.host_is_name or station.transport == "tcp":
            self._spawn(self._reach_and_send(line, station))
        else:
            self._send(line, Target(station.host, station.port))

    async def _reach_and_send(self, line: DenseLine, station: Station) -> None:
        target = Target(station.host, station.port)
        try:
            if station.host_is_name:
                target = await self._resolver.resolve(station)
            if self._endpoint is not None:
                await self._endpoint.connect(Remote(station.transport, target.host, target.port))
        except OSError as error:
            line.release(ReleaseCause.NO_RESPONSE, None, f"{station.host} cannot be reached: {error}")
            return
        self._send(line, target)

    def _call_elsewhere(self, tried: tuple[Target, ...], line: DenseLine) -> bool:
        """Make a call at another address of its station; return whether there is one."""
        station, not_after = line.order.station, line.order.not_after
        rest = [target for target in self._resolver.others(station) if target not in tried]
        if not rest or (not_after is not None and time.time() > not_after.timestamp()):
            return False
        log.info("another address of the station is called", station=station.name, host=rest[0].host)
        if line.unheard:
            self._resolver.suspect(station)
        self._send(line, rest[0], tried)
        return True

    def _send(self, line: DenseLine, target: Target, tried: tuple[Target, ...] = ()) -> None:
        order = line.order
        if self._endpoint is None or line.released:
            return
        if order.not_after is not None and time.time() > order.not_after.timestamp():
            line.release(ReleaseCause.MISSED, None, "its time had passed")
            return
        station = order.station
        remote = Remote(station.transport, *target)
        try:
            line.source = self._endpoint.address(remote)
            callee = Callee(
                target=target_uri(station, order.number),
                identity=caller_uri(station),
                remote=remote,
                host=station.host,
                port=station.port,
                credentials=station.credentials,
                timer=SessionTimer(station.session_timers, station.session_expires_s),
            )
            media = LocalMedia(
                address=self._dialing.public_address or line.source,
                port=line.port,
                codecs=station.codecs,
                events=DigitSource.RTP_EVENT in station.digit_sources,
                session_id=secrets.randbits(31),
            )
            call = UacCall(self._endpoint, callee, media, line)
        except OSError as error:
            line.release(ReleaseCause.NO_RESPONSE, None, f"the station cannot be reached: {error}")
            return
        line.call = call
        line.call_elsewhere = partial(self._call_elsewhere, (*tried, target))
        call.start()

    def _report(self, process: MediaProcess, message: protocol.FromMedia) -> None:  # noqa: ARG002
        line = self._lines.get(getattr(message, "call", 0))
        if line is not None:
            line.report(message)

    def _media_ready(self) -> None:
        self._changed.set()

    def _media_died(self, process: MediaProcess) -> None:
        for line in [line for line in self._lines.values() if line.media is process]:
            line.fail("the media process ended")

    def _freed(self, line: DenseLine) -> None:
        if self._lines.pop(line.number, None) is None or line.media is None:
            return
        if line.media.running and line.incarnation == line.media.incarnation:
            # Appended at the end: other ports are used first, so that late packets do not reach a new call.
            line.media.ports.append(line.port)
        if line.unheard:
            self._resolver.suspect(line.order.station)
        self._changed.set()

    async def _watch(self) -> None:
        """Measure the delay of the event loop."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _WATCH_S
            await asyncio.sleep(_WATCH_S)
            if self._endpoint is not None:
                self._endpoint.freezes.count()
            self._lags = [*self._lags[-_LAG_MEMORY:], round((loop.time() - due) * 1_000)]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
