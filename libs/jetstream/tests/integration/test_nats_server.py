"""What only a real server can show: kills, restarts, lost acknowledgements."""

import asyncio
from typing import Any, cast
from uuid import UUID, uuid4

import nats.errors
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext, api

from cato_jetstream import Commit, Follower, JetStreamLog, Unavailable
from cato_runtime.process.tasks import end_tasks
from libs.jetstream.tests.example import Trunk, new_trunk, trunks
from tests.support.nats_server import NatsServer

DEADLINE_S = 20.0


@pytest.fixture
async def log(client: Client) -> JetStreamLog:
    await client.jetstream().add_stream(name="EVENTS", subjects=["ev.>"], allow_direct=True)
    return JetStreamLog(client, "EVENTS", timeout_s=1.0)


class LossyJetStream:
    """Publishes, and loses the first `losses` acknowledgements."""

    def __init__(self, js: JetStreamContext, losses: int) -> None:
        self._js = js
        self.losses = losses
        self.publishes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._js, name)

    async def publish(self, *args: Any, **kwargs: Any) -> api.PubAck:
        self.publishes += 1
        ack = await self._js.publish(*args, **kwargs)
        if self.losses > 0:
            self.losses -= 1
            raise nats.errors.TimeoutError
        return ack


class LossyClient:
    def __init__(self, client: Client, losses: int) -> None:
        self._client = client
        self.js = LossyJetStream(client.jetstream(), losses)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def jetstream(self, **_: Any) -> LossyJetStream:
        return self.js


async def test_a_lost_acknowledgement_is_no_conflict(client: Client, log: JetStreamLog):
    lossy = LossyClient(client, losses=1)
    repository = trunks(JetStreamLog(cast("Client", lossy), "EVENTS"))

    saved = await repository.save(new_trunk(uuid4()), command_id="create")
    lossy.js.losses = 1
    changed = await repository.execute(saved.id, "c2", lambda trunk: trunk.resize(2))
    changed.resize(3)
    await repository.save(changed, command_id="c3")

    assert lossy.js.publishes == 5
    history = [commit.command_id async for commit in trunks(log).history(saved.id)]
    assert history == ["create", "c2", "c3"]


async def test_when_all_acknowledgements_are_lost_the_caller_may_save_again(
    client: Client, log: JetStreamLog
):
    lossy = LossyClient(client, losses=2)
    repository = trunks(JetStreamLog(cast("Client", lossy), "EVENTS", attempts=1))
    trunk = new_trunk(uuid4())
    with pytest.raises(Unavailable):
        await repository.save(trunk, command_id="c1")
    await repository.save(trunk, command_id="c1")
    assert [commit.version async for commit in trunks(log).history(trunk.id)] == [1]


async def test_everything_is_unavailable_until_the_server_is_back(server: NatsServer, client: Client):
    await client.jetstream().add_stream(name="EVENTS", subjects=["ev.>"])
    log = JetStreamLog(client, "EVENTS", timeout_s=0.05, attempts=2)
    server.kill()
    try:
        with pytest.raises(Unavailable):
            await trunks(log).load(uuid4())
        with pytest.raises(Unavailable):
            await trunks(log).save(new_trunk(uuid4()), command_id="c1")
        with pytest.raises(Unavailable):
            await anext(trunks(log).history(uuid4()))
        with pytest.raises(Unavailable):
            await anext(log.read(["ev.>"], after=0))
    finally:
        await asyncio.to_thread(server.restart)

    async def answer() -> int:
        while True:
            try:
                return await log.end(["ev.>"])
            except Unavailable:
                continue

    assert await asyncio.wait_for(answer(), DEADLINE_S) in (0, 1)


async def test_without_a_stream_everything_is_unavailable(client: Client):
    log = JetStreamLog(client, "NOWHERE", timeout_s=0.2, attempts=1)
    with pytest.raises(Unavailable):
        await trunks(log).load(uuid4())
    with pytest.raises(Unavailable):
        await trunks(log).save(new_trunk(uuid4()), command_id="c1")
    with pytest.raises(Unavailable):
        await log.end(["ev.>"])


async def test_a_follower_ends_when_the_connection_is_closed(client: Client, log: JetStreamLog):
    follower = Follower(log, ["ev.>"], Commit.from_record)
    running = asyncio.create_task(follower.run(lambda _: None))
    await follower.until_current(DEADLINE_S)
    await client.close()
    with pytest.raises(Unavailable):
        await asyncio.wait_for(running, DEADLINE_S)


async def test_a_stream_that_changes_its_mind_about_direct_gets(client: Client, log: JetStreamLog):
    trunk = await trunks(log).save(new_trunk(uuid4()), command_id="c1")
    assert await trunks(log).load(trunk.id) == trunk
    await client.jetstream().update_stream(name="EVENTS", subjects=["ev.>"], allow_direct=False)
    with pytest.raises(Unavailable):
        await trunks(log).load(trunk.id)
    assert await trunks(log).load(trunk.id) == trunk


async def test_kill_and_restart_lose_nothing_and_the_follower_goes_on(server: NatsServer, log: JetStreamLog):
    """Six writers, each on its own aggregate; the server is killed twice in the middle of their work."""
    folded: dict[str, list[int]] = {}

    def fold(commit: Commit) -> None:
        folded.setdefault(commit.aggregate_id, []).append(commit.version)

    acknowledged: dict[UUID, list[str]] = {}
    progress = asyncio.Condition()

    async def write(trunk_id: UUID, commands: int) -> None:
        repository = trunks(log)
        for number in range(commands):
            command_id = f"c{number}"
            while True:
                try:
                    if number == 0:
                        trunk = await repository.create(new_trunk(trunk_id, 0), command_id=command_id)
                    else:
                        trunk = await repository.execute(trunk_id, command_id, grow)
                    break
                except Unavailable:
                    continue
            assert trunk.channels == number
            acknowledged.setdefault(trunk_id, []).append(command_id)
            async with progress:
                progress.notify_all()

    def grow(trunk: Trunk) -> None:
        trunk.resize(trunk.channels + 1)

    async def kill_after(commits: int) -> None:
        async with progress:
            await progress.wait_for(lambda: sum(map(len, acknowledged.values())) >= commits)
        server.kill()
        await asyncio.to_thread(server.restart)

    follower = Follower(log, ["ev.trunk.*"], Commit.from_record)
    async with asyncio.TaskGroup() as group:
        following = group.create_task(follower.run(fold))
        await follower.until_current(DEADLINE_S)
        async with asyncio.timeout(60), asyncio.TaskGroup() as writers:
            for _ in range(6):
                writers.create_task(write(uuid4(), 40))
            await kill_after(60)
            await kill_after(150)
        await follower.wait_for(await log.end(["ev.trunk.*"]), DEADLINE_S)
        await end_tasks(following)

    for trunk_id, commands in acknowledged.items():
        history = [commit async for commit in trunks(log).history(trunk_id)]
        assert [commit.command_id for commit in history] == commands
        assert folded[str(trunk_id)] == [commit.version for commit in history] == list(range(1, 41))


async def test_a_follower_started_without_a_server_becomes_current(server: NatsServer, log: JetStreamLog):
    trunk = await trunks(log).save(new_trunk(uuid4()), command_id="c1")
    server.kill()
    seen: list[str] = []
    follower = Follower(log, ["ev.>"], Commit.from_record)
    async with asyncio.TaskGroup() as group:
        following = group.create_task(follower.run(lambda commit: seen.append(commit.aggregate_id)))
        with pytest.raises(Unavailable):
            await follower.until_current(0.1)
        await asyncio.to_thread(server.restart)
        await follower.until_current(DEADLINE_S)
        await end_tasks(following)
    assert seen == [str(trunk.id)]


async def test_a_purged_stream_does_not_keep_a_follower_waiting(client: Client, log: JetStreamLog):
    for _ in range(600):
        await log.append(f"ev.trunk.{uuid4()}", b"x", expected=0, message_id=uuid4().hex)
    end = await log.end(["ev.>"])
    follower = Follower(log, ["ev.>"], lambda record: record)

    async def purge_behind(record: object) -> None:
        if follower.position == 0:
            await client.jetstream().purge_stream("EVENTS")

    async with asyncio.TaskGroup() as group:
        following = group.create_task(follower.run(purge_behind))
        await follower.until_current(DEADLINE_S)
        await end_tasks(following)
    assert follower.position < end
