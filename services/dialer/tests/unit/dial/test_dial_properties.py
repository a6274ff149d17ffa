"""Properties of replicas that die and jobs that are delivered twice.

Each wave has one result for each subscriber, no two calls are up at once, and no call follows success.
"""

import asyncio
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cato_contracts.api.resources import SuccessCondition

OUTCOMES = ("busy", "silent", "answer", "early", "code", "late-code", "503", "unreachable", "fault", "404")


def script_of(kit: Any, outcome: str) -> Any:
    return {
        "busy": kit.script(final=(486, "Busy Here")),
        "404": kit.script(rings_at=None, final=(404, "Not Found")),
        "503": kit.script(rings_at=None, final=(503, "Service Unavailable")),
        "silent": kit.script(),
        "answer": kit.script(answers_at=2.0),
        "early": kit.script(answers_at=2.0, hangs_up_at=1.0),
        "code": kit.script(answers_at=2.0, digits=((1.0, "9"), (1.5, "1"), (2.0, "2"), (2.01, "5"))),
        "late-code": kit.script(answers_at=2.0, digits=((1.0, "1"), (9.0, "2"))),
        "unreachable": kit.script(unreachable=True),
        "fault": kit.script(answers_at=1.0, fault_at=1.5),
    }[outcome]


histories = st.fixed_dictionaries(
    {
        "phones": st.lists(st.integers(1, 3), min_size=1, max_size=4),
        "outcomes": st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=12),
        "condition": st.sampled_from(list(SuccessCondition)),
        "stations": st.integers(1, 2),
        "channels": st.integers(1, 3),
        "interval": st.sampled_from([0, 500]),
        "crashes": st.sets(st.integers(1, 60), max_size=6),
        "replicas": st.integers(1, 2),
        "repeats": st.booleans(),
        "waves": st.integers(1, 2),
    }
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=histories)
@example(
    # A channel is freed just when the other subscriber has looked and not yet begun to listen for it.
    history={
        "phones": [1, 2],
        "outcomes": ["503", "unreachable", "unreachable"],
        "condition": SuccessCondition.PICKUP_PHONE,
        "stations": 2,
        "channels": 1,
        "interval": 0,
        "crashes": {18},
        "replicas": 1,
        "repeats": False,
        "waves": 1,
    }
)
def test_each_wave_decides_each_subscriber_once_while_replicas_die(kit: Any, history: dict[str, Any]) -> None:
    kit.run(live_through(kit, history))


async def live_through(kit: Any, history: dict[str, Any]) -> None:
    outcomes = history["outcomes"]

    def choose(number: str, station: UUID, nth: int) -> Any:
        place = sum(map(ord, number)) + station.int + 7 * nth
        return script_of(kit, outcomes[place % len(outcomes)])

    stations = tuple(
        kit.station(
            f"s{n}", channels=history["channels"], min_call_interval_ms=history["interval"], priority=n
        )
        for n in range(history["stations"])
    )
    world = kit.world(choose, stations, condition=history["condition"])
    replicas: list[Any] = []
    rebirths: list[asyncio.Task[Any]] = []

    def crash(replica: Any, written: int) -> None:
        if written in history["crashes"] and not replica.dead:
            replica.die()
            newborn = world.replica()
            replicas.append(newborn)
            rebirths.append(asyncio.create_task(newborn.start()))

    world.after_append = crash
    for _ in range(history["replicas"]):
        replicas.append(await world.replica().start())
    lists = {no: [f"{no}/{phone}" for phone in range(count)] for no, count in enumerate(history["phones"])}
    left = set(lists)
    for wave in range(1, history["waves"] + 1):
        for no in left:
            world.queue.put(world.job(no, lists[no], wave))
        await world.until_empty()
        if history["repeats"]:
            for no in left:
                world.queue.put(world.job(no, lists[no], wave))
            await world.until_empty()
        decided = {result.no: result for result in world.results() if result.wave == wave}
        assert set(decided) == left
        world.assert_consistent()
        left = {no for no, result in decided.items() if not result.notified}
    for replica in replicas:
        if replica.dead:
            await replica.buried
        else:
            await replica.role.stop()
    assert all(rebirth.done() for rebirth in rebirths)
