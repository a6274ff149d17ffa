from collections.abc import AsyncIterator

import pytest

from services.dialer.tests.support.trunk.endpoint_rig import Rig, open_rig


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with open_rig() as opened:
        yield opened
