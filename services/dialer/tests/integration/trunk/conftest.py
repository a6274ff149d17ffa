"""An exchange, and a trunk on PJSIP that calls it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cato_dialer.dial.adapters.pjsua2.supervisor.trunk import Pjsua2Trunk
from cato_exchange.exchange import Exchange
from cato_exchange.plan import Plan
from cato_runtime.config import DialingConfig
from services.dialer.tests.support.stations import make_station
from services.dialer.tests.support.trunk_kit import Caller, every_code, write_wav


@dataclass
class Bench:
    """Makes exchanges and trunks that are gone after the test."""

    stack: AsyncExitStack
    prompt: Path
    audio: bytes

    async def exchange(self, *rules: str) -> Exchange:
        plan = Plan.parse("rules:\n" + "".join(f"  - {{{rule}}}\n" for rule in rules))
        return await self.stack.enter_async_context(Exchange(plan))

    async def trunk(self, channels: int = 2, **dialing: Any) -> Pjsua2Trunk:
        config = DialingConfig(**{"bind_address": "127.0.0.1", **dialing})
        trunk = Pjsua2Trunk(config, workers_for=channels)
        await trunk.open()
        self.stack.push_async_callback(trunk.close)
        return trunk

    async def caller(self, exchange: Exchange, channels: int = 2, **station: Any) -> Caller:
        trunk = await self.trunk(channels)
        return Caller(trunk, make_station(**{"uri": exchange.uri, **station}), self.prompt)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    audio = every_code(50)
    async with AsyncExitStack() as stack:
        yield Bench(stack, write_wav(tmp_path / "prompt.wav", audio), audio)
