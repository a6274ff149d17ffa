"""Runs that leave the log: nothing is lost when the process dies at any moment, and nothing is told twice."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from itertools import count

import pytest

from cato_reporting.domain.parsed_message import parse_message
from cato_reporting.metrics import insert_histogram
from cato_reporting.projections.archive.archiver import Archiver, LogRetention
from cato_reporting.projections.archive.run_archive import RunArchive
from cato_reporting.projections.live.live_projection import LiveProjection
from cato_reporting.projections.parsed_messages import ParsedMessages
from cato_reporting.projections.progress import Progress
from cato_reporting.projections.tables.list_loader import ListLoader
from cato_reporting.projections.tables.projector import Projector
from cato_runtime.process.tasks import end_tasks
from services.reporting.tests.fake_log import FakeDeadLetters, FakeLog, FakeReadModel
from tests.support.memory_objects import MemoryObjectStore
from tests.support.synthetic_runs import BEGIN, synthetic_run

MONTH = timedelta(days=30)
LATER = BEGIN + timedelta(days=40)


class DiedError(BaseException):
    """The process has died: nothing catches this."""


class Mortal:
    """Passes calls on, and dies before, in the middle of or after the call with the number `at`."""

    def __init__(self, at=None, when="before"):
        self.calls = count()
        self.at = at
        self.when = when

    def wrap(self, inner):
        return _Wrapped(self, inner)

    async def call(self, method, *args, **kwargs):
        mine = next(self.calls) == self.at
        if mine and self.when == "before":
            raise DiedError
        if mine and self.when == "halfway" and method.__name__ == "remove":
            log = method.__self__
            kept = log.messages[::2]
            await method(*args, **kwargs)
            log.messages = sorted({*log.messages, *kept}, key=lambda message: message.position)
            raise DiedError
        try:
            return await method(*args, **kwargs)
        finally:
            if mine:
                raise DiedError


class _Wrapped:
    def __init__(self, mortal, inner):
        self._mortal = mortal
        self._inner = inner

    def __getattr__(self, name):
        method = getattr(self._inner, name)
        if name in {"put", "remove", "get", "end"}:
            return lambda *args, **kwargs: self._mortal.call(method, *args, **kwargs)
        return method


class World:
    """Two old runs and a later one, in one log; what is in the log and in the objects survives a death."""

    def __init__(self):
        self.runs = [
            synthetic_run(5, subscribers=3),
            synthetic_run(10, subscribers=2, lost_ends=True),
            synthetic_run(7, subscribers=2, begin=LATER - timedelta(days=1)),
        ]
        messages = [(sent.subject, sent.data) for run in self.runs for sent in run.messages]
        messages[3] = (messages[3][0], b'{"\xff": damaged')
        self.log = FakeLog(messages)
        self.all = {message.position: message for message in self.log.messages}
        self.objects = MemoryObjectStore()

    def positions(self, number):
        run_id = str(self.runs[number].run_id)
        return {position for position, message in self.all.items() if run_id in message.subject}

    def in_log(self):
        return {message.position for message in self.log.messages}

    async def archive(self, mortal, *, keep=True, stored=None, age=MONTH, now=LATER):
        """One look for old runs by a process that was just started."""
        log, archive = mortal.wrap(self.log), RunArchive(mortal.wrap(self.objects))
        live = LiveProjection(log, ParsedMessages())
        for message in self.log.messages:
            parsed = parse_message(message.subject, message.data)
            if parsed.run_id and message.subject.endswith(".life") and parsed.events:
                live.runs.settled[parsed.run_id] = parsed.events[-1].occurred_at
        progress = Progress()
        progress.advance(len(self.all) if stored is None else stored)
        archiver = Archiver(log, archive, live, progress, LogRetention(age, archive=keep))
        return await archiver.move_old_runs(now)

    async def rebuild(self):
        """Fill empty tables; return the positions of the messages that are in them, or are dead letters."""
        model, letters = FakeReadModel(), FakeDeadLetters()
        projector = Projector(
            self.log,
            model,
            letters,
            ParsedMessages(),
            ListLoader(model, self.objects),
            archive=RunArchive(self.objects),
            inserts=insert_histogram(),
        )
        task = asyncio.create_task(projector.run())
        try:
            assert await projector.progress.reached(len(self.all), timeout=10)
        finally:
            await end_tasks(task)
        return model.stored | letters.letters.keys()


async def test_old_runs_leave_the_log_and_a_rebuild_has_all_of_them():
    world = World()
    assert await world.archive(Mortal()) == 2
    assert world.in_log() == world.positions(2)
    assert await world.rebuild() == set(world.all)
    assert await world.archive(Mortal()) == 0


async def test_an_archived_message_is_read_back_byte_by_byte():
    world = World()
    await world.archive(Mortal())
    archive = RunArchive(world.objects)
    runs = await archive.runs(after=0)
    read = [
        message for run in runs for batch in [each async for each in archive.read(run)] for message in batch
    ]
    assert read == [world.all[position] for position in sorted(world.positions(0) | world.positions(1))]


@pytest.mark.parametrize("when", ["before", "halfway", "after"])
async def test_a_process_that_dies_at_any_moment_loses_no_message(when):
    for at in count():
        world = World()
        mortal = Mortal(at, when)
        with suppress(DiedError):
            await world.archive(mortal)
            assert at > 15
            break
        assert await world.rebuild() == set(world.all)
        await world.archive(Mortal())
        assert world.in_log() == world.positions(2)
        assert await world.rebuild() == set(world.all)


@pytest.mark.parametrize("when", ["before", "halfway", "after"])
async def test_a_run_that_is_dropped_is_dropped_as_a_whole_wherever_the_process_dies(when):
    for at in count():
        world = World()
        mortal = Mortal(at, when)
        with suppress(DiedError):
            await world.archive(mortal, keep=False)
            assert at > 13
            break
        there = await world.rebuild()
        for number in range(3):
            assert world.positions(number) <= there or not world.positions(number) & there
        await world.archive(Mortal(), keep=False)
        assert await world.rebuild() == world.in_log() == world.positions(2)


async def test_a_run_that_the_tables_do_not_have_yet_stays_in_the_log():
    world = World()
    assert await world.archive(Mortal(), stored=max(world.positions(1)) - 1) == 1
    assert world.in_log() == world.positions(1) | world.positions(2)


async def test_the_last_message_of_the_log_stays_because_readers_wait_for_its_position():
    world = World()
    await world.log.remove(world.runs[2].run_id, until=len(world.all))
    world.log.last_position = max(world.positions(1))
    assert await world.archive(Mortal()) == 1
    assert world.in_log() == world.positions(1)


async def test_a_run_with_an_open_call_stays_for_a_day_whatever_the_retention():
    world = World()
    soon, end = timedelta(minutes=1), BEGIN + timedelta(hours=1)
    assert await world.archive(Mortal(), age=soon, now=end) == 1
    assert world.in_log() == world.positions(1) | world.positions(2)
    assert await world.archive(Mortal(), age=soon, now=end + timedelta(days=1)) == 1


async def test_tables_that_have_the_archived_runs_do_not_read_them_again():
    world = World()
    await world.archive(Mortal())
    archive = RunArchive(world.objects)
    state = await archive.state()
    assert state.highest == max(world.positions(1))
    assert await archive.runs(after=state.highest) == []


async def test_events_of_an_archived_run_that_come_late_stay_in_the_log():
    world = World()
    late = world.log.messages[-1]
    subject = f"run.{world.runs[0].run_id}.call.0"
    await world.archive(Mortal())
    world.log.messages.append(type(late)(subject, late.position + 1, late.data))
    world.log.last_position += 1
    assert await world.archive(Mortal()) == 0
    assert world.log.messages[-1].subject == subject
