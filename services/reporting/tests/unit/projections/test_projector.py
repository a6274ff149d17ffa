"""The projector: bad messages, refused rows, and a database that is away."""

import asyncio

import pytest

from cato_reporting.metrics import insert_histogram
from cato_reporting.projections.archive.run_archive import RunArchive
from cato_reporting.projections.parsed_messages import ParsedMessages
from cato_reporting.projections.tables.list_loader import ListLoader
from cato_reporting.projections.tables.projector import Projector
from services.reporting.tests.fake_log import FakeDeadLetters, FakeLog, FakeReadModel
from tests.support.memory_objects import MemoryObjectStore
from tests.support.synthetic_runs import synthetic_run


@pytest.fixture
def messages():
    return [(sent.subject, sent.data) for sent in synthetic_run(3).messages]


async def fill(log, model):
    letters = FakeDeadLetters()
    objects = MemoryObjectStore()
    projector = Projector(
        log,
        model,
        letters,
        ParsedMessages(),
        ListLoader(model, objects),
        archive=RunArchive(objects),
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
