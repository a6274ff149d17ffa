"""One call at a time to a number, over runs and replicas; limits settle and gaps wait."""

import asyncio
from typing import Any
from uuid import uuid5

import pytest

from cato_contracts.api.rules.contacts import (
    CallLimit,
    ContactLimits,
    ContactLimitsOwner,
    StoredContactLimits,
)
from cato_contracts.messages.calls import CallEventKind
from cato_contracts.messages.jobs import RunDispatchState, RunMode
from services.dialer.tests.support.dial_world import SPACE, Kit, World
from services.dialer.tests.support.rules.memory_contacts import MemoryContacts
from tests.support.virtual_time import run_virtually

OTHER_RUN = uuid5(SPACE, "other run")
NUMBER, ABROAD = "+73437200041", "+4930123456"


def made(limits: tuple[StoredContactLimits, ...] = (), **world: Any) -> tuple[World, MemoryContacts]:
    kit = Kit()
    made = kit.world(lambda *_: kit.script(answers_at=1.0), (kit.station(channels=4),), **world)
    made.contacts = contacts = MemoryContacts(made.clock, limits)
    return made, contacts


def live(world: World, *jobs: Any, replicas: int = 1) -> list[float]:
    """Work the jobs; return the times of the starts of calls."""

    async def main() -> None:
        for job in jobs:
            world.queue.put(job)
            world.queue.set_state(RunDispatchState(run_id=job.run_id, priority=0, mode=RunMode.CALLING))
        started = [await world.replica().start() for _ in range(replicas)]
        await world.until_empty(3_600)
        for replica in started:
            replica.die()

    run_virtually(main())
    return [at for _, at in world.starts]


def system(*, gap_s: int = 0, calls: int | None = None, per_s: int = 600) -> StoredContactLimits:
    limits = [] if calls is None else [CallLimit(max_calls=calls, per_s=per_s)]
    return StoredContactLimits(scope=ContactLimitsOwner.SYSTEM, limits=limits, min_gap_s=gap_s)


@pytest.mark.parametrize("replicas", [1, 3])
def test_two_runs_do_not_call_a_number_at_once_in_any_form_of_it(replicas):
    world, contacts = made()
    first, second = world.job(0, [NUMBER]), world.job(1, ["8" + NUMBER[2:]], run_id=OTHER_RUN)
    starts = live(world, first, second, replicas=replicas)
    ended = [entry.occurred_at for entry in world.journal.entries if _is_end(entry)]
    assert len(starts) == 2
    assert max(starts) >= (min(ended) - world.clock.start).total_seconds()
    assert len(world.results()) == 2
    assert contacts.last(NUMBER).claim is None


def _is_end(entry: Any) -> bool:
    return getattr(entry.body, "kind", None) is CallEventKind.ENDED


def test_a_call_to_a_number_of_its_own_is_claimed_and_read_nowhere():
    world, contacts = made()
    live(world, world.job(0, [NUMBER]))
    assert (contacts.reads, contacts.writes) == (0, 2)


def test_people_of_one_list_who_share_a_number_leave_no_cancelled_calls():
    world, _ = made()
    jobs = [world.job(no, [NUMBER]) for no in range(4)]
    sharing = [
        job.model_copy(update={"subscriber": job.subscriber.model_copy(update={"shared": True})})
        for job in jobs
    ]
    live(world, *sharing, replicas=3)
    assert [event.reason for event in world.events() if event.reason == "cancelled"] == []
    assert len(world.results()) == 4


def test_a_gap_makes_the_call_wait():
    world, _ = made((system(gap_s=60),))
    _, second = live(world, world.job(0, [NUMBER]), world.job(1, [NUMBER], run_id=OTHER_RUN))
    end = next(entry.occurred_at for entry in world.journal.entries if _is_end(entry))
    assert second >= (end - world.clock.start).total_seconds() + 60
    assert [result.notified for result in world.results()] == [True, True]


def test_a_limit_settles_the_number_and_the_next_one_follows():
    world, _ = made((system(calls=1),))
    phones = [NUMBER, ABROAD]
    live(world, world.job(0, phones), world.job(1, phones, run_id=OTHER_RUN))
    assert sorted(world.calls_to.items()) == [(ABROAD, 1), (NUMBER, 1)]


def test_without_a_number_left_the_reason_is_the_limit():
    world, _ = made((system(calls=1),))
    live(world, world.job(0, [NUMBER]), world.job(1, [NUMBER], run_id=OTHER_RUN))
    assert world.calls_to == {NUMBER: 1}
    (last,) = [result for result in world.results() if not result.notified]
    assert (last.reason, last.call_id) == ("limit-reached", None)


def test_settings_may_be_stricter():
    own = ContactLimits(limits=[CallLimit(max_calls=1, per_s=600)])
    world, _ = made((system(calls=5),), settings={"contact_limits": own})
    live(world, world.job(0, [NUMBER]), world.job(1, [NUMBER], run_id=OTHER_RUN))
    assert world.calls_to == {NUMBER: 1}


def test_a_test_call_is_neither_limited_nor_counted():
    world, contacts = made((system(calls=1),))
    live(world, world.job(0, [NUMBER]), world.job(1, [NUMBER], run_id=OTHER_RUN, test=True))
    assert world.calls_to == {NUMBER: 2}
    assert len(contacts.last(NUMBER).calls) == 1


@pytest.mark.parametrize("one_call", [True, False])
def test_an_emergency_heeds_no_limit_and_counts_and_one_call_at_a_time_stays(one_call):
    world, contacts = made((system(calls=1, gap_s=600),))
    contacts.one_call_per_number = one_call
    urgent = {"ignore_contact_limits": True}
    jobs = world.job(0, [NUMBER], **urgent), world.job(1, [NUMBER], run_id=OTHER_RUN, **urgent)
    first, second = live(world, *jobs, replicas=3)
    ended = min(entry.occurred_at for entry in world.journal.entries if _is_end(entry))
    over = (ended - world.clock.start).total_seconds()
    assert first < over <= second < over + 60
    assert [result.notified for result in world.results()] == [True, True]
    assert len(contacts.last(NUMBER).calls) == 2


def test_the_number_of_a_dead_dialer_is_free_once_its_call_is_over():
    world, _ = made()

    async def main() -> None:
        world.queue.put(world.job(0, [NUMBER]))
        dead = await world.replica("dead").start()
        while not world.starts:
            await asyncio.sleep(0.1)
        dead.die()
        world.queue.set_state(RunDispatchState(run_id=OTHER_RUN, priority=0, mode=RunMode.CALLING))
        world.queue.put(world.job(1, [NUMBER], run_id=OTHER_RUN))
        other = await world.replica("other").start()
        await world.until_empty(3_600)
        other.die()

    run_virtually(main())
    ends_by = world.events(0)[0].ends_by
    assert ends_by is not None
    assert world.starts[1][1] > (ends_by - world.clock.start).total_seconds()
    assert len(world.results()) == 2
