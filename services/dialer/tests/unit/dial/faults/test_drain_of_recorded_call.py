"""A dialer is stopped after it has recorded a call and before it has placed it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from cato_contracts.messages.calls import CallEventKind as Kind

RECORDED = 2


def drained(kit: Any, script: Any, disturb: Callable[[Any], None]) -> Any:
    """Drain the replica when the log has the start of its call; return the world after that."""
    worlds: list[Any] = []

    async def main() -> None:
        world = kit.world(lambda *_: script, (kit.station(),))
        worlds.append(world)
        replica = await world.replica().start()
        drains: list[asyncio.Task[None]] = []

        def drain_once_recorded(_replica: Any, count: int) -> None:
            if count == RECORDED:
                drains.append(asyncio.create_task(replica.role.drain(60)))
                asyncio.get_running_loop().call_soon(disturb, replica)

        world.after_append = drain_once_recorded
        world.queue.put(world.job(0, ["a"]))
        await asyncio.sleep(100)
        await drains[0]
        await replica.role.stop()

    kit.run(main())
    return worlds[0]


def test_call_that_is_on_record_when_its_dialer_is_stopped_is_made(kit: Any, answered: Any) -> None:
    world = drained(kit, answered, lambda _: None)
    assert len(world.starts) == 1
    assert world.kinds()[-1] is Kind.ENDED
    assert world.results()[0].notified


def test_call_that_is_on_record_when_its_dialer_must_hang_up_is_not_made(kit: Any, answered: Any) -> None:
    world = drained(kit, answered, lambda replica: replica.role.hang_up())
    assert world.starts == []
    assert world.events()[-1].reason == "cancelled"
    assert not world.results()


@pytest.fixture
def answered(kit: Any) -> Any:
    return kit.script(answers_at=2)
