"""Work that the broker does not answer is repeated for a while."""

import pytest

from cato_contracts.errors import BrokerError
from cato_runtime.broker import patiently


async def test_work_is_repeated_until_the_broker_answers():
    tries = []

    async def work() -> str:
        tries.append(None)
        if len(tries) < 3:
            raise BrokerError("no leader")
        return "answer"

    assert await patiently(work) == "answer"
    assert len(tries) == 3


async def test_patience_ends_with_the_last_error():
    async def work() -> None:
        raise BrokerError("no leader")

    with pytest.raises(BrokerError, match="no leader"):
        await patiently(work, timeout=0.0)
