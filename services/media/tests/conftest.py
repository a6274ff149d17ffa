from collections.abc import AsyncIterator

import pytest

from cato_runtime.configuration.config import LimitsConfig
from services.media.tests.support.client import Media, Tasks, media_service
from tests.support.memory_log import MemoryLog
from tests.support.memory_objects import MemoryObjectStore


@pytest.fixture
async def media() -> AsyncIterator[Media]:
    async with media_service(MemoryLog(), MemoryObjectStore(), Tasks()) as media:
        yield media


@pytest.fixture
def tight_limits() -> LimitsConfig:
    return LimitsConfig(audio_bytes=20_000, audio_seconds=1)
