"""Commits of the catalog as earlier versions stored them. The golden files are never edited."""

import json
from pathlib import Path
from uuid import UUID

import pytest

from cato_dialer.campaign.domain.catalog.notification_settings import NotificationSettings
from cato_dialer.campaign.domain.catalog.subscriber_group import SubscriberGroup
from cato_dialer.campaign.domain.catalog.task import Task
from cato_dialer.campaign.handlers.resources import Resources
from cato_jetstream import Commit, Log
from services.dialer.tests.support.campaign_world import World

GOLDEN = Path(__file__).parent / "golden"


async def replay(log: Log, name: str, topic: str) -> list[Commit]:
    """Append the stored commits to the log and return them as read from it."""
    found: list[Commit] = []
    for stored in json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8")):
        subject = f"ev.{topic}.{stored['id']}"
        await log.append(
            subject,
            json.dumps(stored).encode(),
            expected=found[-1].sequence if found else 0,
            message_id=stored["commandId"],
        )
        record = await log.last(subject)
        assert record is not None
        found.append(Commit.from_record(record))
    return found


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("subscriber-group-v1", SubscriberGroup),
        ("notification-settings-v1", NotificationSettings),
        ("task-v1", Task),
        ("removed-task-v1", Task),
    ],
)
async def test_stored_resources_stay_readable(name, kind):
    world = World()
    resources: Resources = Resources(world.events, kind, world.clock)
    for commit in await replay(world.events, name, kind.TOPIC):
        restored = resources.restore(commit)
        assert restored.version == commit.version
        assert str(restored.view().id) == commit.aggregate_id
        assert "digests" not in vars(restored)
        for event in resources._repository.events(commit):
            assert "digest" not in vars(event)


async def test_a_stored_task_keeps_its_run_and_can_be_changed():
    world = World()
    tasks: Resources[Task] = Resources(world.events, Task, world.clock)
    stored = (await replay(world.events, "task-v1", "task"))[-1]
    started = tasks.restore(stored)
    assert started.running is not None
    run_id = started.running.run_id
    assert started.starts == {"start-1": run_id}
    ended = await tasks.execute(
        UUID(stored.aggregate_id), "end", lambda task: task.end_run(run_id, timestamp=world.clock.now())
    )
    assert ended.running is None
    assert tasks.has_carried_out(ended, _Context("start-1"))


class _Context:
    def __init__(self, command_id: str) -> None:
        self.command_id = command_id
