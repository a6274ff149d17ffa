"""The calling process: uses the trunk only through its port, as the dial role does.

Requests: `add` calls that talk until the end, `short` calls at a rate, `state` of the trunk.
"""

import asyncio
import contextlib
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from cato_dialer.dial.adapters.configured_stations import station_of
from cato_dialer.dial.adapters.dense.trunk import DenseTrunk
from cato_dialer.dial.adapters.pjsua2.supervisor.trunk import Pjsua2Trunk
from cato_dialer.dial.domain.call.line_events import (
    LineAnswered,
    LineDigit,
    LinePlaybackFinished,
    LinePlaybackStarted,
    LineReleased,
    ReleaseCause,
)
from cato_dialer.dial.ports.trunk import CallOrder, Line
from cato_runtime.configuration.config import DialingConfig
from cato_runtime.configuration.station_config import StationConfig
from cato_runtime.process.garbage import tune_gc
from telephony.child import allow_many_sockets, serve

_PLACE_EVERY_S = {"pjsua2": 0.02, "dense": 0.005}
_DENSE_CHANNELS = 4_000
_UP_S = 30.0
_OVER_S = 12.0
"Time limit of a short call from its start; a call takes far less."


@dataclass(slots=True)
class ShortCalls:
    """The results of the calls of one step; times in ms from the order."""

    placed: int = 0
    clean: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    answered_ms: list[float] = field(default_factory=list)
    latest_start_ms: float = 0.0

    def failed(self, why: str) -> None:
        self.failures[why] = self.failures.get(why, 0) + 1


class Caller:
    """Calls through one engine: `dense` has one trunk for all calls, `pjsua2` another for each step."""

    def __init__(self, port: int, calls_per_worker: int, engine: str) -> None:
        self._engine = engine
        self._station = station_of(StationConfig(uri=f"sip:127.0.0.1:{port};transport=udp", caller_id="1000"))
        self._dialing = DialingConfig(calls_per_worker=calls_per_worker, bind_address="127.0.0.1")
        self._trunks: list[Pjsua2Trunk | DenseTrunk] = []
        self._talking: set[asyncio.Task[None]] = set()
        self._ended: list[str] = []
        self._keys = 0

    async def handle(self, request: dict[str, Any]) -> dict[str, Any]:
        match request["do"]:
            case "add":
                return await self._add(request["calls"], Path(request["audio"]))
            case "open":
                trunk = await self._open(request["channels"])
                return {"capacity": trunk.capacity}
            case "short":
                return await self._short(request["rate"], request["seconds"], Path(request["audio"]))
            case "state":
                return {
                    "workers": [pid for trunk in self._trunks for pid in trunk.worker_pids],
                    "loop_lag_ms": max((trunk.loop_lag_ms for trunk in self._trunks), default=0),
                    "media_lag_ms": max((trunk.media_lag_ms for trunk in self._trunks), default=0),
                    "ended": self._ended,
                    "keys": self._keys,
                }
            case other:
                raise ValueError(other)

    async def close(self) -> None:
        async with asyncio.TaskGroup() as closing:
            for trunk in self._trunks:
                closing.create_task(trunk.close())

    async def _open(self, channels: int) -> Pjsua2Trunk | DenseTrunk:
        trunk: Pjsua2Trunk | DenseTrunk
        if self._engine == "dense":
            if self._trunks:
                return self._trunks[-1]
            trunk = DenseTrunk(self._dialing, _DENSE_CHANNELS)
        else:
            trunk = Pjsua2Trunk(self._dialing, channels)
        self._trunks.append(trunk)
        await trunk.open()
        return trunk

    async def _add(self, calls: int, audio: Path) -> dict[str, Any]:
        """Start this many more calls, on as many more channels, that talk until the end."""
        trunk = await self._open(calls)
        started = []
        for _ in range(calls):
            up = asyncio.Event()
            started.append(up)
            task = asyncio.create_task(self._talk(trunk.place(self._order(audio)), up))
            self._talking.add(task)
            task.add_done_callback(self._talking.discard)
            await asyncio.sleep(_PLACE_EVERY_S[self._engine])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_UP_S):
                for up in started:
                    await up.wait()
        return {"talking": len(self._talking)}

    async def _talk(self, line: Line, up: asyncio.Event) -> None:
        async for event in line.events():
            if isinstance(event, LinePlaybackStarted):
                up.set()
            elif isinstance(event, LineDigit):
                self._keys += 1
            elif isinstance(event, LineReleased):
                self._ended.append(_why(event))
        up.set()

    async def _short(self, rate: float, seconds: float, audio: Path) -> dict[str, Any]:
        calls = ShortCalls()
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as running:
            for number in range(round(rate * seconds)):
                due = began + number / rate
                await asyncio.sleep(due - loop.time())
                calls.latest_start_ms = max(calls.latest_start_ms, (loop.time() - due) * 1_000)
                calls.placed += 1
                running.create_task(self._short_call(audio, calls))
        waits = sorted(calls.answered_ms)
        return {
            "placed": calls.placed,
            "clean": calls.clean,
            "failures": calls.failures,
            "answered_p50_ms": waits[len(waits) // 2] if waits else 0.0,
            "answered_p99_ms": waits[int((len(waits) - 1) * 0.99)] if waits else 0.0,
            "latest_start_ms": calls.latest_start_ms,
            "seconds": loop.time() - began,
        }

    async def _short_call(self, audio: Path, calls: ShortCalls) -> None:
        """Make a call, play the prompt and hang up; the call is clean if all three succeed."""
        began = time.monotonic()
        line = self._trunks[-1].place(self._order(audio))
        finished = False
        try:
            async with asyncio.timeout(_OVER_S):
                async for event in line.events():
                    match event:
                        case LineAnswered():
                            calls.answered_ms.append((time.monotonic() - began) * 1_000)
                        case LinePlaybackFinished():
                            finished = True
                            await line.hang_up()
                        case LineReleased(cause=ReleaseCause.LOCAL_HANGUP) if finished:
                            calls.clean += 1
                        case LineReleased():
                            calls.failed(_why(event))
        except TimeoutError:
            calls.failed("not over in time")
            await line.hang_up()

    def _order(self, audio: Path) -> CallOrder:
        return CallOrder(call_id=uuid4(), station=self._station, number="7000", audio=audio)


def _why(event: LineReleased) -> str:
    return f"{event.cause.value}: {event.sip_code or ''} {event.phrase}".strip()


async def main() -> None:
    allow_many_sockets()
    tune_gc()  # as the dialer does
    caller = Caller(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
    try:
        await serve(caller.handle)
    finally:
        await caller.close()


if __name__ == "__main__":
    asyncio.run(main())
