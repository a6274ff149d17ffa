"""The next call to a person begins only when the far end has surely seen the end of the previous one."""

import asyncio
from typing import Any

from cato_contracts.messages.calls import CallEventKind


def test_next_number_is_called_once_the_far_end_has_answered_our_bye(kit: Any) -> None:
    keeps = kit.script(answers_at=1, keeps_call=True)
    rings_long = kit.script(rings_at=0.5)

    async def main() -> None:
        world = kit.world(
            lambda number, *_: keeps if number.startswith("a") else rings_long,
            (kit.station(channels=1),),
            condition="PICKUP_AND_CONFIRM",
            settings={"max_call_duration_s": 5},
        )
        replica = await world.replica().start()
        world.queue.put(world.job(0, ["a", "b"]))
        while CallEventKind.ENDED not in world.kinds():
            await asyncio.sleep(0.1)
        await asyncio.sleep(10)
        assert len(world.starts) == 1
        assert not world.results()
        assert sum(world.board.used.values()) == 1
        (line,) = replica.deps.trunk.placed
        line.far_end_gone.set()
        await world.until_empty(100)
        assert len(world.starts) == 2
        await replica.role.stop()

    kit.run(main())


def test_owner_of_a_call_says_that_it_is_up_until_the_far_end_is_gone(kit: Any) -> None:
    async def main() -> None:
        world = kit.world(lambda *_: kit.script(answers_at=1, keeps_call=True), (kit.station(),))
        replica = await world.replica().start()
        job = world.job(0, ["a"])
        world.queue.put(job)
        while CallEventKind.ENDED not in world.kinds():
            await asyncio.sleep(0.1)
        (key,) = world.queue.jobs
        has_call = world.queue.on_call[replica.source]
        assert has_call(key)
        replica.deps.trunk.placed[0].far_end_gone.set()
        await world.until_empty(10)
        assert not has_call(key)
        await replica.role.stop()

    kit.run(main())
