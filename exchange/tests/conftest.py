"""Fixtures: a virtual clock and flow, and a scene with an exchange and raw callers."""

from collections.abc import AsyncIterator

import pytest

from exchange.tests.raw_caller import Scene
from exchange.tests.virtual_transport import RecordingFlow, VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def flow(clock: VirtualClock) -> RecordingFlow:
    return RecordingFlow(clock)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    scene = Scene()
    yield scene
    await scene.close()
