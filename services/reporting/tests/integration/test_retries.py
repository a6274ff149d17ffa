"""What retry rules have decided, in status documents, and the numbers that do not exist."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cato_contracts.instants import unix_ms
from cato_contracts.messages.calls import CallEvent, CallEventKind, NumberVerdict
from cato_reporting.adapters.clickhouse.read_model import ClickHouseReadModel
from cato_reporting.domain.parsed_message import parse_message
from cato_reporting.ports import StoredMessage
from tests.support.synthetic_runs import synthetic_run

RUN = synthetic_run(5, subscribers=6, waves=2, control=False, answered=0.2)
NOS = range(6)


@pytest.fixture
async def read_model(clickhouse_dsn):
    model = ClickHouseReadModel(clickhouse_dsn)
    await model.open()
    yield model
    await model.close()


def first_failure():
    """The messages up to the end of the first call that failed, with a retry and 404, and those after it."""
    stored = [
        StoredMessage(position, parse_message(sent.subject, sent.data))
        for position, sent in enumerate(RUN.messages, start=1)
    ]
    for index, message in enumerate(stored):
        envelope = message.parsed.events[0]
        event = envelope.body
        if isinstance(event, CallEvent) and event.kind is CallEventKind.ENDED and not event.success:
            due = envelope.occurred_at + timedelta(minutes=5)
            body = event.model_copy(
                update={
                    "verdict": NumberVerdict.RETRY,
                    "next_attempt_at": due,
                    "reason": "not-found",
                    "sip_code": 404,
                }
            )
            parsed = replace(message.parsed, events=(envelope.model_copy(update={"body": body}),))
            return body, unix_ms(due), [*stored[:index], replace(message, parsed=parsed)], stored[index + 1 :]
    raise AssertionError("no call fails")


async def test_a_retry_is_planned_until_the_next_call_or_the_result(read_model):
    event, due, until_then, rest = first_failure()
    await read_model.store(until_then, position=1)
    assert await read_model.next_attempts(RUN.run_id, NOS) == {event.no: due}
    assert await read_model.next_attempts(RUN.run_id, [no for no in NOS if no != event.no]) == {}
    await read_model.store(rest, position=2)
    assert await read_model.next_attempts(RUN.run_id, NOS) == {}


async def test_invalid_numbers_are_those_whose_last_call_says_so(read_model):
    event, _, until_then, rest = first_failure()
    await read_model.store(until_then, position=1)
    ((position, found),) = await read_model.invalid_numbers(RUN.run_id, after=None, limit=10)
    assert position == (event.no, event.phone_index)
    assert (found.number, found.reason, found.sip_code) == (event.number, "not-found", 404)
    assert (found.full_name, found.subscriber_id) == ("", None)
    await read_model.store_list(RUN.run_id, RUN.subscribers)
    ((_, found),) = await read_model.invalid_numbers(RUN.run_id, after=None, limit=10)
    person = RUN.subscribers[event.no]
    assert (found.full_name, found.subscriber_id) == (person.full_name, person.id)
    assert await read_model.invalid_numbers(RUN.run_id, after=position, limit=10) == []
    await read_model.store(rest, position=2)
    later = [envelope.body for message in rest for envelope in message.parsed.events]
    called_again = any(
        isinstance(body, CallEvent) and (body.no, body.phone_index) == position for body in later
    )
    assert bool(await read_model.invalid_numbers(RUN.run_id, after=None, limit=10)) is not called_again
