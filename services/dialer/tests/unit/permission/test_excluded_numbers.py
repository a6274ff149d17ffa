"""Excluded numbers are passed over, up to the moment in which a call is ordered."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from cato_contracts.messages.jobs import DialJob
from cato_dialer.dial.domain.subscriber.next_attempt import Conclude, Dial, next_attempt
from services.dialer.tests.support.dial_world import Kit, World
from tests.support.virtual_time import run_virtually

STATIONS = (uuid4(),)


class Exclusions:
    """Numbers that are excluded, from a check on: the checks are counted from 1."""

    def __init__(self, world: World, *numbers: str, from_check: int = 1) -> None:
        self._world = world
        self._numbers = numbers
        self._from = from_check
        self.checks = 0
        self.orders: list[tuple[int, datetime]] = []
        self.usable_from = datetime(1970, 1, 1, tzinfo=UTC)

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        return None

    def excluded(self, job: DialJob) -> frozenset[int]:
        self.checks += 1
        if self.checks < self._from:
            return frozenset()
        phones = job.subscriber.phones
        return frozenset(index for index, number in enumerate(phones) if number in self._numbers)

    def usable_until(self) -> datetime | None:
        now = self._world.clock.now()
        return None if now < self.usable_from else now + timedelta(seconds=5)

    def ordered(self, job: DialJob, phone_index: int, not_after: datetime) -> None:
        self.orders.append((phone_index, not_after))


def live(world: World, exclusions: Exclusions, phones: list[str]) -> None:
    async def main() -> None:
        replica = world.replica()
        replica.deps.exclusions = exclusions
        world.queue.put(world.job(0, phones))
        await replica.start()
        await world.until_empty()
        replica.die()

    run_virtually(main())


def made() -> World:
    kit = Kit()
    return kit.world(lambda *_: kit.script(), (kit.station(),))


@pytest.mark.parametrize(
    ("excluded", "called"), [(frozenset({0}), 1), (frozenset({0, 1}), 2), (frozenset({1}), 0)]
)
def test_an_excluded_number_is_passed_over(excluded, called):
    step = next_attempt(1, 3, STATIONS, (), None, excluded=excluded)
    assert isinstance(step, Dial)
    assert step.phone_index == called


def test_without_a_number_left_the_subscriber_counts_as_excluded():
    step = next_attempt(1, 2, STATIONS, (), None, excluded=frozenset({0, 1}))
    assert step == Conclude(False, "excluded", None)


def test_the_next_number_is_called_instead():
    world = made()
    live(world, Exclusions(world, "1"), ["1", "2"])
    assert list(world.calls_to) == ["2"]


def test_a_subscriber_without_a_number_left_has_a_result_without_a_call():
    world = made()
    live(world, Exclusions(world, "1", "2"), ["1", "2"])
    assert not world.calls_to
    assert [(result.reason, result.call_id) for result in world.results()] == [("excluded", None)]


@pytest.mark.parametrize("from_check", range(2, 8))
def test_a_number_that_is_excluded_before_its_order_is_not_called(from_check):
    world = made()
    exclusions = Exclusions(world, "1", from_check=from_check)
    live(world, exclusions, ["1", "2"])
    ordered = [index for index, _ in exclusions.orders]
    assert ordered == ([0, 1] if "1" in world.calls_to else [1])
    if from_check <= 5:
        assert list(world.calls_to) == ["2"]


def test_no_call_starts_while_the_lists_may_be_out_of_date():
    world = made()
    exclusions = Exclusions(world)
    exclusions.usable_from = world.clock.start + timedelta(seconds=20)
    live(world, exclusions, ["1"])
    assert next(at for _, at in world.starts) >= 20
    assert len(world.results()) == 1


def test_an_order_is_sent_no_longer_than_the_lists_stand():
    world = made()
    exclusions = Exclusions(world)
    live(world, exclusions, ["1"])
    (_, not_after), *_ = exclusions.orders
    assert not_after <= world.clock.start + timedelta(seconds=5)
