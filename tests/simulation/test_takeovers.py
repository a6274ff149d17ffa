"""A job is redelivered to a second replica while the first one is alive but its heartbeats are lost."""

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

from cato_contracts.messages.calls import CallEventKind, CallOwner
from cato_dialer.dial.domain.subscriber.takeover import OwnerAnswer
from tests.simulation import counters
from tests.simulation.world.exchange import Behaviour, Choose, subscriber_of
from tests.simulation.world.history import History
from tests.simulation.world.processes import DialProcess
from tests.simulation.world.world import World
from tests.support.virtual_time import run_virtually

Incident = Callable[[World], None]


def run_history(history: History, *incidents: tuple[float, Incident], choose: Choose | None = None) -> World:
    """Run the history; each incident happens at its number of seconds after the start."""
    worlds: list[World] = []

    async def main() -> None:
        world = World(history, choose=choose)
        worlds.append(world)
        for seconds, incident in incidents:
            asyncio.get_running_loop().call_later(seconds, incident, world)
        await world.live()

    with counters.unexpected_log_lines() as unexpected:
        run_virtually(main())
    assert not worlds[0].violations
    assert not unexpected
    return worlds[0]


def caller(world: World) -> DialProcess:
    (process,) = (process for process in world.dials if process.place_count)
    return process


def other(world: World) -> DialProcess:
    return next(process for process in world.dials if not process.place_count)


def lose_the_caller(world: World) -> None:
    caller(world).source.lose_heartbeats(30.0)


def cut_the_caller_off(seconds: float) -> Incident:
    return lambda world: caller(world).cut_off(seconds)


ANSWERS = Behaviour(rings=0.5, answers=1.0, lets_go_after=0.1)
"""The prompt of 1.5 s is complete 2.52 s after the INVITE."""


def test_ended_call_whose_result_is_still_being_written_is_left_to_its_replica() -> None:
    def write_slowly(world: World) -> None:
        caller(world).journal.delay_s = 2.0

    world = run_history(
        History(phones=(1,), behaviours=(ANSWERS,), dial_replicas=2),
        (2.3, write_slowly),
        (3.0, lose_the_caller),
    )
    assert len(world.exchange.placed) == 1
    assert 0 in world.judge.rules.notified
    assert world.judge.kinds[CallEventKind.INTERRUPTED] == 0


def test_success_written_during_the_takeover_counts() -> None:
    def ask_slowly(world: World) -> None:
        source = other(world).source
        ask = source.ask_owner

        async def ask_late(key: str, owner: CallOwner | None) -> OwnerAnswer:
            await asyncio.sleep(2.0)
            return await ask(key, owner)

        source.ask_owner = ask_late  # type: ignore[method-assign]
        lose_the_caller(world)

    def die_with_its_success(world: World) -> None:
        process = caller(world)
        append = process.journal._append

        async def append_and_die(subject: str, *message: Any) -> int:
            head = await append(subject, *message)
            if ".result." in subject:
                process.life.die()
            return head

        process.journal._append = append_and_die  # type: ignore[method-assign]

    world = run_history(
        History(phones=(1,), behaviours=(ANSWERS,), dial_replicas=2),
        (1.5, die_with_its_success),
        (2.0, ask_slowly),
    )
    assert len(world.exchange.placed) == 1
    assert 0 in world.judge.rules.notified
    assert world.judge.kinds[CallEventKind.INTERRUPTED] == 1


def test_replica_that_waited_for_a_channel_does_not_end_the_call_of_another() -> None:
    keys_after = {0: 8.0, 1: 30.0, 2: 8.0}  # too late for the second

    def lose_the_waiting(world: World) -> None:
        waiting = (dial for dial in world.dials if dial.role.dispatcher.jobs_in_hand and not dial.place_count)
        next(waiting).source.lose_heartbeats(60.0)

    world = run_history(
        History(
            phones=(1, 1, 1),
            settings={"success_condition": "PICKUP_AND_CONFIRM", "max_call_duration_s": 60},
            channels=2,
            dial_replicas=3,
            expires_in_s=12.0,
        ),
        (1.0, lose_the_waiting),
        choose=lambda number, _station, _nth: Behaviour(
            rings=0.5, answers=1.0, digits=((7.0, "9"), (keys_after[subscriber_of(number)], "1"))
        ),
    )
    assert [call.no for call in world.exchange.placed] == [0, 1, 2]
    assert set(world.judge.rules.notified) == {0, 2}


LISTENS_LONG = History(
    phones=(1,),
    behaviours=(Behaviour(rings=0.5, answers=1.0),),
    prompt_ms=20_000,
    settings={"max_call_duration_s": 60},
    dial_replicas=2,
)


def test_t21_success_of_a_dialer_that_was_cut_off_counts_and_the_subscriber_is_called_once() -> None:
    world = run_history(LISTENS_LONG, (3.0, cut_the_caller_off(25.0)))
    assert len(world.exchange.placed) == 1
    assert 0 in world.judge.rules.notified
    assert world.judge.kinds[CallEventKind.INTERRUPTED] == 0


def test_t21_subscriber_of_a_restarted_dialer_is_called_again_at_once() -> None:
    world = run_history(LISTENS_LONG, (3.0, lambda world: caller(world).life.die()))
    first, second = world.exchange.placed
    # The job is delivered again ten seconds after the last heartbeat.
    assert second.seconds - first.seconds < 16.0
    assert 0 in world.judge.rules.notified


def test_t21_subscriber_of_a_dialer_that_never_returns_is_called_after_the_latest_end_of_the_call() -> None:
    history = dataclasses.replace(LISTENS_LONG, restart_after_s=10_000.0)
    world = run_history(history, (3.0, lambda world: caller(world).life.die()))
    first, second = world.exchange.placed
    setup_s, answer_s, talk_s, release_s, start_s = 4.0, 3.0, 60.0, 40.0, 10.0
    bound_s = setup_s + answer_s + talk_s + release_s + start_s
    assert bound_s <= second.seconds - first.seconds < bound_s + 6.0
    assert 0 in world.judge.rules.notified
