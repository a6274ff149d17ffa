"""The contract suite of the event log and its repository, on a stream with three copies."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from cato_jetstream import JetStreamLog, Log
from libs.jetstream.tests.contract.test_repository import *  # noqa: F403 - all of its tests


@pytest.fixture
async def log(connected) -> AsyncIterator[Log]:
    client = await connected()
    js = client.jetstream(timeout=10)
    for name in ("EVENTS", "RUNS"):  # their subjects are those of the suite
        await js.delete_stream(name)
    stream = f"S{uuid4().hex}"
    await js.add_stream(name=stream, subjects=["ev.>", "run.>"], num_replicas=3, allow_direct=True)
    yield JetStreamLog(client, stream)
    await js.delete_stream(stream)
