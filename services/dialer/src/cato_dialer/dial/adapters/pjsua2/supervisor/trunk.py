"""The trunk on PJSIP: a pool of worker processes, each carrying a few calls."""

import asyncio
import itertools
import math
import os
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog

from cato_contracts.errors import ConfigurationError
from cato_dialer.dial.adapters.pjsua2 import protocol
from cato_dialer.dial.adapters.pjsua2.supervisor.bytecode import BytecodeCache
from cato_dialer.dial.adapters.pjsua2.supervisor.line import Pjsua2Line
from cato_dialer.dial.adapters.pjsua2.supervisor.rtp_ports import check_bindable, share_ports
from cato_dialer.dial.adapters.pjsua2.supervisor.sip_identity import route_to, wire_order
from cato_dialer.dial.adapters.pjsua2.supervisor.worker_process import START_S, WorkerProcess
from cato_dialer.dial.adapters.sip.resolver import Resolver
from cato_dialer.dial.adapters.sip.tap import Tap
from cato_dialer.dial.domain.call.line_events import ReleaseCause
from cato_dialer.dial.domain.sip_trace.recorder import Party
from cato_dialer.dial.domain.station import Station
from cato_dialer.dial.ports.trunk import CallOrder, Line
from cato_runtime.configuration.config import DialingConfig

log = structlog.get_logger()

_TICK_S = 1.0
_SLOT_WAIT_S = 2.0
"The wait for a call that only lacks its last message, or for a worker that is being started."
_SURPLUS_TICKS = 30
"For how long the share must have been smaller before workers end: a dialer that restarts changes it, too."
_MOST_WORKERS = 2
"The bound on workers, in multiples of those that the channels need, when stations do not answer requests."


@dataclass(frozen=True, slots=True)
class _Waiting:
    line: Pjsua2Line
    order: protocol.Place
    timer: asyncio.TimerHandle


class Pjsua2Trunk:
    """A `Trunk` for `workers_for` calls at once.

    The library holds a call for some time after its line was released: until the answer to the last request,
    or for 32 s without one (RFC 3261, timers B and F). More workers are started for such lingering calls.
    """

    def __init__(
        self,
        dialing: DialingConfig,
        workers_for: int,
        *,
        on_demand: bool = False,
        sip_log_level: int = 0,
        calls_file: str = "",
    ) -> None:
        """`on_demand`: start the workers for the first order, or the first wait for a line.

        `sip_log_level`: PJSIP's, from 0 (nothing) to 6; 4 shows the messages, on standard error.
        `calls_file`: the lock that each process with calls of this dialer holds ("": none).
        """
        self._dialing = dialing
        self._channels = workers_for
        self._sip_log_level = sip_log_level
        self._calls_file = calls_file
        self._calls_per_worker = dialing.calls_per_worker
        self._ports = share_ports(dialing.rtp_port_from, dialing.rtp_port_till, workers_for)
        self._gate = asyncio.Semaphore(max(2, os.cpu_count() or 1))
        self._workers: list[WorkerProcess] = []
        self._runs: dict[WorkerProcess, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count(1)
        self._waiting: deque[_Waiting] = deque()
        self._workers_changed = asyncio.Event()
        self._resolver = Resolver(dialing.bind_address)
        self._bytecode = BytecodeCache()
        self._watcher: asyncio.Task[None] | None = None
        self._open = False
        self._on_demand = on_demand
        self._start: asyncio.Task[None] | None = None
        self._tap: Tap | None = None
        self._share: Callable[[], int] | None = None
        self._surplus_ticks = self._past_deaths = 0
        self._ending: asyncio.Task[None] | None = None

    def follow(self, share: Callable[[], int]) -> None:
        """Have as many workers as this many calls need, now and whenever it changes."""
        self._share = share

    @property
    def capacity(self) -> int:
        if self._on_demand and self._open and not self._is_started:
            return self._channels
        return min(self._channels, sum(worker.calls - worker.lingering for worker in self._workers))

    @property
    def loop_lag_ms(self) -> int:
        """How late the slowest event loop of the workers is, in ms."""
        return max((worker.loop_lag_ms for worker in self._workers), default=0)

    @property
    def media_lag_ms(self) -> int:
        """How far the slowest playback is behind the clock, in ms; the audio breaks above a few frames."""
        return max((worker.media_lag_ms for worker in self._workers), default=0)

    @property
    def worker_pids(self) -> tuple[int, ...]:
        return tuple(worker.pid for worker in self._workers if worker.pid is not None)

    @property
    def worker_deaths(self) -> int:
        """How often a worker has ended unasked."""
        return self._past_deaths + sum(worker.deaths for worker in self._workers)

    @property
    def _is_started(self) -> bool:
        return self._start is not None and self._start.done()

    async def open(self) -> None:
        """Start the workers, unless they start on demand.

        Raises:
            ConfigurationError: if none of them can start, or the address to bind is of another machine.

        """
        self._open = True
        if not self._channels:
            return
        if self._on_demand:
            try:
                check_bindable(self._dialing.bind_address)
            except ConfigurationError:
                await self.close()
                raise
            return
        await self._start_workers()
        if self.capacity == 0:
            refusal = self._workers[0].refusal
            await self.close()
            raise ConfigurationError(f"no SIP worker can start: {refusal or 'it ended without a message'}")

    def _start_on_demand(self) -> None:
        if self._on_demand and self._open and self._start is None:
            self._start = asyncio.create_task(self._start_workers())
            self._keep(self._start)

    async def _start_workers(self) -> None:
        """Start as many workers as the channels need; they try again for as long as they cannot start."""
        first = self._start_worker()
        await first.tried.wait()
        if first.calls:
            # The library decides how many calls a process carries.
            self._calls_per_worker = first.calls
        if first.calls < self._dialing.calls_per_worker:
            log.warning(
                "SIP worker carries fewer calls than configured",
                calls_per_worker=self._dialing.calls_per_worker,
                carries=first.calls,
            )
        rest = [self._start_worker() for _ in range(self._needed_workers - 1)]
        for worker in rest:
            await worker.tried.wait()
        self._watcher = asyncio.create_task(self._watch())

    @property
    def has_free_line(self) -> bool:
        return any(worker.free > 0 for worker in self._workers)

    async def line_free(self) -> None:
        self._start_on_demand()
        while not self.has_free_line:
            await self._workers_changed.wait()

    def place(self, order: CallOrder) -> Line:
        station = order.station
        line = Pjsua2Line(next(self._numbers), self._withdraw, partial(self._resolver.suspect, station))
        line.party = Party(station.id, order.number)
        message = wire_order(line.number, order)
        # For TLS the library must know the name, which the station's certificate is for.
        if station.host_is_name and station.transport != "tls":
            self._spawn(self._resolve(line, message, station))
        else:
            self._submit(line, message)
        return line

    async def close(self) -> None:
        self._open = False
        while self._waiting:
            self._release_unsent(self._waiting[0], "the SIP engine is closed")
        for worker in self._workers:
            worker.close()
        for task in (self._watcher, self._start):
            if task is not None:
                task.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._resolver.close()
        self._bytecode.close()

    def trace(self, tap: Tap | None) -> None:
        """Pass all messages of SIP to the tap from now on; None: no more."""
        self._tap = tap
        for worker in self._workers:
            worker.trace(tap)

    @property
    def _needed_workers(self) -> int:
        calls = self._channels if self._share is None else max(1, min(self._channels, self._share()))
        return math.ceil(calls / self._calls_per_worker)

    def _submit(self, line: Pjsua2Line, order: protocol.Place) -> None:
        if line.released:
            return
        candidates = [worker for worker in self._workers if worker.free > 0]
        if candidates and self._open:
            worker = min(candidates, key=lambda candidate: candidate.occupied)
            worker.place(line, order)
        elif self._open and self._on_demand and not self._is_started:
            self._start_on_demand()
            self._wait(line, order, START_S)
        elif not self._open or not any(worker.lingering for worker in self._workers):
            line.release(ReleaseCause.NOT_SENT, "no free SIP worker")
        else:
            self._grow()
            self._wait(line, order, _SLOT_WAIT_S)

    def _wait(self, line: Pjsua2Line, order: protocol.Place, seconds: float) -> None:
        timer = asyncio.get_running_loop().call_later(seconds, self._too_late, line.number)
        self._waiting.append(_Waiting(line, order, timer))

    def _grow(self) -> None:
        lingering = sum(worker.lingering for worker in self._workers)
        spare = len(self._workers) - self._needed_workers
        if (
            lingering > spare * self._calls_per_worker
            and len(self._workers) < _MOST_WORKERS * self._needed_workers
        ):
            self._start_worker()

    def _serve_waiting(self) -> None:
        self._workers_changed.set()
        self._workers_changed = asyncio.Event()
        while self._waiting and any(worker.free > 0 for worker in self._workers):
            waiting = self._waiting.popleft()
            waiting.timer.cancel()
            self._submit(waiting.line, waiting.order)

    def _too_late(self, number: int) -> None:
        for waiting in self._waiting:
            if waiting.line.number == number:
                self._release_unsent(waiting, "no free SIP worker")
                return

    def _release_unsent(self, waiting: _Waiting, why: str) -> None:
        self._waiting.remove(waiting)
        waiting.timer.cancel()
        waiting.line.release(ReleaseCause.NOT_SENT, why)

    def _withdraw(self, line: Pjsua2Line) -> None:
        """Withdraw an order that no worker has yet."""
        for waiting in self._waiting:
            if waiting.line is line:
                self._waiting.remove(waiting)
                waiting.timer.cancel()
                break
        line.release(ReleaseCause.LOCAL_HANGUP, "hung up before it was dialled")

    async def _resolve(self, line: Pjsua2Line, order: protocol.Place, station: Station) -> None:
        try:
            target = await self._resolver.resolve(station)
        except OSError as error:
            line.release(ReleaseCause.NO_RESPONSE, f"{station.host} cannot be resolved: {error}")
            return
        identity = replace(order.identity, route=route_to(station, target))
        self._submit(line, replace(order, identity=identity))

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            for worker in self._workers:
                worker.tick()
            self._follow_share()

    def _follow_share(self) -> None:
        """Start the workers that a larger share needs, or end one that has not been needed for a while."""
        if self._ending is not None and not self._ending.done():
            return  # the next worker would have its ports
        needed = self._needed_workers
        for _ in range(len(self._workers), needed):
            self._start_worker()
        self._surplus_ticks = self._surplus_ticks + 1 if len(self._workers) > needed else 0
        if self._surplus_ticks > _SURPLUS_TICKS and self._workers[-1].occupied == 0:
            unneeded = self._workers.pop()
            unneeded.close()
            self._past_deaths += unneeded.deaths
            self._ending = self._runs.pop(unneeded)

    def _start_worker(self) -> WorkerProcess:
        worker_id = len(self._workers)
        low, high = self._ports.of(worker_id, self._calls_per_worker)
        settings = protocol.Configure(
            calls=self._calls_per_worker,
            bind_address=self._dialing.bind_address,
            public_address=self._dialing.public_address,
            rtp_port_from=low,
            rtp_port_till=high,
            sip_log_level=self._sip_log_level,
            calls_file=self._calls_file,
        )
        worker = WorkerProcess(
            worker_id, settings, gate=self._gate, bytecode=self._bytecode, changed=self._serve_waiting
        )
        worker.trace(self._tap)
        self._workers.append(worker)
        self._runs[worker] = asyncio.create_task(worker.keep_running())
        self._keep(self._runs[worker])
        return worker

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._keep(asyncio.create_task(work))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("SIP engine failed", error=repr(error))
