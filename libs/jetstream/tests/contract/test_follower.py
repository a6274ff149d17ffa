"""Following every log."""

import asyncio
from contextlib import aclosing
from uuid import UUID, uuid4

import pytest

from cato_jetstream import Commit, Corrupt, Follower, Log, Misuse, Record, Unavailable
from libs.jetstream.tests.example import new_trunk, trunks
from tests.support.memory_log import MemoryLog

DEADLINE_S = 10.0


async def write(log: Log, number: int) -> list[UUID]:
    ids = [uuid4() for _ in range(number)]
    for trunk_id in ids:
        await trunks(log).save(new_trunk(trunk_id), command_id="c")
    return ids


async def test_it_is_current_after_everything_that_was_there(log: Log):
    ids = await write(log, 300)
    follower = Follower(log, ["ev.trunk.*"], Commit.from_record)
    folded: list[str] = []
    assert not follower.is_current
    async with asyncio.TaskGroup() as group:
        running = group.create_task(follower.run(lambda commit: folded.append(commit.aggregate_id)))
        await follower.until_current(DEADLINE_S)
        assert folded == [str(each) for each in ids]
        assert follower.position == await log.end(["ev.>"])
        assert follower.is_current
        running.cancel()


async def test_an_empty_log_is_current_at_once(log: Log):
    follower = Follower(log, ["ev.trunk.*"], Commit.from_record)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(follower.run(lambda _: None))
        await follower.until_current(DEADLINE_S)
        assert follower.position == 0
        running.cancel()


async def test_only_the_subjects_that_were_asked_for_arrive(log: Log):
    for number, subject in enumerate(["run.1.life", "run.1.call.7", "run.2.life", "ev.task.1", "ev.trunk.1"]):
        await log.append(subject, b"x", expected=0, message_id=str(number))
    seen: list[str] = []
    follower = Follower(log, ["run.*.life", "ev.task.>"], lambda record: record.subject)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(follower.run(seen.append))
        await follower.until_current(DEADLINE_S)
        assert seen == ["run.1.life", "run.2.life", "ev.task.1"]
        running.cancel()


async def test_a_reader_finds_what_it_has_written(log: Log):
    repository = trunks(log)
    seen: set[str] = set()
    follower = Follower(log, ["ev.trunk.*"], Commit.from_record)

    async def fold(commit: Commit) -> None:
        await asyncio.sleep(0)
        seen.add(commit.aggregate_id)

    async with asyncio.TaskGroup() as group:
        running = group.create_task(follower.run(fold))
        for _ in range(20):
            trunk = await repository.save(new_trunk(uuid4()), command_id="c")
            await follower.wait_for(repository.head(trunk).sequence)
            assert str(trunk.id) in seen
        running.cancel()


async def test_waiting_has_an_end(log: Log):
    follower = Follower(log, ["ev.trunk.*"], Commit.from_record)
    with pytest.raises(Unavailable):
        await follower.wait_for(1, timeout_s=0.01)
    with pytest.raises(Unavailable):
        await follower.until_current(timeout_s=0.01)


async def test_it_can_be_iterated(log: Log):
    ids = await write(log, 3)
    follower = Follower(log, ["ev.trunk.*"], Commit.from_record)
    seen = []
    async with aclosing(follower.items()) as items:
        async for commit in items:
            assert follower.position < commit.sequence
            seen.append(commit.aggregate_id)
            if len(seen) == 3:
                break
    assert seen == [str(each) for each in ids]


async def test_a_message_that_cannot_be_read_ends_it(log: Log):
    await log.append("ev.trunk.1", b"?", expected=0, message_id="1")
    follower = Follower(log, ["ev.trunk.*"], Commit.from_record)
    with pytest.raises(Corrupt):
        await follower.run(lambda _: None)
    with pytest.raises(Unavailable):
        await follower.until_current()


async def test_a_message_that_cannot_be_read_is_passed_over_when_somebody_takes_it(log: Log):
    await log.append("ev.trunk.1", b"?", expected=0, message_id="1")
    (trunk_id,) = await write(log, 1)
    taken: list[Record] = []
    seen: list[str] = []
    follower = Follower(
        log, ["ev.trunk.*"], Commit.from_record, on_corrupt=lambda record, _: taken.append(record)
    )
    async with asyncio.TaskGroup() as group:
        running = group.create_task(follower.run(lambda commit: seen.append(commit.aggregate_id)))
        await follower.until_current(DEADLINE_S)
        running.cancel()
    assert [record.data for record in taken] == [b"?"]
    assert seen == [str(trunk_id)]


async def test_a_fold_that_fails_ends_it_and_tells_those_who_wait(log: Log):
    follower = Follower(log, ["ev.trunk.*"], Commit.from_record)

    def fold(_: Commit) -> None:
        raise RuntimeError("cannot fold")

    running = asyncio.create_task(follower.run(fold))
    waiting = asyncio.create_task(follower.wait_for(1, timeout_s=DEADLINE_S))
    await follower.until_current(DEADLINE_S)
    await write(log, 1)
    with pytest.raises(RuntimeError, match="cannot fold"):
        await running
    with pytest.raises(Unavailable, match="cannot fold"):
        await waiting
    assert follower.position == 0


async def test_it_runs_once():
    follower = Follower(MemoryLog(), ["ev.>"], Commit.from_record)
    running = asyncio.create_task(follower.run(lambda _: None))
    await follower.until_current(DEADLINE_S)
    with pytest.raises(Misuse):
        await anext(follower.items())
    running.cancel()


async def test_a_log_that_lost_its_tail_ends_it(log: Log):
    reading = log.read(["ev.>"], after=7)
    with pytest.raises(Corrupt):
        await anext(reading)
