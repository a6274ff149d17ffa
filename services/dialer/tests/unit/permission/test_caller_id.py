"""The caller id and the purpose of a task: checked, kept with the run, used by stations that allow it."""

from typing import Any

import pytest

from cato_contracts.errors import InvalidError
from cato_runtime.configuration.config import Config
from cato_runtime.configuration.station_config import StationConfig
from services.dialer.tests.support.campaign_world import World, people, until
from services.dialer.tests.support.dial_world import Kit

ALLOWED, OTHER = "776499", "776400"


def config() -> Config:
    return Config(stations=(StationConfig(channels=5, caller_ids=(ALLOWED,)),))


async def test_a_task_names_a_caller_id_that_a_station_allows():
    async with World(config()).running() as client:
        with pytest.raises(InvalidError, match="callerIds"):
            await client.add_task([people(1)], caller_id=OTHER)


async def test_a_run_and_its_jobs_keep_what_the_task_says():
    world = World(config())
    async with world.running() as client:
        task = await client.add_task([people(1)], caller_id=ALLOWED, purpose="drill")
        assert (task.caller_id, task.purpose) == (ALLOWED, "drill")
        run = (await world.deps().runs.load(await client.start(task))).snapshot
        assert (run.caller_id, run.purpose) == (ALLOWED, "drill")

        async def queued() -> bool:
            return len(world.queue.jobs) == 1

        await until(queued)
        (job,) = world.queue.jobs.values()
        assert job.caller_id == ALLOWED


@pytest.mark.parametrize(
    ("asked", "seen"), [(None, OTHER), (ALLOWED, ALLOWED), ("1", OTHER)], ids=["none", "allowed", "unknown"]
)
def test_a_call_has_the_caller_id_of_its_task_if_the_station_allows_it(asked: str | None, seen: str) -> None:
    kit, callers = Kit(), []
    station = kit.station(caller_id=OTHER, caller_ids=(ALLOWED,))

    async def main() -> None:
        world = kit.world(lambda *_: kit.script(answers_at=0.1), (station,))
        place = world.place

        def watched(order: Any, subscriber: str) -> Any:
            callers.append(order.station.caller_id)
            return place(order, subscriber)

        world.place = watched  # type: ignore[method-assign]
        world.queue.put(world.job(0, ["1"], caller_id=asked))
        replica = await world.replica().start()
        await world.until_empty()
        await replica.role.stop()

    kit.run(main())
    assert callers == [seen]
