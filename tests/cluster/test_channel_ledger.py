"""The contract suite of the channel ledger, with leases in a bucket with three copies."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack

import pytest

from cato_dialer.dial.adapters.nats.channel_ledger import NatsChannelLedger
from cato_runtime.clock import SystemClock
from cato_runtime.station_config import StationConfig
from services.dialer.tests.contract.dial.test_channel_ledger import *  # noqa: F403 - all of its tests
from services.dialer.tests.contract.dial.test_channel_ledger import Ledgers


@pytest.fixture
async def ledgers(connected) -> AsyncIterator[Ledgers]:
    """Ledgers of replicas that are connected to different servers."""
    made = 0
    async with AsyncExitStack() as stack:

        async def one_more(stations: Sequence[StationConfig], licence: int = 100) -> NatsChannelLedger:
            nonlocal made
            made += 1
            ledger = NatsChannelLedger(await connected(made % 3), stations, licence, SystemClock())
            await ledger.open()
            stack.push_async_callback(ledger.close)
            return ledger

        yield one_more
