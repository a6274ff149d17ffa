"""A commit of the first version of a class, read by the third."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from eventsourcing.domain import Aggregate, event
from eventsourcing.utils import register_topic

from cato_jetstream import Corrupt, Repository
from tests.support.memory_log import MemoryLog

GOLDEN = (Path(__file__).parent / "golden" / "mailbox-v1.json").read_bytes()
MAILBOX_ID = UUID("3fa85f64-5717-4562-b3fc-2c963f66afa6")


class Mailbox(Aggregate):
    """Version 2 split the owner's name, version 3 made the room a number."""

    TOPIC = "mailbox"
    class_version = 3

    class Created(Aggregate.Created):
        TOPIC = "mailbox-created"
        class_version = 2
        surname: str
        given_name: str

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            Mailbox.upcast_v1_v2(state)

    class Relocated(Aggregate.Event):
        """Was called mailbox-moved."""

        TOPIC = "mailbox-relocated"
        class_version = 2
        room: int

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            state["room"] = int(state["room"])

    @event(Created)
    def __init__(self, surname: str, given_name: str) -> None:
        self.surname = surname
        self.given_name = given_name
        self.room: int | None = None

    @event(Relocated)
    def relocate(self, room: int) -> None:
        self.room = room

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        state["surname"], state["given_name"] = state.pop("owner").split(" ")

    @staticmethod
    def upcast_v2_v3(state: dict[str, Any]) -> None:
        state["room"] = int(state["room"]) if state.get("room") else None


register_topic("mailbox-moved", Mailbox.Relocated)


async def log_with(data: bytes) -> MemoryLog:
    log = MemoryLog()
    await log.append(f"ev.mailbox.{MAILBOX_ID}", data, expected=0, message_id="c1")
    return log


async def test_an_old_snapshot_is_upcast():
    mailbox = await Repository(await log_with(GOLDEN), Mailbox).load(MAILBOX_ID)
    assert (mailbox.surname, mailbox.given_name, mailbox.room, mailbox.version) == ("Иванов", "Пётр", 12, 2)


async def test_old_events_are_upcast_and_old_names_found():
    repository = Repository(await log_with(GOLDEN), Mailbox)
    mailbox = None
    async for commit in repository.history(MAILBOX_ID):
        for each in repository.events(commit):
            mailbox = each.mutate(mailbox)
    assert mailbox == await repository.load(MAILBOX_ID)


async def test_what_was_upcast_is_saved_in_its_new_version():
    log = await log_with(GOLDEN)
    repository = Repository(log, Mailbox)
    await repository.execute(MAILBOX_ID, "c2", lambda mailbox: mailbox.relocate(room=13))
    record = await log.last(f"ev.mailbox.{MAILBOX_ID}")
    assert record is not None
    content = json.loads(record.data)
    assert content["snapshot"]["state"]["state"]["class_version"] == 3
    assert content["events"][0]["state"]["class_version"] == 2
    assert content["events"][0]["name"] == "mailbox-relocated"
    assert (await repository.load(MAILBOX_ID)).room == 13


@pytest.mark.parametrize("name", ["mailbox-burnt", "os:system", "os.path", "antigravity"])
async def test_an_unknown_event_is_reported_and_nothing_imported_for_it(name: str):
    repository = Repository(await log_with(GOLDEN.replace(b"mailbox-moved", name.encode())), Mailbox)
    (commit,) = [commit async for commit in repository.history(MAILBOX_ID)]
    with pytest.raises(Corrupt):
        repository.events(commit)


async def test_a_snapshot_that_cannot_be_upcast_is_reported():
    repository = Repository(await log_with(GOLDEN.replace(b'"room":"12"', b'"room":"?"')), Mailbox)
    with pytest.raises(Corrupt):
        await repository.load(MAILBOX_ID)
