"""The projector: bad messages, refused rows, and a database that is away."""

import asyncio

import pytest

from cato_reporting.errors import ReadModelAwayError, RowsRefusedError
from cato_reporting.metrics import insert_histogram
from cato_reporting.ports import LogMessage
from cato_reporting.projections.parsed_messages import ParsedMessages
from cato_reporting.projections.tables.list_loader import ListLoader
from cato_reporting.projections.tables.projector import Projector
from tests.support.memory_objects import MemoryObjectStore
from tests.support.synthetic_runs import synthetic_run


class FakeLog:
    """Holds messages, and records the acknowledged positions."""

    def __init__(self, messages):
        self.messages = [
            LogMessage(subject, position, data) for position, (subject, data) in enumerate(messages, start=1)
        ]
        self.confirmed = 0
        self.reserved = []

    async def end(self):
        return len(self.messages)

    async def reserve(self, *, after):
        self.reserved.append(after)
        return FakeIntake(self, after)


class FakeIntake:
    def __init__(self, log, after):
        self._log = log
        self._next = after

    async def take(self, limit, *, window):
        batch = self._log.messages[self._next : self._next + limit]
        if not batch:
            await asyncio.Event().wait()
        self._next += len(batch)
        return batch

    def flush(self):
        pass

    async def confirm(self, position):
        self._log.confirmed = position

    async def close(self):
        pass


class FakeReadModel:
    """Keeps the positions of messages; is away for a while, and refuses the positions in `refuses`."""

    def __init__(self, *, away=0, refuses=()):
        self.away = away
        self.refuses = set(refuses)
        self.stored = set()
        self.position = 0

    async def open(self):
        if self.away:
            self.away -= 1
            raise ReadModelAwayError("away")
        return self.position

    async def store(self, stored_messages, *, position):
        positions = {stored.position for stored in stored_messages}
        if positions & self.refuses:
            raise RowsRefusedError("no column holds this")
        self.stored |= positions
        self.position = position

    async def unlisted(self):
        return []


class FakeDeadLetters:
    def __init__(self):
        self.letters = {}

    async def publish(self, message, reason):
        new = message.position not in self.letters
        self.letters[message.position] = reason
        return new


@pytest.fixture
def messages():
    return [(sent.subject, sent.data) for sent in synthetic_run(3).messages]


async def fill(log, model):
    letters = FakeDeadLetters()
    projector = Projector(
        log,
        model,
        letters,
        ParsedMessages(),
        ListLoader(model, MemoryObjectStore()),
        inserts=insert_histogram(),
    )
    task = asyncio.create_task(projector.run())
    assert await projector.progress.reached(len(log.messages), timeout=10)
    async with asyncio.timeout(10):
        while log.confirmed < len(log.messages):
            await asyncio.sleep(0)
    task.cancel()
    return projector, letters


async def test_messages_are_stored_before_they_are_acknowledged(messages):
    log, model = FakeLog(messages), FakeReadModel()
    projector, letters = await fill(log, model)
    assert model.stored == set(range(1, len(messages) + 1))
    assert letters.letters == {}
    assert projector.refused == 0


async def test_a_bad_message_becomes_a_dead_letter_and_the_rest_of_its_batch_is_stored(messages):
    messages[5] = (messages[5][0], b"poison")
    log, model = FakeLog(messages), FakeReadModel()
    projector, letters = await fill(log, model)
    assert model.stored == set(range(1, len(messages) + 1)) - {6}
    assert set(letters.letters) == {6}
    assert projector.refused == 1


async def test_a_row_that_the_database_refuses_becomes_the_only_dead_letter(messages):
    log, model = FakeLog(messages), FakeReadModel(refuses={4, 9})
    projector, letters = await fill(log, model)
    assert model.stored == set(range(1, len(messages) + 1)) - {4, 9}
    assert set(letters.letters) == {4, 9}
    assert model.position == len(messages)
    assert projector.refused == 2


async def test_the_projector_retries_while_the_database_is_away(messages):
    log, model = FakeLog(messages), FakeReadModel(away=3)
    await fill(log, model)
    assert model.stored == set(range(1, len(messages) + 1))


async def test_the_projector_starts_at_the_position_of_the_tables_and_not_of_the_acknowledgements(messages):
    log, model = FakeLog(messages), FakeReadModel()
    model.position = 7
    await fill(log, model)
    assert log.reserved == [7]
    assert model.stored == set(range(8, len(messages) + 1))
