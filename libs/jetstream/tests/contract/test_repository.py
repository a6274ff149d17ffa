"""What holds on every log."""

import asyncio
import json
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from cato_jetstream import (
    Appended,
    Commit,
    Conflict,
    Corrupt,
    Log,
    Misuse,
    NotFound,
    Record,
    Rejected,
    Unavailable,
)
from libs.jetstream.tests.example import NOW, Route, Trunk, Window, new_trunk, trunks


class Wrapped:
    """A log that does as another one. Subclasses make it fail."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.last, self.next, self.end, self.read = log.last, log.next, log.end, log.read

    @property
    def closed(self) -> bool:
        return self.log.closed

    async def append(self, subject: str, data: bytes, *, expected: int, message_id: str) -> Appended:
        return await self.log.append(subject, data, expected=expected, message_id=message_id)


class LosesAcknowledgements(Wrapped):
    async def append(self, subject: str, data: bytes, *, expected: int, message_id: str) -> Appended:
        await super().append(subject, data, expected=expected, message_id=message_id)
        raise Unavailable("the acknowledgement was lost")


class IsOvertaken(Wrapped):
    """Another writer commits before each of the first `times` writes."""

    def __init__(self, log: Log, trunk_id: UUID, times: int) -> None:
        super().__init__(log)
        self.others = trunks(log)
        self.trunk_id = trunk_id
        self.times = times

    async def append(self, subject: str, data: bytes, *, expected: int, message_id: str) -> Appended:
        if self.times > 0:
            self.times -= 1
            await self.others.execute(self.trunk_id, f"other-{self.times}", lambda trunk: trunk.resize(1))
        return await super().append(subject, data, expected=expected, message_id=message_id)


async def created(log: Log, trunk_id: UUID, *, remembered_commands: int = 16) -> Trunk:
    repository = trunks(log, remembered_commands=remembered_commands)
    return await repository.save(new_trunk(trunk_id), command_id="create")


async def commits(log: Log, trunk_id: UUID) -> list[Commit]:
    return [commit async for commit in trunks(log).history(trunk_id)]


async def test_a_loaded_aggregate_equals_the_saved_one(log: Log):
    trunk = new_trunk(uuid4())
    trunk.route((Route("7", Decimal("0.10")), Route("49", Decimal("1.5"))))
    trunk.close(Window(opens=NOW, days=frozenset({"MON"})), date(2025, 1, 2), timedelta(days=3), uuid4())
    assert await trunks(log).save(trunk, command_id="c1") is trunk
    assert trunk.pending_events == []

    loaded = await trunks(log).load(trunk.id)

    assert loaded == trunk
    assert type(loaded.state) is type(trunk.state)


async def test_an_unknown_aggregate_is_not_found(log: Log):
    with pytest.raises(NotFound):
        await trunks(log).load(uuid4())
    with pytest.raises(NotFound):
        await trunks(log).execute(uuid4(), "c1", lambda _: None)


async def test_a_commit_is_one_message_with_events_snapshot_and_outbox(log: Log):
    trunk = new_trunk(uuid4())
    trunk.resize(12)
    message = {"type": "TrunkAnnounced", "version": 1, "имя": "Москва"}
    await trunks(log).save(trunk, command_id="c1", messages=[message])

    record = await log.last(f"ev.trunk.{trunk.id}")

    assert record is not None
    content = json.loads(record.data)
    assert {
        key: content[key] for key in ("id", "commandId", "type", "version", "savedAt", "recentCommands")
    } == {
        "id": str(trunk.id),
        "commandId": "c1",
        "type": "trunk",
        "version": 2,
        "savedAt": NOW.isoformat(),
        "recentCommands": [],
    }
    assert content["messages"] == [message]
    assert [(event["name"], event["version"]) for event in content["events"]] == [
        ("trunk-created", 1),
        ("trunk-resized", 2),
    ]
    assert content["events"][1]["state"]["channels"] == 12
    assert (content["snapshot"]["name"], content["snapshot"]["version"]) == ("Snapshot", 2)
    assert content["snapshot"]["state"]["state"]["channels"] == 12
    assert await log.next(record.subject, 0) == record
    assert await log.next(record.subject, record.sequence) is None


async def test_the_subject_can_be_chosen(log: Log):
    repository = trunks(log, subject=lambda trunk_id: f"run.{trunk_id}.life")
    trunk = await repository.save(new_trunk(uuid4()), command_id="c1")
    assert await log.last(f"run.{trunk.id}.life") is not None
    assert await repository.load(trunk.id) == trunk


async def test_the_head_tells_command_and_sequence(log: Log):
    repository = trunks(log)
    trunk = await created(log, uuid4())
    first = repository.head(await repository.load(trunk.id))
    await repository.execute(trunk.id, "c2", lambda trunk: trunk.resize(2))
    second = repository.head(await repository.load(trunk.id))
    assert (first.command_id, second.command_id) == ("create", "c2")
    assert second.sequence > first.sequence
    assert second.recent_commands == ("create",)


async def test_a_save_on_an_old_state_is_a_conflict(log: Log):
    repository = trunks(log)
    trunk_id = (await created(log, uuid4())).id
    mine, yours = await repository.load(trunk_id), await repository.load(trunk_id)
    mine.resize(1)
    yours.resize(2)
    await repository.save(mine, command_id="mine")
    with pytest.raises(Conflict):
        await repository.save(yours, command_id="yours")
    assert (await repository.load(trunk_id)).channels == 1


async def test_of_two_concurrent_writers_exactly_one_wins(log: Log):
    trunk_id = (await created(log, uuid4())).id
    repositories = [trunks(log), trunks(log)]
    loaded = [await repository.load(trunk_id) for repository in repositories]
    for channels, trunk in enumerate(loaded):
        trunk.resize(channels)

    results = await asyncio.gather(
        *(r.save(t, command_id=f"c{t.channels}") for r, t in zip(repositories, loaded, strict=True)),
        return_exceptions=True,
    )

    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Trunk"]
    assert len(await commits(log, trunk_id)) == 2


async def test_of_two_concurrent_creators_exactly_one_wins(log: Log):
    trunk_id = uuid4()
    results = await asyncio.gather(
        trunks(log).create(new_trunk(trunk_id), command_id="c1"),
        trunks(log).create(new_trunk(trunk_id), command_id="c2"),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Trunk"]


async def test_an_object_can_be_saved_again_and_again(log: Log):
    repository = trunks(log)
    trunk = await created(log, uuid4())
    trunk = await repository.load(trunk.id)
    for channels in range(3):
        trunk.resize(channels)
        await repository.save(trunk, command_id=f"c{channels}")
    assert [commit.version for commit in await commits(log, trunk.id)] == [1, 2, 3, 4]


async def test_a_save_without_events_and_messages_writes_nothing(log: Log):
    repository = trunks(log)
    trunk = await repository.load((await created(log, uuid4())).id)
    assert await repository.save(trunk, command_id="c2") is trunk
    await repository.save(trunk, command_id="c3", messages=[{"type": "Announced"}])
    assert [(c.command_id, len(c.events), len(c.messages)) for c in await commits(log, trunk.id)] == [
        ("create", 1, 0),
        ("c3", 0, 1),
    ]


async def test_a_retry_after_a_lost_acknowledgement_is_the_first_save(log: Log):
    trunk = new_trunk(uuid4(), channels=5)
    with pytest.raises(Unavailable):
        await trunks(LosesAcknowledgements(log)).save(trunk, command_id="c1")
    assert trunk.pending_events

    same = await trunks(log).save(trunk, command_id="c1")
    decided_anew = await trunks(log).save(new_trunk(trunk.id, channels=6), command_id="c1")

    assert same.channels == decided_anew.channels == 5
    assert same.pending_events == []
    assert len(await commits(log, trunk.id)) == 1


async def test_a_retry_of_an_earlier_command_is_recognised(log: Log):
    repository = trunks(log)
    trunk = await created(log, uuid4())
    await repository.execute(trunk.id, "c2", lambda trunk: trunk.resize(2))
    await repository.execute(trunk.id, "c3", lambda trunk: trunk.resize(3))

    assert (await repository.save(new_trunk(trunk.id), command_id="create")).channels == 3
    assert (await repository.execute(trunk.id, "c2", lambda trunk: trunk.resize(4))).channels == 3
    loaded = await repository.load(trunk.id)
    loaded.resize(5)
    assert (await repository.save(loaded, command_id="c2")).channels == 3
    assert len(await commits(log, trunk.id)) == 3


async def test_a_command_that_the_head_has_forgotten_is_recognised_as_a_duplicate(log: Log):
    repository = trunks(log, remembered_commands=0)
    trunk = await created(log, uuid4(), remembered_commands=0)
    await repository.execute(trunk.id, "c2", lambda trunk: trunk.resize(2))
    await repository.execute(trunk.id, "c3", lambda trunk: trunk.resize(3))
    assert (await repository.execute(trunk.id, "c2", lambda trunk: trunk.resize(4))).channels == 3
    assert len(await commits(log, trunk.id)) == 3


async def test_the_list_of_remembered_commands_is_bounded(log: Log):
    repository = trunks(log, remembered_commands=2)
    trunk = await created(log, uuid4(), remembered_commands=2)
    for number in range(4):
        await repository.execute(trunk.id, f"c{number}", lambda trunk: trunk.resize(1))
    assert (await commits(log, trunk.id))[-1].recent_commands == ("c2", "c1")


async def test_creating_again_with_the_same_command_gives_the_existing_one(log: Log):
    repository = trunks(log, remembered_commands=0)
    trunk_id = uuid4()
    await repository.create(new_trunk(trunk_id, channels=1), command_id="create")
    again = await repository.create(new_trunk(trunk_id, channels=2), command_id="create")
    assert again.channels == 1
    await repository.execute(trunk_id, "c2", lambda trunk: trunk.resize(3))
    await repository.execute(trunk_id, "c3", lambda trunk: trunk.resize(4))
    assert (await repository.create(new_trunk(trunk_id), command_id="create")).channels == 4
    with pytest.raises(Conflict):
        await repository.create(new_trunk(trunk_id), command_id="another")


async def test_execute_decides_anew_when_it_was_overtaken(log: Log):
    trunk_id = (await created(log, uuid4())).id
    seen = []

    def grow(trunk: Trunk) -> list[dict[str, int]]:
        seen.append(trunk.channels)
        trunk.resize(trunk.channels + 1)
        return [{"channels": trunk.channels}]

    result = await trunks(IsOvertaken(log, trunk_id, times=2)).execute(trunk_id, "grow", grow)

    assert (seen, result.channels) == ([30, 1, 1], 2)
    assert (await commits(log, trunk_id))[-1].messages == ({"channels": 2},)


async def test_execute_gives_up_after_its_retries(log: Log):
    trunk_id = (await created(log, uuid4())).id
    repository = trunks(IsOvertaken(log, trunk_id, times=3))
    with pytest.raises(Conflict):
        await repository.execute(trunk_id, "grow", lambda trunk: trunk.resize(9), retries=2)


async def test_concurrent_commands_are_all_applied_once(log: Log):
    trunk_id = (await created(log, uuid4())).id

    def add(prefix: str) -> object:
        return trunks(log).execute(
            trunk_id, prefix, lambda trunk: trunk.route((Route(prefix, Decimal(1)),)), retries=50
        )

    await asyncio.gather(*(add(str(number // 2)) for number in range(10)))  # type: ignore[call-overload]

    routes = (await trunks(log).load(trunk_id)).routes
    assert sorted(route.prefix for route in routes) == ["0", "1", "2", "3", "4"]


async def test_what_decide_raises_leaves_nothing_behind(log: Log):
    trunk_id = (await created(log, uuid4())).id

    def refuse(trunk: Trunk) -> None:
        trunk.resize(1)
        raise RuntimeError("not allowed")

    with pytest.raises(RuntimeError, match="not allowed"):
        await trunks(log).execute(trunk_id, "c2", refuse)
    assert (await trunks(log).load(trunk_id)).channels == 30


async def test_the_history_of_one_aggregate_is_complete_and_in_order(log: Log):
    trunk_id, other_id = uuid4(), uuid4()
    for each in (trunk_id, other_id):
        await created(log, each)
    for number in range(5):
        for each in (other_id, trunk_id):
            await trunks(log).execute(each, f"c{number}", lambda trunk: trunk.resize(trunk.channels + 1))

    history = await commits(log, trunk_id)

    assert [commit.command_id for commit in history] == ["create", "c0", "c1", "c2", "c3", "c4"]
    assert [trunks(log).restore(commit).channels for commit in history] == [30, 31, 32, 33, 34, 35]
    assert await commits(log, uuid4()) == []


async def test_forgotten_commits_are_gone_and_the_first_and_the_last_stay(log: Log):
    trunk = await created(log, uuid4())
    for number in range(6):
        await trunks(log).execute(trunk.id, f"c{number}", lambda trunk: trunk.resize(trunk.channels + 1))

    def even(commit: Commit) -> bool:
        return commit.command_id in {"create", "c0", "c2", "c4"}

    assert await trunks(log).forget(trunk.id, before=NOW, which=even) == 0
    later = NOW + timedelta(seconds=1)
    assert await trunks(log).forget(trunk.id, before=later, which=even) == 3
    assert [commit.command_id for commit in await commits(log, trunk.id)] == ["create", "c1", "c3", "c5"]
    assert await trunks(log).forget(trunk.id, before=later, which=lambda _: True) == 2
    assert await trunks(log).forget(uuid4(), before=later, which=lambda _: True) == 0

    assert (await trunks(log).load(trunk.id)).channels == 36
    again = await trunks(log).create(new_trunk(trunk.id), command_id="create")
    assert again.channels == 36


async def test_a_copy_of_unknown_origin_is_not_saved(log: Log):
    trunk = await created(log, uuid4())
    trunk.resize(1)
    with pytest.raises(Misuse):
        await trunks(log).save(trunk, command_id="c2")
    with pytest.raises(Misuse):
        trunks(log).head(trunk)


async def test_a_second_commit_under_the_same_command_is_refused_and_not_lost(log: Log):
    repository = trunks(log)
    trunk = await repository.save(new_trunk(uuid4()), command_id="c1")
    trunk.resize(1)
    with pytest.raises(Misuse):
        await repository.save(trunk, command_id="c1")


@pytest.mark.parametrize("command_id", ["", "with space", "line\nbreak", "ключ", "x" * 201])
async def test_a_command_id_that_cannot_be_a_header_is_rejected(log: Log, command_id: str):
    with pytest.raises(Rejected):
        await trunks(log).save(new_trunk(uuid4()), command_id=command_id)


async def test_a_commit_that_is_too_large_is_rejected(log: Log):
    with pytest.raises(Rejected):
        await trunks(log).save(new_trunk(uuid4()), command_id="c1", messages=[{"text": "x" * 2_000_000}])


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"id": "1"}', b"\xff"])
async def test_a_message_that_is_no_commit_is_reported_as_such(log: Log, data: bytes):
    trunk_id = uuid4()
    await log.append(f"ev.trunk.{trunk_id}", data, expected=0, message_id="1")
    with pytest.raises(Corrupt):
        await trunks(log).load(trunk_id)


async def test_a_commit_of_another_type_is_reported_as_such(log: Log):
    trunk = await created(log, uuid4())
    record = await log.last(f"ev.trunk.{trunk.id}")
    assert isinstance(record, Record)
    other = uuid4()
    data = record.data.replace(b'"type":"trunk"', b'"type":"task"')
    await log.append(f"ev.trunk.{other}", data, expected=0, message_id="1")
    with pytest.raises(Corrupt, match="task"):
        await trunks(log).load(other)
