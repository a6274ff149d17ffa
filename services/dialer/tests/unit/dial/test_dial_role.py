"""The dial role as a whole, on scripted lines in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from cato_contracts.api.resources import SuccessCondition
from cato_contracts.messages.calls import FINAL_KINDS
from cato_contracts.messages.calls import CallEventKind as Kind
from cato_contracts.messages.jobs import RunDispatchState, RunMode
from cato_dialer.dial.domain.subscriber.takeover import TakeoverRule

PHONE = SuccessCondition.PICKUP_PHONE


def live(kit: Any, world_of: Callable[[], Any], story: Callable[[Any, Any], Awaitable[None]]) -> None:
    async def main() -> None:
        world = world_of()
        replica = await world.replica().start()
        await story(world, replica)
        await replica.role.stop()

    kit.run(main())


def busy_then(kit: Any, **others: Any) -> Callable[..., Any]:
    """The script by number, busy for all others."""
    return lambda number, _station, _nth: others.get(number, kit.script(final=(486, "Busy Here")))


def test_numbers_are_called_in_order_until_one_succeeds(kit: Any) -> None:
    async def story(world: Any, _replica: Any) -> None:
        world.queue.put(world.job(0, ["a", "b", "c"]))
        await world.until_empty()
        (result,) = world.results()
        assert (result.notified, result.number, result.reason) == (True, "b", "heard-to-the-end")
        assert world.calls_to == {"a": 1, "b": 1}
        world.assert_consistent()

    live(
        kit,
        lambda: kit.world(busy_then(kit, b=kit.script(answers_at=2)), (kit.station(),)),
        story,
    )


def test_the_events_of_a_call_are_those_of_the_manual(kit: Any) -> None:
    async def story(world: Any, _replica: Any) -> None:
        world.queue.put(world.job(7, ["a"]))
        await world.until_empty()
        started, chosen, rejected, ended = (world.events()[n] for n in (0, 1, -2, -1))
        assert [event.kind for event in world.events()] == [
            *(Kind.STARTED, Kind.STATION_CHOSEN, Kind.TRYING, Kind.RINGING, Kind.REJECTED, Kind.ENDED)
        ]
        assert started.contact.full_name == "N7"
        assert (started.station_id, chosen.station_id) == (None, kit.station().id)
        assert (rejected.reason_phrase, rejected.sip_code) == ("Busy Here", 486)
        assert (ended.sip_code, ended.reason, ended.success, ended.heard_ms) == (486, "busy", False, 0)
        (result,) = world.results()
        assert (result.notified, result.reason, result.call_id) == (False, "busy", ended.call_id)

    live(kit, lambda: kit.world(busy_then(kit), (kit.station(),)), story)


def test_a_number_goes_to_the_next_station_when_one_fails(kit: Any) -> None:
    first, second = kit.station("first", priority=0), kit.station("second", priority=1)

    def choose(_number: str, station: Any, _nth: int) -> Any:
        if station == first.id:
            return kit.script(rings_at=None, final=(503, "Service Unavailable"))
        return kit.script(answers_at=1.5)

    async def story(world: Any, _replica: Any) -> None:
        world.queue.put(world.job(0, ["a", "b"]))
        await world.until_empty()
        starts = [event for event in world.events() if event.kind is Kind.STATION_CHOSEN]
        assert [event.station_id for event in starts] == [first.id, second.id]
        assert {event.number for event in starts} == {"a"}
        assert len({event.call_id for event in starts}) == 2
        assert world.results()[0].notified

    live(kit, lambda: kit.world(choose, (second, first)), story)


def test_the_result_is_written_at_success_and_the_job_is_kept_until_the_call_ends(kit: Any) -> None:
    async def story(world: Any, _replica: Any) -> None:
        world.queue.put(world.job(0, ["a"]))
        await asyncio.sleep(3)
        assert world.results()[0].reason == "answered"
        assert world.queue.jobs
        await world.until_empty()
        assert world.kinds()[-2:] == [Kind.PLAYBACK_FINISHED, Kind.ENDED]

    live(
        kit,
        lambda: kit.world(lambda *_: kit.script(answers_at=2), (kit.station(),), condition=PHONE),
        story,
    )


def test_channels_are_never_exceeded_and_all_are_used(kit: Any) -> None:
    async def story(world: Any, replica: Any) -> None:
        for no in range(20):
            world.queue.put(world.job(no, [f"n{no}"]))
        await asyncio.sleep(2)
        assert sum(world.board.used.values()) == 3
        assert replica.role.dispatcher.jobs_in_hand == 3
        await world.until_empty()
        assert len(world.results()) == 20

    live(kit, lambda: kit.world(busy_then(kit), (kit.station(channels=3),)), story)


def test_a_call_that_missed_its_slot_gets_another_slot_and_stays_one_call(kit: Any) -> None:
    def script(_number: str, _station: Any, nth: int) -> Any:
        return kit.script(missed=True) if nth < 2 else kit.script(final=(486, "Busy Here"))

    async def story(world: Any, _replica: Any) -> None:
        world.queue.put(world.job(0, ["a"]))
        await world.until_empty()
        assert world.calls_to == {"a": 3}
        times = [moment for _, moment in world.starts]
        assert all(after - before >= 1 for before, after in pairwise(times))
        assert [event.kind for event in world.events()] == [
            *(Kind.STARTED, Kind.STATION_CHOSEN, Kind.TRYING, Kind.RINGING, Kind.REJECTED, Kind.ENDED)
        ]
        world.assert_consistent()

    live(kit, lambda: kit.world(script, (kit.station(min_call_interval_ms=1000),)), story)


def test_calls_keep_the_interval_of_the_station_and_are_marked_delayed(kit: Any) -> None:
    async def story(world: Any, _replica: Any) -> None:
        for no in range(5):
            world.queue.put(world.job(no, [f"n{no}"]))
        await world.until_empty()
        moments = [moment for _, moment in world.starts]
        gaps = [later - earlier for earlier, later in pairwise(moments)]
        assert min(gaps) >= 1.0
        delayed = [event.delayed for event in world.events() if event.kind is Kind.STATION_CHOSEN]
        assert delayed == [False, True, True, True, True]

    live(
        kit,
        lambda: kit.world(busy_then(kit), (kit.station(min_call_interval_ms=1000),)),
        story,
    )


def test_a_run_of_higher_priority_is_called_first(kit: Any) -> None:
    async def story(world: Any, _replica: Any) -> None:
        urgent = kit.station("urgent run").id
        for no in range(6):
            world.queue.put(world.job(no, [f"slow{no}"]))
        await asyncio.sleep(0.5)
        for no in range(3):
            world.queue.put(world.job(no, [f"fast{no}"], run_id=urgent))
        world.queue.set_state(RunDispatchState(run_id=urgent, priority=10, mode=RunMode.CALLING))
        await world.until_empty()
        order = [event.number for event in world.events() if event.kind is Kind.STARTED]
        assert order[1:4] == ["fast0", "fast1", "fast2"]

    live(kit, lambda: kit.world(busy_then(kit), (kit.station(channels=1),)), story)


def test_a_paused_run_finishes_its_calls_and_starts_no_new_ones(kit: Any) -> None:
    async def story(world: Any, _replica: Any) -> None:
        world.queue.put(world.job(0, ["a", "b"]))
        await asyncio.sleep(0.7)
        world.queue.set_state(RunDispatchState(run_id=kit.run_id, priority=0, mode=RunMode.PAUSED))
        await asyncio.sleep(600)
        assert world.calls_to == {"a": 1}
        assert world.kinds()[-1] is Kind.ENDED
        assert not world.results()
        world.queue.set_state(RunDispatchState(run_id=kit.run_id, priority=0, mode=RunMode.CALLING))
        await world.until_empty()
        assert world.calls_to == {"a": 1, "b": 1}

    live(kit, lambda: kit.world(busy_then(kit), (kit.station(),)), story)


@pytest.mark.parametrize("idle", ["paused", "out of hours"])
def test_a_call_of_a_dead_replica_is_ended_in_a_run_that_may_not_call(kit: Any, idle: str) -> None:
    hours = {"time_restrictions": {"from_hour": 11, "till_hour": 12, "till_min": 1}}  # it is noon in Moscow

    async def story(world: Any, replica: Any) -> None:
        for no in range(30):
            world.queue.put(world.job(no, [f"n{no}"]))
        await asyncio.sleep(58)
        other = await world.replica().start()
        if idle == "paused":
            world.queue.set_state(RunDispatchState(run_id=kit.run_id, priority=0, mode=RunMode.PAUSED))
        await asyncio.sleep(1)
        replica.die()
        await asyncio.sleep(500)  # the latest ends of the calls have passed, those of the other replica, too
        open_calls = {event.call_id for event in world.events()} - {
            event.call_id for event in world.events() if event.kind in FINAL_KINDS
        }
        assert not open_calls

        assert Kind.INTERRUPTED in {event.kind for event in world.events()}
        assert len(world.results()) < 30
        await other.role.stop()

    live(
        kit,
        lambda: kit.world(
            lambda *_: kit.script(answers_at=30), (kit.station(channels=4),), prompt_ms=60_000, settings=hours
        ),
        story,
    )


def test_a_job_that_fails_repeatedly_fails_its_subscriber(kit: Any) -> None:
    async def story(world: Any, replica: Any) -> None:
        async def broken(prompt: Any) -> Any:
            if prompt.duration_ms == 0:
                raise ValueError("unforeseen")
            return await file(prompt)

        prompts = replica.deps.prompts
        file, prompts.file = prompts.file, broken
        good = world.job(1, ["good"])
        world.queue.put(good)
        world.queue.put(world.job(0, ["bad"], prompt=good.prompt.model_copy(update={"duration_ms": 0})))
        await world.until_empty()
        assert {result.no: (result.notified, result.reason) for result in world.results()} == {
            0: (False, "fault"),
            1: (True, "heard-to-the-end"),
        }
        assert replica.role.dispatcher.jobs_in_hand == 0

    live(kit, lambda: kit.world(lambda *_: kit.script(answers_at=1), (kit.station(),)), story)


def test_a_late_engine_gets_no_more_calls(kit: Any) -> None:
    async def story(world: Any, replica: Any) -> None:
        trunk = replica.deps.trunk
        for no in range(10):
            world.queue.put(world.job(no, [f"n{no}"]))
        await asyncio.sleep(1)
        assert len(world.starts) == 10
        trunk.media_lag_ms = 100
        for no in range(10, 60):
            world.queue.put(world.job(no, [f"n{no}"]))
        await asyncio.sleep(4)
        assert len(world.starts) == 10
        trunk.media_lag_ms = 0
        await world.until_empty()
        assert len(world.results()) == 60

    live(
        kit,
        lambda: kit.world(lambda *_: kit.script(answers_at=1), (kit.station(channels=40),), prompt_ms=20_000),
        story,
    )


def test_a_pause_with_hangup_ends_the_call_and_the_number_is_called_again(kit: Any) -> None:
    async def story(world: Any, _replica: Any) -> None:
        world.queue.put(world.job(0, ["a"]))
        await asyncio.sleep(3)
        world.queue.set_state(
            RunDispatchState(run_id=kit.run_id, priority=0, mode=RunMode.PAUSED, hangup=True)
        )
        await asyncio.sleep(60)
        assert world.events()[-1].reason == "cancelled"
        world.queue.set_state(RunDispatchState(run_id=kit.run_id, priority=0, mode=RunMode.CALLING))
        await world.until_empty()
        assert world.calls_to == {"a": 2}
        assert world.results()[0].notified

    live(kit, lambda: kit.world(lambda *_: kit.script(answers_at=2), (kit.station(),)), story)


def test_a_stopping_run_starts_no_call_and_reports_the_reason_of_the_last_one(kit: Any) -> None:
    async def story(world: Any, _replica: Any) -> None:
        world.queue.put(world.job(0, ["a", "b"]))
        world.queue.put(world.job(1, ["c"]))
        await asyncio.sleep(0.7)
        world.queue.set_state(RunDispatchState(run_id=kit.run_id, priority=0, mode=RunMode.STOPPING))
        await asyncio.sleep(60)
        assert world.calls_to == {"a": 1}
        assert [(result.no, result.reason) for result in world.results()] == [(0, "busy")]
        assert not world.queue.jobs

    live(kit, lambda: kit.world(busy_then(kit), (kit.station(channels=1),)), story)


def test_no_call_is_started_outside_the_calling_hours(kit: Any) -> None:
    hours = {"from_hour": 13, "till_hour": 14}  # it is noon in Moscow

    async def story(world: Any, _replica: Any) -> None:
        world.queue.put(world.job(0, ["a"]))
        await world.until_empty()
        assert 3600 <= world.starts[0][1] < 3601

    live(
        kit,
        lambda: kit.world(busy_then(kit), (kit.station(),), settings={"time_restrictions": hours}),
        story,
    )


def test_an_expired_run_starts_no_call_and_fails_its_subscribers(kit: Any) -> None:
    async def story(world: Any, _replica: Any) -> None:
        world.queue.put(world.job(0, ["a"], expires_at=kit.start - timedelta(seconds=1)))
        await world.until_empty()
        assert not world.events()
        assert [(result.notified, result.reason) for result in world.results()] == [(False, "expired")]

    live(kit, lambda: kit.world(busy_then(kit), (kit.station(),)), story)


def test_a_job_of_a_notified_subscriber_is_removed_without_a_call(kit: Any) -> None:
    async def story(world: Any, _replica: Any) -> None:
        world.queue.put(world.job(0, ["a"]))
        await world.until_empty()
        world.queue.put(world.job(0, ["a"]))
        world.queue.put(world.job(0, ["a"], wave=2))
        await world.until_empty()
        assert world.calls_to == {"a": 1}
        assert len(world.results()) == 1

    live(kit, lambda: kit.world(lambda *_: kit.script(answers_at=2), (kit.station(),)), story)


def test_a_job_redelivered_to_its_own_worker_starts_no_second_call(kit: Any) -> None:
    async def story(world: Any, replica: Any) -> None:
        world.queue.put(world.job(0, ["a"]))
        await asyncio.sleep(1)
        world.queue.take_away(replica.source)
        await asyncio.sleep(1)
        assert replica.role.dispatcher.jobs_in_hand == 1
        await world.until_empty()
        assert world.calls_to == {"a": 1}

    live(kit, lambda: kit.world(lambda *_: kit.script(answers_at=2), (kit.station(),)), story)


def test_a_fenced_replica_hangs_up_and_writes_no_more(kit: Any) -> None:
    async def story(world: Any, replica: Any) -> None:
        world.queue.put(world.job(0, ["a"]))
        await asyncio.sleep(1)
        other = await world.replica().start()
        other.deps.takeover = TakeoverRule.FAST
        world.queue.on_call.pop(replica.source)  # it cannot be reached
        world.queue.take_away(replica.source)
        (hold,) = await other.source.take(kit.run_id, 1)
        other.role.dispatcher._begin(hold)
        await world.until_empty()
        assert replica.role.dispatcher.jobs_in_hand == 0
        assert sum(event.kind is Kind.INTERRUPTED for event in world.events()) == 1
        assert [result.notified for result in world.results()] == [True]
        calls = {event.call_id for event in world.events()}
        assert len(calls) == 2
        await other.role.stop()

    live(kit, lambda: kit.world(lambda *_: kit.script(answers_at=4), (kit.station(),)), story)


def test_a_job_is_left_to_the_replica_that_has_its_call_up(kit: Any) -> None:
    async def story(world: Any, replica: Any) -> None:
        world.queue.put(world.job(0, ["a"]))
        await asyncio.sleep(1)
        other = await world.replica().start()
        for queued in world.queue.jobs.values():
            queued.holder = None
        (hold,) = await other.source.take(kit.run_id, 1)
        other.role.dispatcher._begin(hold)
        await world.until_empty()
        assert world.calls_to == {"a": 1}
        assert Kind.INTERRUPTED not in world.kinds()
        assert world.results()[0].notified
        await other.role.stop()

    live(kit, lambda: kit.world(lambda *_: kit.script(answers_at=4), (kit.station(),)), story)


def test_few_jobs_of_a_run_outside_its_hours_are_delivered(kit: Any) -> None:
    hours = {"from_hour": 13, "till_hour": 14}

    async def story(world: Any, _replica: Any) -> None:
        for no in range(50):
            world.queue.put(world.job(no, [f"n{no}"]))
        await asyncio.sleep(3000)
        # Three were in hand when that was found out; then the same eight, less and less often.
        delivered = [queued.deliveries for queued in world.queue.jobs.values() if queued.deliveries]
        assert len(delivered) <= 3 + 8
        assert sum(delivered) <= 3 + 8 * 16
        await world.until_empty()
        assert min(moment for _, moment in world.starts) >= 3600
        assert len(world.results()) == 50

    live(
        kit,
        lambda: kit.world(busy_then(kit), (kit.station(channels=3),), settings={"time_restrictions": hours}),
        story,
    )


def test_a_drain_finishes_calls_and_gives_back_the_other_jobs(kit: Any) -> None:
    async def story(world: Any, replica: Any) -> None:
        for no in range(4):
            world.queue.put(world.job(no, [f"n{no}", f"m{no}"]))
        await asyncio.sleep(1)
        await replica.role.drain(60)
        assert replica.role.dispatcher.jobs_in_hand == 0
        assert len(world.starts) == 2
        assert len(world.queue.jobs) == 4
        successor = await world.replica().start()
        await world.until_empty()
        assert len(world.results()) == 4
        world.assert_consistent()
        await successor.role.stop()

    live(kit, lambda: kit.world(busy_then(kit), (kit.station(channels=2),)), story)


@pytest.mark.parametrize(("deadline_s", "told_s"), [(5, 3600), (3600, 5)])
def test_a_drain_hangs_up_at_its_deadline_or_when_it_is_told(kit: Any, deadline_s: int, told_s: int) -> None:
    async def story(world: Any, replica: Any) -> None:
        world.queue.put(world.job(0, ["a"]))
        await asyncio.sleep(1)
        asyncio.get_running_loop().call_later(told_s, replica.role.hang_up)
        await replica.role.drain(deadline_s)
        assert world.events()[-1].reason == "cancelled"
        assert not world.results()
        assert world.queue.jobs

    live(kit, lambda: kit.world(lambda *_: kit.script(), (kit.station(),)), story)


def test_a_call_whose_record_cannot_be_written_is_hung_up(kit: Any) -> None:
    async def story(world: Any, replica: Any) -> None:
        def fail(_replica: Any, count: int) -> None:
            if count == 4:
                raise RuntimeError("the log broke")

        world.after_append = fail
        world.queue.put(world.job(0, ["a"]))
        await asyncio.sleep(3)
        assert world.up == {"a": 0}
        assert replica.role.dispatcher.jobs_in_hand == 0

    live(kit, lambda: kit.world(lambda *_: kit.script(answers_at=2), (kit.station(),)), story)
