"""An exchange, and a trunk of each engine that calls it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cato_dialer.dial.adapters.dense.trunk import DenseTrunk
from cato_dialer.dial.adapters.pjsua2.supervisor.trunk import Pjsua2Trunk
from cato_exchange.exchange import Exchange
from cato_exchange.plan import Plan
from cato_runtime.configuration.config import DialingConfig
from services.dialer.tests.support.stations import make_station
from services.dialer.tests.support.trunk.trunk_kit import Caller, every_code, write_wav


@dataclass
class Bench:
    """Creates exchanges and trunks, and closes them after the test."""

    stack: AsyncExitStack
    prompt: Path
    audio: bytes
    engine: str = "pjsua2"

    async def exchange(self, *rules: str) -> Exchange:
        plan = Plan.parse("rules:\n" + "".join(f"  - {{{rule}}}\n" for rule in rules))
        return await self.stack.enter_async_context(Exchange(plan))

    async def trunk(self, channels: int = 2, *, on_demand: bool = False, **dialing: Any) -> Any:
        config = DialingConfig(**{"bind_address": "127.0.0.1", **dialing})
        trunk: Pjsua2Trunk | DenseTrunk
        if self.engine == "dense":
            trunk = DenseTrunk(config, channels)
        else:
            trunk = Pjsua2Trunk(config, channels, on_demand=on_demand)
        await trunk.open()
        self.stack.push_async_callback(trunk.close)
        return trunk

    async def caller(
        self, exchange: Exchange, channels: int = 2, *, on_demand: bool = False, **station: Any
    ) -> Caller:
        trunk = await self.trunk(channels, on_demand=on_demand)
        return Caller(trunk, make_station(**{"uri": exchange.uri, **station}), self.prompt)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test of a trunk on both engines, or on those that its mark `engines` names."""
    if "bench" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("engines")
        metafunc.parametrize("engine", mark.args if mark else ("pjsua2", "dense"))


@pytest.fixture
async def bench(tmp_path: Path, engine: str) -> AsyncIterator[Bench]:
    audio = every_code(50)
    async with AsyncExitStack() as stack:
        yield Bench(stack, write_wav(tmp_path / "prompt.wav", audio), audio, engine)
