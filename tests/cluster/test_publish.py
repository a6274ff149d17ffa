"""Conditional writes on a stream with three copies, where the server looks for duplicate ids first."""

import asyncio

import pytest

from cato_contracts.subjects import RUNS
from cato_jetstream import ConditionalPublisher, Conflict, DuplicateId, Written


async def test_of_two_writes_with_one_message_id_at_once_exactly_one_is_written(connected):
    writers = [ConditionalPublisher((await connected(number)).jetstream(), RUNS.name) for number in range(2)]
    for number in range(50):
        outcomes = await asyncio.gather(
            *(
                writer.publish(f"run.x.{number}", b"data", expected=0, message_id=f"publish-{number}")
                for writer in writers
            ),
            return_exceptions=True,
        )
        assert sorted(isinstance(outcome, Written) for outcome in outcomes) == [False, True], outcomes
        assert any(isinstance(outcome, Conflict) for outcome in outcomes), outcomes


async def test_a_late_write_with_a_known_message_id_is_refused_and_its_own_repetition_is_not(connected):
    first, second = [
        ConditionalPublisher((await connected(number)).jetstream(), RUNS.name) for number in range(2)
    ]
    subject, message_id = "run.x.late", "publish-late"
    written = await first.publish(subject, b"data", expected=0, message_id=message_id, token="first")
    again = await first.publish(subject, b"data", expected=0, message_id=message_id, token="first")
    assert again == Written(written.sequence, earlier=True)
    for expected in (0, written.sequence):
        with pytest.raises(DuplicateId) as refused:
            await second.publish(subject, b"data", expected=expected, message_id=message_id)
        assert refused.value.sequence == written.sequence
