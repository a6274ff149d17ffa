"""Case T17: a station that answers 503 with `Retry-After` rests; in virtual time."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from cato_dialer.dial.adapters.sip.retry_after import retry_after_of
from cato_dialer.dial.domain.station_rest import rest_s

PEOPLE = 12


@pytest.mark.parametrize(
    ("code", "asked", "rests"),
    [
        (503, 120, 120),
        (503, 1_000, 300),
        (503, 0, 0),
        (503, None, 0),
        (480, 120, 0),
        (486, 120, 0),
        (404, 120, 0),
        (None, None, 0),
    ],
)
def test_t17_only_503_is_about_the_station(code: int | None, asked: int | None, rests: int) -> None:
    assert rest_s(code, asked, longest_s=300) == rests


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        ("Retry-After: 5", 5),
        ("retry-after :\r\n 7 (folded)", 7),
        ("X-Retry-After: 5", None),
        ("Retry-After: 99999999999", None),
        ("Retry-After: five", None),
        ("Subject: none\r\n\r\nRetry-After: 5", None),
    ],
)
def test_t17_the_header_is_read_from_the_head_of_a_message(lines: str, seconds: int | None) -> None:
    message = f"SIP/2.0 503 Service Unavailable\r\n{lines}\r\nContent-Length: 0\r\n\r\n"
    assert retry_after_of(message) == seconds


def live(
    kit: Any,
    script_of: Callable[[Any], Any],
    story: Callable[[Any, Any], Awaitable[None]],
    *stations: Any,
    people: int = PEOPLE,
) -> None:
    async def main() -> None:
        world = kit.world(lambda _number, station, nth: script_of((station, nth)), stations, prompt_ms=1_000)
        replica = await world.replica().start()
        for no in range(people):
            world.queue.put(world.job(no, [f"n{no}"]))
        await story(world, replica)
        await replica.role.stop()

    kit.run(main())


def refusing(kit: Any, code: int = 503, retry_after: int | None = 120) -> Any:
    return kit.script(final=(code, "later"), rings_at=None, retry_after=retry_after)


def test_t17_a_station_that_rests_is_left_out_and_others_are_called(kit: Any) -> None:
    first, second = (
        kit.station("first", priority=0, channels=1),
        kit.station("second", priority=1, channels=4),
    )

    def script_of(call: tuple[Any, int]) -> Any:
        return refusing(kit) if call[0] == first.id else kit.script(answers_at=1)

    async def story(world: Any, replica: Any) -> None:
        await world.until_empty()
        assert [station for station, _ in world.starts].count(first.id) == 1
        assert [result.notified for result in world.results()] == [True] * PEOPLE
        until = replica.deps.resting_until(first.id)
        assert until is not None
        assert 120.5 <= (until - kit.start).total_seconds() < 121
        assert replica.deps.resting_until(second.id) is None

    live(kit, script_of, story, first, second)


def test_t17_subscribers_wait_for_the_only_station_and_lose_no_attempt(kit: Any) -> None:
    station = kit.station(channels=1)
    refused = []

    def script_of(_call: tuple[Any, int]) -> Any:
        if refused:
            return kit.script(answers_at=1)
        refused.append(True)
        return refusing(kit)

    async def story(world: Any, replica: Any) -> None:
        await asyncio.sleep(115)
        assert len(world.starts) == 1
        assert replica.role.dispatcher.jobs_in_hand == 0
        assert not any(world.board.used.values())
        await world.until_empty()
        assert 120.5 <= world.starts[1][1] < 122
        assert sorted((result.notified, result.reason) for result in world.results()) == [
            (False, "service-unavailable"),
            *[(True, "heard-to-the-end")] * (PEOPLE - 1),
        ]

    live(kit, script_of, story, station)


def test_t17_the_rest_is_bounded_by_the_setting_of_the_station(kit: Any) -> None:
    station = kit.station(channels=1, max_retry_after_s=10)

    async def story(world: Any, _replica: Any) -> None:
        await world.until_empty()
        times = [at for _, at in world.starts]
        assert len(times) == PEOPLE
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert all(10 <= gap < 12 for gap in gaps), gaps

    live(kit, lambda _call: refusing(kit, retry_after=3_600), story, station)


def test_t17_a_subscriber_waits_for_the_last_station_that_was_not_tried(kit: Any) -> None:
    first, second = kit.station("first", priority=0), kit.station("second", priority=1)

    def script_of(call: tuple[Any, int]) -> Any:
        return refusing(kit, retry_after=None) if call[0] == first.id else kit.script(answers_at=1)

    async def story(world: Any, replica: Any) -> None:
        replica.deps.rests.rest(second.id, kit.start + timedelta(seconds=60))
        await world.until_empty()
        assert [station for station, _ in world.starts] == [first.id, second.id]
        assert 60 <= world.starts[1][1] < 62
        assert world.results()[0].notified

    live(kit, script_of, story, first, second, people=1)


def test_t17_a_person_who_is_busy_does_not_make_the_station_rest(kit: Any) -> None:
    station = kit.station(channels=1)

    async def story(world: Any, _replica: Any) -> None:
        await world.until_empty()
        assert world.starts[-1][1] < PEOPLE

    live(kit, lambda _call: refusing(kit, code=486), story, station)
