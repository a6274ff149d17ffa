"""Case T22: a process that stood still does not act on what it knew before."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from cato_contracts.api.resources import SettingsSpec
from cato_contracts.messages.calls import CallEventKind as Kind
from cato_dialer.dial.domain.call.line_events import (
    LineAnswered,
    LineEvent,
    LinePlaybackFinished,
    LinePlaybackStarted,
    LineReleased,
    ReleaseCause,
)
from cato_dialer.dial.domain.call.rules import CallRules
from cato_dialer.dial.domain.call.state import Publish, Succeed
from cato_dialer.dial.handlers.call_recorder import CallRecorder
from cato_dialer.dial.handlers.drive_call import CallDriver
from tests.support.virtual_time import LoopClock, VirtualLoop, run_virtually

FROZEN_S = 25
PROMPT_MS = 2_000
SHORT_S = 8
"A job is not taken over so soon that its call, which is on record, may not be placed any more."


def live(kit: Any, script: Any, story: Callable[[Any, Any], Awaitable[None]], **world_of: Any) -> None:
    async def main() -> None:
        world = kit.world(lambda *_: script, (kit.station(),), **world_of)
        replica = await world.replica().start()
        await story(world, replica)
        await replica.role.stop()

    kit.run(main())


def stand_still(seconds: float = FROZEN_S) -> None:
    cast("VirtualLoop", asyncio.get_running_loop()).freeze(seconds)


class PlayingLine:
    """A line whose prompt is being played. After a hang-up it tells nothing but its release."""

    def __init__(self) -> None:
        self._heard_ms = 0
        self._released = False
        self._events: asyncio.Queue[LineEvent] = asyncio.Queue()

    async def events(self) -> AsyncIterator[LineEvent]:
        while True:
            yield await self._events.get()

    async def play(self, part: int, audio: object = None) -> None:
        """Play nothing else."""

    async def hang_up(self) -> None:
        self.tell(LineReleased(0, ReleaseCause.LOCAL_HANGUP, 200, "", self._heard_ms))

    async def gone(self) -> None:
        """The far end is gone with the line."""

    def tell(self, event: LineEvent) -> None:
        if isinstance(event, LinePlaybackFinished):
            self._heard_ms = event.heard_ms
        if not self._released:
            self._released = isinstance(event, LineReleased)
            self._events.put_nowait(event)

    def tell_soon(self, event: LineEvent, rounds: int = 5) -> None:
        """Tell it some rounds of the event loop later, as a pipe does that is read after a freeze."""
        if rounds:
            asyncio.get_running_loop().call_soon(self.tell_soon, event, rounds - 1)
        else:
            self.tell(event)


def test_prompt_that_was_heard_during_a_freeze_counts_before_the_call_is_too_long() -> None:
    settings = SettingsSpec(
        name="s", attempt_count=1, success_condition="PICKUP_AND_LISTEN_FULL", max_call_duration_s=20
    )
    rules = CallRules.of(settings, PROMPT_MS, station_setup_s=10, station_answer_s=10)
    successes: list[Succeed] = []
    published: list[Publish] = []

    async def main() -> None:
        line, clock = PlayingLine(), LoopClock(datetime(2026, 1, 1, tzinfo=UTC))
        driver = CallDriver(line, rules, clock, publish=published.append, succeed=successes.append)
        running = asyncio.create_task(driver.run())
        for event in (LineAnswered(clock.unix_ms()), LinePlaybackStarted(clock.unix_ms())):
            line.tell(event)
        await asyncio.sleep(1)
        heard_at = clock.unix_ms() + PROMPT_MS
        stand_still()
        line.tell_soon(LinePlaybackFinished(heard_at, PROMPT_MS))
        await running

    run_virtually(main())
    assert len(successes) == 1
    assert published[-1].success


async def take_over(world: Any) -> None:
    """Do what another replica does with the job: record the end of the call whose owner is silent."""
    job = world.job(0, ["a"])
    seen = await world.journal.read(job.run_id, 0)
    async with CallRecorder(world.journal, (), world.clock, job, seen) as other:
        call = other.last_call
        assert call is not None
        other.interrupted(call, success=False)
        await other.flushed()


def test_t22_a_call_that_was_taken_over_before_it_was_placed_is_not_placed(kit: Any) -> None:
    async def story(world: Any, replica: Any) -> None:
        taken_over: list[asyncio.Task[None]] = []
        frozen = asyncio.Event()

        def freeze_once_recorded(_replica: Any, count: int) -> None:
            if count == 2:
                stand_still()
                taken_over.append(asyncio.create_task(take_over(world)))
                frozen.set()

        world.after_append = freeze_once_recorded
        world.queue.put(world.job(0, ["a"]))
        await frozen.wait()
        await asyncio.sleep(10)
        await taken_over[0]
        assert world.starts == []
        assert world.kinds() == [Kind.STARTED, Kind.STATION_CHOSEN, Kind.INTERRUPTED]
        assert replica.role.dispatcher.jobs_in_hand == 0

    live(kit, kit.script(answers_at=1), story)


def test_t22_a_call_that_was_not_taken_over_is_placed_after_the_freeze(kit: Any) -> None:
    async def story(world: Any, _replica: Any) -> None:
        def freeze_once_recorded(_replica: Any, count: int) -> None:
            if count == 2:
                stand_still(SHORT_S)

        world.after_append = freeze_once_recorded
        world.queue.put(world.job(0, ["a"]))
        await world.until_empty()
        assert len(world.starts) == len({event.call_id for event in world.events()}) == 1
        assert world.starts[0][1] > SHORT_S + 1, "the other replicas had time to take the job over"
        assert world.results()[0].notified
        world.assert_consistent()

    live(kit, kit.script(answers_at=1), story)


def test_t22_a_call_that_was_taken_over_during_a_freeze_is_hung_up_at_once(kit: Any) -> None:
    async def story(world: Any, _replica: Any) -> None:
        world.queue.put(world.job(0, ["a"]))
        await asyncio.sleep(5)
        assert world.up == {"a": 1}
        stand_still()
        await take_over(world)
        await asyncio.sleep(0.1)
        assert world.up == {"a": 0}

    live(kit, kit.script(answers_at=1), story, prompt_ms=120_000)


def test_t22_a_call_that_is_taken_over_just_after_a_freeze_is_hung_up(kit: Any) -> None:
    async def story(world: Any, _replica: Any) -> None:
        world.queue.put(world.job(0, ["a"]))
        await asyncio.sleep(5)
        stand_still()
        await asyncio.sleep(1)
        assert world.up == {"a": 1}, "the log shows no takeover yet"
        await take_over(world)
        await asyncio.sleep(1)
        assert world.up == {"a": 0}

    live(kit, kit.script(answers_at=1), story, prompt_ms=120_000)


def test_t22_a_call_that_was_not_taken_over_goes_on_after_a_freeze(kit: Any) -> None:
    async def story(world: Any, _replica: Any) -> None:
        world.queue.put(world.job(0, ["a"]))
        await asyncio.sleep(5)
        stand_still()
        await world.until_empty()
        assert world.calls_to == {"a": 1}
        assert world.results()[0].notified

    live(kit, kit.script(answers_at=1), story, prompt_ms=120_000)


def test_t22_every_order_has_a_latest_time(kit: Any) -> None:
    async def story(world: Any, replica: Any) -> None:
        orders = []
        place = replica.deps.trunk.place
        replica.deps.trunk.place = lambda order: orders.append((world.clock.now(), order)) or place(order)
        world.queue.put(world.job(0, ["a"]))
        await world.until_empty()
        ((placed_at, order),) = orders
        assert order.not_after - placed_at == timedelta(seconds=2)

    live(kit, kit.script(answers_at=1), story)
