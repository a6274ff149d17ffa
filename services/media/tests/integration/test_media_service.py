"""The service on a real broker: replicas that compete, a broker that crashes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from cato_contracts.errors import ConflictError, UnavailableError
from cato_contracts.messages.audio_commands import AddAudioFile, GetAudioFile, ListAudioFiles, RemoveAudioFile
from cato_contracts.messages.campaign_commands import FindTasksUsingFile
from cato_contracts.objects import Bucket
from cato_contracts.subjects import EVENTS
from cato_jetstream import JetStreamLog
from cato_media.bootstrap import build
from cato_runtime.broker import connect, ensure_topology, make_broker
from cato_runtime.broker_storage import BrokerStorage
from cato_runtime.clock import SystemClock
from cato_runtime.configuration.config import Config
from cato_runtime.configuration.settings import ServiceSettings
from cato_runtime.objects import NatsObjectStore
from cato_runtime.process.embedded_nats import EmbeddedNats
from cato_runtime.requests import RequestContext, Requester, RequestTable, serve_requests
from cato_runtime.service import RuntimeDeps
from services.media.tests.support.client import USER, Media, Tasks, media_service
from services.media.tests.support.sounds import packed, tone, wav

SOUNDS = [wav(packed(tone(8000, 0.2, hz=300 + 10 * n)), rate=8000) for n in range(4)]


@pytest.fixture
async def nats(tmp_path: Path) -> AsyncIterator[EmbeddedNats]:
    async with EmbeddedNats(tmp_path / "nats") as server:
        yield server


@pytest.fixture
async def replicas(nats: EmbeddedNats) -> AsyncIterator[list[Media]]:
    """Two services, each with its own connection."""
    async with AsyncExitStack() as stack:
        replicas = []
        for number in range(2):
            broker = make_broker(nats.url, f"media-{number}")
            client = await connect(broker)
            stack.push_async_callback(broker.stop)
            js = client.jetstream(timeout=10)
            await ensure_topology(js)
            log, objects = JetStreamLog(client, EVENTS.name), NatsObjectStore(js)
            replicas.append(await stack.enter_async_context(media_service(log, objects, Tasks())))
        yield replicas


async def prompts(media: Media) -> list[str]:
    assert isinstance(media.objects, NatsObjectStore)
    store = await media.objects._js.object_store(Bucket.PROMPTS)
    infos = await store.list()
    return [info.name for info in infos if not info.deleted]


async def test_a_file_acknowledged_by_one_replica_is_listed_by_the_other(replicas):
    first, second = replicas
    for n, sound in enumerate(SOUNDS):
        file = await first.add(f"file {n}", sound)
        assert await second.ask(GetAudioFile(actor=USER, id=file.id)) == file
        assert len((await second.ask(ListAudioFiles(actor=USER))).items) == n + 1
        assert await second.objects.get(file.content)


async def test_concurrent_adds_of_one_name_have_exactly_one_winner(replicas):
    for round_ in range(5):
        name = f"name {round_}"
        results = await asyncio.gather(
            *(replicas[n % 2].add(name, sound) for n, sound in enumerate(SOUNDS)), return_exceptions=True
        )
        kinds = Counter(type(result).__name__ for result in results)
        assert kinds == {"AudioFile": 1, "ConflictError": 3}
        [winner] = [result for result in results if not isinstance(result, BaseException)]
        assert {error.resource_id for error in results if isinstance(error, ConflictError)} == {
            str(winner.id)
        }
    assert len(await prompts(replicas[0])) == 5


async def test_concurrent_adds_of_the_same_bytes_are_one_file(replicas):
    files = await asyncio.gather(*(replicas[n % 2].add("flood", SOUNDS[0]) for n in range(6)))
    assert len({file.id for file in files}) == 1
    assert await prompts(replicas[0]) == [files[0].content.name]
    assert len(await replicas[1].objects.get(files[0].content)) == files[0].size_bytes


async def test_one_command_delivered_to_both_replicas_adds_one_file(replicas):
    files = await asyncio.gather(*(each.add("flood", SOUNDS[0], command_id="c1") for each in replicas))
    assert files[0] == files[1]
    assert len((await replicas[0].ask(ListAudioFiles(actor=USER))).items) == 1


async def test_a_name_that_is_removed_and_added_concurrently_has_at_most_one_file(replicas):
    async def churn(media: Media, sound: bytes) -> None:
        for _ in range(5):
            try:
                file = await media.add("flood", sound)
                await media.ask(RemoveAudioFile(actor=USER, id=file.id))
            except UnavailableError:
                continue  # overtaken by the other requests each time; the answer says to try again
            except ConflictError:
                assert len((await media.ask(ListAudioFiles(actor=USER))).items) <= 1

    await asyncio.gather(*(churn(replicas[n % 2], sound) for n, sound in enumerate(SOUNDS)))
    assert (await replicas[0].ask(ListAudioFiles(actor=USER))).items == []
    assert await prompts(replicas[0]) == []


async def test_files_survive_a_kill_of_the_broker(nats, replicas):
    file = await replicas[0].add("flood", SOUNDS[0])
    await nats.kill()
    await nats.restart()
    async with asyncio.timeout(30):
        while True:
            try:
                assert (await replicas[0].ask(ListAudioFiles(actor=USER))).items == [file]
                break
            except UnavailableError:
                await asyncio.sleep(0.1)
    other = await replicas[0].add("fire", SOUNDS[1])
    assert (await replicas[1].ask(ListAudioFiles(actor=USER))).items == [file, other]


async def test_removal_asks_the_dialer_for_tasks_that_use_the_file(nats, tmp_path):
    tasks: list = []
    table = RequestTable()

    @table.on(FindTasksUsingFile)
    async def find(request: FindTasksUsingFile, context: RequestContext) -> list:
        assert request.actor.admin
        return tasks

    broker = make_broker(nats.url, "test")
    client = await connect(broker)
    js = client.jetstream(timeout=10)
    await ensure_topology(js)
    objects, requester, clock = NatsObjectStore(js), Requester(broker), SystemClock()
    service = await build(
        RuntimeDeps(
            ServiceSettings(data_dir=tmp_path),
            Config(),
            broker,
            js,
            objects,
            requester,
            BrokerStorage(client),
            clock,
        )
    )
    await service.start()
    serve_requests(broker, service.requests, service="media")
    await broker.start()
    upload = await objects.put(Bucket.UPLOADS, "u", SOUNDS[0])
    file = await requester.ask(AddAudioFile(actor=USER, name="flood", upload=upload))
    with pytest.raises(UnavailableError, match="not known now"):
        await requester.ask(RemoveAudioFile(actor=USER, id=file.id))

    dialer = make_broker(nats.url, "dialer")
    await connect(dialer)
    serve_requests(dialer, table, service="dialer")
    await dialer.start()
    tasks.append(file.id)
    with pytest.raises(ConflictError, match="used by a task"):
        await requester.ask(RemoveAudioFile(actor=USER, id=file.id))
    tasks.clear()
    await requester.ask(RemoveAudioFile(actor=USER, id=file.id))

    await dialer.stop()
    await service.drain()
    await service.stop()
    await broker.stop()
