"""One trunk of several engines: each station's calls go through the engine that its settings name."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec

from cato_contracts.errors import ConfigurationError
from cato_dialer.dial.adapters.dense.trunk import DenseTrunk
from cato_dialer.dial.adapters.pjsua2.supervisor.trunk import Pjsua2Trunk
from cato_dialer.dial.adapters.sip.tap import Tap
from cato_dialer.dial.ports.trunk import CallOrder, Line
from cato_runtime.configuration.config import Config
from cato_runtime.configuration.station_config import Engine, StationConfig

EngineTrunk = DenseTrunk | Pjsua2Trunk


class EngineChoice:
    """A `Trunk`. Engines that no station needs are not there, so that they cost nothing."""

    def __init__(self, engines: Mapping[Engine, EngineTrunk]) -> None:
        self._engines = engines

    @property
    def capacity(self) -> int:
        return sum(engine.capacity for engine in self._engines.values())

    @property
    def media_lag_ms(self) -> int:
        return max((engine.media_lag_ms for engine in self._engines.values()), default=0)

    @property
    def loop_lag_ms(self) -> int:
        return max((engine.loop_lag_ms for engine in self._engines.values()), default=0)

    @property
    def has_free_line(self) -> bool:
        return any(engine.has_free_line for engine in self._engines.values())

    @property
    def worker_pids(self) -> tuple[int, ...]:
        """Return the processes of the engines that are alive."""
        return tuple(pid for engine in self._engines.values() for pid in engine.worker_pids)

    @property
    def engines(self) -> Mapping[Engine, EngineTrunk]:
        return self._engines

    async def open(self) -> None:
        for engine in self._engines.values():
            await engine.open()

    async def line_free(self) -> None:
        """Return once an engine can take an order. With several engines that need not be the wanted one."""
        waits = [asyncio.ensure_future(engine.line_free()) for engine in self._engines.values()]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def place(self, order: CallOrder) -> Line:
        return self._engines[Engine(order.station.engine)].place(order)

    def follow(self, share: Callable[[], int]) -> None:
        """Have as many processes as this many calls need: the share of this dialer in all channels."""
        for engine in self._engines.values():
            if isinstance(engine, Pjsua2Trunk):
                engine.follow(share)

    def trace(self, tap: Tap | None) -> None:
        """Pass all messages of SIP to the tap from now on; None: no more."""
        for engine in self._engines.values():
            engine.trace(tap)

    async def close(self) -> None:
        for engine in self._engines.values():
            await engine.close()


def check_library(config: Config, installed: Callable[[str], object] = find_spec) -> None:
    """Check that the library of pjsua2 is there if a station needs it: it is an extra of the dialer.

    Raises:
        ConfigurationError: naming the stations.

    """
    needs = [
        station.name
        for station in config.stations
        if station.engine_used is Engine.PJSUA2 or station.register_
    ]
    if needs and installed("pjsua2") is None:
        raise ConfigurationError(
            f"stations {', '.join(needs)} need the engine pjsua2: install cato-dialer with the extra pjsua2"
        )


def engines_for(config: Config, calls_file: str = "") -> EngineChoice:
    """Return the engines that the stations need, each for as many calls as its stations have channels.

    `calls_file`: the lock that each process with calls of this dialer holds ("": none).

    Raises:
        ConfigurationError: as `check_library`.

    """
    check_library(config)

    def channels(engine: Engine) -> int:
        used = sum(station.channels for station in config.stations if station.engine_used is engine)
        return min(config.license.max_channels, used)

    engines: dict[Engine, EngineTrunk] = {}
    if _used(config.stations, Engine.DENSE):
        engines[Engine.DENSE] = DenseTrunk(config.dialing, channels(Engine.DENSE), calls_file=calls_file)
    if _used(config.stations, Engine.PJSUA2) or not engines:
        engines[Engine.PJSUA2] = Pjsua2Trunk(
            config.dialing, channels(Engine.PJSUA2), on_demand=True, calls_file=calls_file
        )
    return EngineChoice(engines)


def _used(stations: Sequence[StationConfig], engine: Engine) -> bool:
    return any(station.engine_used is engine for station in stations)
