"""Reserved channels: an urgent run starts while others hold all channels that they may use."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from cato_contracts.messages.jobs import RunDispatchState, RunMode
from cato_dialer.dial.domain.capacity.licence import Licence
from services.dialer.tests.support.dial_world import RUN, Kit

CHANNELS, RESERVED = 6, 2
URGENT = uuid4()


@pytest.fixture
def kit() -> Kit:
    return Kit()


def test_only_runs_below_the_priority_are_ordinary_and_none_without_reserved_channels() -> None:
    licence = Licence(100, reserved=1, urgent_from=5)
    assert [licence.is_ordinary(priority) for priority in (-10, 4, 5, 10)] == [True, True, False, False]
    assert not Licence(100).is_ordinary(-10)


def world_of(kit: Kit, reserved: int) -> Any:
    """Return a world in which every call lasts for five seconds."""
    script = kit.script(answers_at=0.1)
    return kit.world(
        lambda _number, _station, _nth: script,
        (kit.station(channels=CHANNELS),),
        reserved=reserved,
    )


async def hold_all_channels(world: Any, jobs: int = 40) -> None:
    for no in range(jobs):
        world.queue.put(world.job(no, [f"{no}/0"]))
    await asyncio.sleep(2)


def urgent_started(world: Any) -> list[Any]:
    return [event for event in world.events() if event.run_id == URGENT and event.kind == "started"]


async def start_urgent_run(world: Any, jobs: int) -> None:
    world.queue.set_state(RunDispatchState(run_id=URGENT, priority=10, mode=RunMode.CALLING))
    for no in range(jobs):
        world.queue.put(world.job(no, [f"u{no}/0"], run_id=URGENT, priority=10))


def test_an_urgent_run_calls_within_a_second_while_another_holds_all_other_channels(kit: Kit) -> None:
    async def main() -> None:
        world = world_of(kit, RESERVED)
        replica = await world.replica().start()
        await hold_all_channels(world)
        assert sum(world.up.values()) == CHANNELS - RESERVED
        await start_urgent_run(world, 10)
        await asyncio.sleep(1)
        assert len(urgent_started(world)) == RESERVED
        assert sum(world.up.values()) == CHANNELS
        await world.until_empty()
        assert {result.run_id for result in world.results()} == {RUN, URGENT}
        await replica.role.stop()

    kit.run(main())


def test_without_reserved_channels_an_urgent_run_waits_for_calls_to_end(kit: Kit) -> None:
    async def main() -> None:
        world = world_of(kit, 0)
        replica = await world.replica().start()
        await hold_all_channels(world)
        assert sum(world.up.values()) == CHANNELS
        await start_urgent_run(world, 10)
        await asyncio.sleep(1)
        assert not urgent_started(world)
        await world.until_empty()
        await replica.role.stop()

    kit.run(main())
