"""What a trunk keeps of calls that have ended, without the garbage collector, which runs rarely."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from cato_dialer.dial.domain.call.line_events import LineAnswered
from services.dialer.tests.integration.trunk.conftest import Bench
from services.dialer.tests.support.trunk.trunk_kit import Caller, follow, follow_until

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


async def rejected(caller: Caller) -> "weakref.ref[object]":
    line = caller.call("1")
    await follow(line)
    return weakref.ref(line)


async def hung_up(caller: Caller) -> "weakref.ref[object]":
    line = caller.call("2")
    await follow_until(line, LineAnswered)
    return weakref.ref(line)


@pytest.mark.usefixtures("no_collector")
async def test_a_line_is_freed_when_its_call_has_ended(bench: Bench):
    exchange = await bench.exchange("number: '1', behaviour: busy", "number: '2', behaviour: answer")
    caller = await bench.caller(exchange)
    lines = [await rejected(caller), await hung_up(caller), await rejected(caller), await hung_up(caller)]
    await exchange.wait_calls(len(lines), 20)
    assert [line() for line in lines[:-1]] == [None] * 3
