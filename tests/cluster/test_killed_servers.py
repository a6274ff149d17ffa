"""Servers of the cluster are killed and restarted in the middle of the work."""

import asyncio
from uuid import UUID, uuid4

from cato_contracts.errors import BrokerError
from cato_contracts.messages.calls import CallEventKind
from cato_contracts.subjects import EVENTS, LEASES, RUNS
from cato_dialer.dial.adapters.nats.call_journal import NatsCallJournal
from cato_dialer.dial.adapters.nats.channel_source import NatsChannelSource
from cato_dialer.dial.domain.capacity.licence import Licence
from cato_dialer.dial.ports.dial import FencedError
from cato_jetstream import Bucket, Commit, Follower, JetStreamLog, Lease, Unavailable
from cato_runtime.clock import SystemClock
from cato_runtime.configuration.station_config import StationConfig
from cato_runtime.process.tasks import end_tasks
from libs.jetstream.tests.example import Trunk, new_trunk, trunks
from services.dialer.tests.contract.dial.test_call_journal import RUN, event

DEADLINE_S = 30.0


async def kill_leader(cluster, client, stream: str) -> None:
    """Kill the stream's leader as kill -9 does, and start it again."""
    info = await client.jetstream(timeout=5).stream_info(stream)
    server = cluster.server_named(info.cluster.leader)
    server.kill()
    await asyncio.to_thread(server.restart)


async def test_commands_are_committed_once_each_while_the_leader_is_killed(cluster, connected):
    """Four writers, each on its own aggregate, at different servers; a follower sees every commit."""
    clients = [await connected(number % 3) for number in range(4)]
    acknowledged: dict[UUID, list[str]] = {}
    folded: dict[str, list[int]] = {}

    def grow(trunk: Trunk) -> None:
        trunk.resize(trunk.channels + 1)

    async def write(client, trunk_id: UUID) -> None:
        repository = trunks(JetStreamLog(client, EVENTS.name))
        for number in range(40):
            while True:
                try:
                    if number == 0:
                        await repository.create(new_trunk(trunk_id, 0), command_id="c0")
                    else:
                        await repository.execute(trunk_id, f"c{number}", grow)
                    break
                except Unavailable:
                    continue
            acknowledged.setdefault(trunk_id, []).append(f"c{number}")

    log = JetStreamLog(clients[0], EVENTS.name)
    follower = Follower(log, ["ev.trunk.*"], Commit.from_record)
    following = asyncio.create_task(
        follower.run(lambda commit: folded.setdefault(commit.aggregate_id, []).append(commit.version))
    )
    async with asyncio.timeout(DEADLINE_S):
        async with asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(write(client, uuid4()))
            await kill_leader(cluster, clients[1], EVENTS.name)
        while True:
            try:
                await follower.wait_for(await log.end(["ev.trunk.*"]), 5)
                break
            except Unavailable:
                continue
    await end_tasks(following)

    for trunk_id, commands in acknowledged.items():
        history = [commit async for commit in trunks(log).history(trunk_id)]
        assert [commit.command_id for commit in history] == commands
        assert folded[str(trunk_id)] == [commit.version for commit in history] == list(range(1, 41))


async def test_two_dialers_never_both_own_a_call_while_the_leader_is_killed(cluster, connected):
    dialers = [NatsCallJournal(await connected(number)) for number in range(2)]

    async def owns(dialer: NatsCallJournal, no: int) -> bool:
        # The same one in each try: a dialer knows its own event by its content, also if the answer was lost.
        started = event(0, no=no, kind=CallEventKind.STARTED)
        while True:
            try:
                await dialer.append(started, 0)
            except FencedError:
                return False
            except BrokerError:
                continue
            return True

    async def call(no: int) -> int:
        return sum(await asyncio.gather(*(owns(dialer, no) for dialer in dialers)))

    async def events_of(no: int) -> int:
        while True:
            try:
                return len((await dialers[0].read(RUN, no)).events)
            except BrokerError:
                continue  # the killed server is on its way back

    async with asyncio.timeout(DEADLINE_S):
        killing = asyncio.create_task(kill_leader(cluster, await connected(2), RUNS.name))
        owners = [await call(no) for no in range(150)]
        await killing
        assert owners == [1] * 150
        for no in range(0, 150, 10):
            assert await events_of(no) == 1


async def test_a_lease_has_one_holder_at_a_time_while_the_leader_is_killed(cluster, connected):
    """Each contender notes when it surely holds the lease; no two of these times overlap."""
    loop = asyncio.get_running_loop()
    held: list[tuple[float, float, int]] = []
    killed_at: float | None = None

    def handed_over() -> bool:
        return killed_at is not None and len({each[2] for each in held if each[0] > killed_at}) > 1

    async def contend(number: int) -> None:
        bucket = Bucket((await connected(number)).jetstream(), LEASES.name, timeout_s=1.0)
        while not handed_over():
            lease = Lease(bucket, "test", uuid4().hex.encode(), ttl_s=2, margin_s=0.5)
            for _ in range(4):  # a holder renews a few times, then its lease ends or is given back
                try:
                    if not await lease.take():
                        break
                except Unavailable:
                    continue
                held.append((loop.time(), lease.valid_until, number))
                await asyncio.sleep(0.1)
            if lease.held():
                try:
                    await lease.release()
                except Unavailable:
                    await asyncio.sleep(max(0.0, lease.valid_until - loop.time()))
                held.append((loop.time(), loop.time(), number))
            await asyncio.sleep(0.02)

    async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(contend(number))
        await kill_leader(cluster, await connected(0), f"KV_{LEASES.name}")
        killed_at = loop.time()

    held.sort()
    owner, surely_until = held[0][2], held[0][1]
    for since, valid_until, number in held[1:]:
        if number != owner:
            assert since >= surely_until, (owner, number)
        owner, surely_until = number, valid_until


async def test_channels_are_never_shared_while_the_leader_is_killed(cluster, connected):
    station = StationConfig(channels=6, min_call_interval_ms=0)
    sources = [
        NatsChannelSource(await connected(number), [station], Licence(100), SystemClock())
        for number in range(2)
    ]
    loop = asyncio.get_running_loop()
    in_use, most, calls_after_kill = 0, 0, 0
    killed_at: float | None = None

    async def dial(source: NatsChannelSource) -> None:
        nonlocal in_use, most, calls_after_kill
        while calls_after_kill < 60 or most < station.channels:
            channel = source.acquire(station.id)
            if channel is None:
                waiting = asyncio.create_task(source.freed([station.id]))
                await asyncio.wait([waiting], timeout=0.2)
                await end_tasks(waiting)
                continue
            in_use += 1
            most = max(most, in_use)
            calls_after_kill += killed_at is not None and loop.time() > killed_at
            await asyncio.sleep(0.05)
            in_use -= 1
            channel.release()

    for source in sources:
        await source.open()
    async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as group:
        for source in sources:
            for _ in range(6):
                group.create_task(dial(source))
        await kill_leader(cluster, await connected(2), f"KV_{LEASES.name}")
        killed_at = loop.time()
    for source in sources:
        await source.close()
    assert most == 6
