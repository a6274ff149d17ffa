"""Case T1: an order that the trunk does not send is no call, no attempt and no interruption."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from structlog.testing import capture_logs

from cato_contracts.messages.calls import FINAL_KINDS
from cato_contracts.messages.calls import CallEventKind as Kind
from cato_contracts.messages.jobs import RunDispatchState, RunMode
from cato_dialer.dial.adapters.call_metrics import CallMetrics


def live(kit: Any, world_of: Callable[[], Any], story: Callable[[Any, Any], Awaitable[None]]) -> None:
    async def main() -> None:
        world = world_of()
        replica = await world.replica().start()
        await story(world, replica)
        await replica.role.stop()

    kit.run(main())


def answering(kit: Any, **fields: Any) -> Callable[[], Any]:
    return lambda: kit.world(
        lambda *_: kit.script(answers_at=1), (kit.station(channels=4, **fields),), prompt_ms=10_000
    )


def test_t1_subscribers_of_a_dead_worker_are_called_again_when_a_worker_is_there(kit: Any) -> None:
    async def story(world: Any, replica: Any) -> None:
        for no in range(4):
            world.queue.put(world.job(no, [f"n{no}"]))
        await asyncio.sleep(5)
        replica.deps.trunk.fail()
        await asyncio.sleep(3)
        assert not world.results()
        replica.deps.trunk.recover()
        recovered_at = asyncio.get_running_loop().time()
        await world.until_empty()
        assert {(result.no, result.wave, result.notified) for result in world.results()} == {
            (no, 1, True) for no in range(4)
        }
        calls = {event.call_id for event in world.events()}
        assert len(calls) == len(world.starts) == 8, "calls on record are requests on the wire"
        assert max(at for _, at in world.starts) < recovered_at + 0.5
        assert sum(event.kind is Kind.INTERRUPTED for event in world.events()) == 4
        world.assert_consistent()

    live(kit, answering(kit), story)


def test_t1_without_a_worker_no_call_is_recorded_and_no_channel_is_held(kit: Any) -> None:
    async def story(world: Any, replica: Any) -> None:
        for no in range(4):
            world.queue.put(world.job(no, [f"n{no}"]))
        await asyncio.sleep(5)
        replica.deps.trunk.fail()
        await asyncio.sleep(600)
        assert len({event.call_id for event in world.events()}) == 4
        assert not world.results()
        assert not any(world.board.used.values())
        assert replica.role.dispatcher.jobs_in_hand == 0, "another replica may take the jobs"
        replica.deps.trunk.recover()
        await world.until_empty()
        assert [result.notified for result in world.results()] == [True] * 4

    live(kit, answering(kit), story)


def test_t1_an_unsent_order_is_placed_again_as_the_same_call(kit: Any) -> None:
    def script(_number: str, _station: Any, nth: int) -> Any:
        return kit.script(not_sent=True) if nth < 3 else kit.script(answers_at=1)

    async def story(world: Any, _replica: Any) -> None:
        world.queue.put(world.job(0, ["a"]))
        await world.until_empty()
        assert len({event.call_id for event in world.events()}) == 1
        assert Kind.INTERRUPTED not in world.kinds()
        assert world.results()[0].notified
        world.assert_consistent()

    live(kit, lambda: kit.world(script, (kit.station(),)), story)


def test_t1_an_order_that_is_never_sent_fails_its_subscriber_with_fault(kit: Any) -> None:
    def script(number: str, _station: Any, _nth: int) -> Any:
        return kit.script(not_sent=True) if number == "bad" else kit.script(answers_at=1)

    async def story(world: Any, _replica: Any) -> None:
        world.queue.put(world.job(0, ["bad"]))
        world.queue.put(world.job(1, ["good"]))
        await world.until_empty()
        assert {result.no: (result.notified, result.reason) for result in world.results()} == {
            0: (False, "fault"),
            1: (True, "heard-to-the-end"),
        }
        assert world.calls_to["bad"] == 5
        world.assert_consistent()

    live(kit, lambda: kit.world(script, (kit.station(),)), story)


def test_t1_a_pause_ends_the_wait_for_a_worker(kit: Any) -> None:
    async def story(world: Any, replica: Any) -> None:
        replica.deps.trunk.fail()
        replica.deps.trunk.capacity = 4
        world.queue.put(world.job(0, ["a"]))
        await asyncio.sleep(1)
        assert replica.role.dispatcher.jobs_in_hand == 1
        world.queue.set_state(RunDispatchState(run_id=kit.run_id, priority=0, mode=RunMode.PAUSED))
        await asyncio.sleep(0.1)
        assert replica.role.dispatcher.jobs_in_hand == 0
        assert not world.events()

    live(kit, answering(kit), story)


def test_t1_a_number_that_is_interrupted_each_time_fails_with_fault(kit: Any) -> None:
    async def story(world: Any, _replica: Any) -> None:
        world.queue.put(world.job(0, ["a"]))
        await world.until_empty()
        assert [(result.notified, result.reason) for result in world.results()] == [(False, "fault")]
        ends = [event for event in world.events() if event.kind in FINAL_KINDS]
        assert [(event.kind, event.reason) for event in ends] == [(Kind.INTERRUPTED, "interrupted")] * 4

    live(kit, lambda: kit.world(lambda *_: kit.script(fault_at=1.5), (kit.station(),)), story)


def two_stations(kit: Any) -> tuple[Any, Any]:
    return kit.station("first", priority=0), kit.station("second", priority=1)


def test_t12_a_station_that_cannot_be_used_is_passed_over(kit: Any) -> None:
    first, second = two_stations(kit)

    def script(_number: str, station: Any, _nth: int) -> Any:
        return kit.script(not_sent=True) if station == first.id else kit.script(answers_at=1)

    async def story(world: Any, _replica: Any) -> None:
        world.queue.put(world.job(0, ["a"]))
        await world.until_empty()
        assert world.results()[0].notified
        assert [station for station, _ in world.starts] == [first.id] * 5 + [second.id]
        assert Kind.INTERRUPTED not in world.kinds()
        world.assert_consistent()

    live(kit, lambda: kit.world(script, (first, second)), story)


def test_t12_a_number_that_no_station_can_be_asked_for_does_not_keep_the_next_one_from_being_called(
    kit: Any,
) -> None:
    def script(number: str, _station: Any, _nth: int) -> Any:
        return kit.script(not_sent=True) if number == "a/bad" else kit.script(answers_at=1)

    async def story(world: Any, _replica: Any) -> None:
        world.queue.put(world.job(0, ["a/bad", "a/good"]))
        await world.until_empty()
        assert world.results()[0].notified
        assert world.calls_to == {"a/bad": 10, "a/good": 1}
        world.assert_consistent()

    live(kit, lambda: kit.world(script, two_stations(kit)), story)


def test_t1_a_result_by_fault_is_in_metric_and_log(kit: Any) -> None:
    metrics = CallMetrics(())

    async def story(world: Any, replica: Any) -> None:
        replica.deps.observers = (metrics,)
        world.queue.put(world.job(0, ["a"]))
        with capture_logs() as logs:
            await world.until_empty()
        assert [
            (entry["subscriber"], entry["wave"], entry["log_level"])
            for entry in logs
            if entry["event"] == "subscriber was not reached because of a fault of the system"
        ] == [(0, 1, "error")]

    live(kit, lambda: kit.world(lambda *_: kit.script(fault_at=1.5), (kit.station(),)), story)
    labels = {"reason": "fault", "notified": "false"}
    assert metrics.registry.get_sample_value("cato_subscriber_results_total", labels) == 1
