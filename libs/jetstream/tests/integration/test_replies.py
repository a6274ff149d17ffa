"""Acknowledgements and reads whose replies all arrive on one subscription."""

import asyncio
from typing import Any

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from cato_jetstream import ConditionalPublisher, Conflict, NoListener, StoredAcks, SubjectReader, TimedOut
from cato_jetstream.replies.reply_inbox import ReplyInbox

DEADLINE_S = 20.0
EXPECTED = "Nats-Expected-Last-Subject-Sequence"


@pytest.fixture
async def acks(client: Client) -> StoredAcks:
    await client.jetstream().add_stream(name="RUNS", subjects=["run.>"], allow_direct=True)
    return StoredAcks(client, timeout_s=5.0)


@pytest.fixture
def reader(client: Client, acks: StoredAcks) -> SubjectReader:
    return SubjectReader(client, "RUNS", timeout_s=5.0)


async def test_writes_at_once_get_an_acknowledgement_each(acks: StoredAcks, reader: SubjectReader):
    async with asyncio.timeout(DEADLINE_S):
        written = await asyncio.gather(
            *(acks.publish(f"run.{number}", b"%d" % number, "RUNS", {EXPECTED: "0"}) for number in range(500))
        )
        stored = [await reader.last(f"run.{number}") for number in range(500)]
    assert sorted(ack.seq for ack in written) == list(range(1, 501))
    assert [(record.sequence, record.data) for record in stored if record is not None] == [
        (ack.seq, b"%d" % number) for number, ack in enumerate(written)
    ]


async def test_a_refused_write_raises_what_the_server_says(acks: StoredAcks):
    await acks.publish("run.1", b"first", "RUNS", {EXPECTED: "0"})
    with pytest.raises(Conflict):
        await acks.publish("run.1", b"second", "RUNS", {EXPECTED: "0"})
    with pytest.raises(NoListener):
        await acks.publish("nobody.listens", b"", "RUNS", {})


async def test_a_repeated_write_of_the_same_writer_is_recognised(client: Client, acks: StoredAcks):
    publisher = ConditionalPublisher(client.jetstream(), "RUNS", acks=acks)
    first = await publisher.publish("run.1", b"same", expected=0, token="writer")
    again = await publisher.publish("run.1", b"same", expected=0, token="writer")
    assert (again.sequence, again.earlier) == (first.sequence, True)
    with pytest.raises(Conflict):
        await publisher.publish("run.1", b"same", expected=0, token="another")


async def test_an_empty_subject_has_no_messages_and_no_last_one(reader: SubjectReader):
    assert await reader.messages("run.none") == []
    assert await reader.last("run.none") is None


async def test_a_request_without_an_answer_times_out_and_a_late_one_is_dropped(client: Client):
    inbox = ReplyInbox(client, 0.2)
    asked: list[Msg] = []

    async def keep(message: Msg) -> None:
        asked.append(message)

    async def respond(message: Msg) -> None:
        await message.respond(b"in time")

    await client.subscribe("silent", cb=keep)
    answers: list[Any] = []

    def note(message: Msg, over: asyncio.Future[None]) -> None:
        answers.append(message.data)
        over.set_result(None)

    waits = [asyncio.create_task(inbox.request("silent", b"", note)) for _ in range(3)]
    async with asyncio.timeout(DEADLINE_S):
        results = await asyncio.gather(*waits, return_exceptions=True)
        assert [type(result) for result in results] == [TimedOut] * 3
        await asked[0].respond(b"late")
        await client.subscribe("prompt", cb=respond)
        await inbox.request("prompt", b"", note)
    assert answers == [b"in time"]
