"""The contract suite of the channel source, with leases in a bucket with three copies."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack

import pytest

from cato_dialer.dial.adapters.nats.channel_source import NatsChannelSource
from cato_dialer.dial.domain.capacity.licence import Licence
from cato_runtime.clock import SystemClock
from cato_runtime.configuration.station_config import StationConfig
from services.dialer.tests.contract.dial.test_channel_source import *  # noqa: F403 - all of its tests
from services.dialer.tests.contract.dial.test_channel_source import Sources


@pytest.fixture
async def sources(connected) -> AsyncIterator[Sources]:
    """Sources of replicas that are connected to different servers."""
    made = 0
    async with AsyncExitStack() as stack:

        async def one_more(
            stations: Sequence[StationConfig], licence: int = 100, reserved: int = 0
        ) -> NatsChannelSource:
            nonlocal made
            made += 1
            client = await connected(made % 3)
            source = NatsChannelSource(client, stations, Licence(licence, reserved), SystemClock())
            await source.open()
            stack.push_async_callback(source.close)
            return source

        yield one_more
