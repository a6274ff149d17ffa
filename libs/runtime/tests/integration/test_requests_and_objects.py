import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from faststream.nats import NatsBroker

from cato_contracts.api.resources import SubscriberGroup
from cato_contracts.errors import BrokerError, ConflictError, RefusedError, UnavailableError
from cato_contracts.messages.campaign_commands import GetSubscriberGroup, RemoveTask
from cato_contracts.objects import Bucket, ObjectRef
from cato_contracts.requests import Actor
from cato_runtime.broker import connect, ensure_topology, make_broker
from cato_runtime.objects import NatsObjectStore, ObjectMissingError
from cato_runtime.process.embedded_nats import EmbeddedNats
from cato_runtime.requests import RequestContext, Requester, RequestTable, serve_requests

ACTOR = Actor(user_id="user")


@pytest.fixture
async def nats(tmp_path) -> AsyncIterator[EmbeddedNats]:
    async with EmbeddedNats(tmp_path / "nats") as server:
        yield server


@pytest.fixture
async def broker(nats) -> AsyncIterator[NatsBroker]:
    broker = make_broker(nats.url, "test")
    client = await connect(broker)
    await ensure_topology(client.jetstream())
    yield broker
    await broker.stop()


async def test_a_request_is_answered_with_its_type(broker):
    table = RequestTable()
    group = SubscriberGroup(
        id=uuid4(), name="a", user_id="user", subscriber_count=2, created_at=datetime.now(UTC)
    )
    seen: list[str] = []

    @table.on(GetSubscriberGroup)
    async def get(request: GetSubscriberGroup, context: RequestContext) -> SubscriberGroup:
        seen.append(context.command_id)
        return group

    @table.on(RemoveTask)
    async def remove(request: RemoveTask, context: RequestContext) -> None:
        if request.id == group.id:
            raise ConflictError("in use", resource_id="x")
        msg = "boom"
        raise KeyError(msg)

    serve_requests(broker, table, service="dialer")
    await broker.start()
    requester = Requester(broker)
    assert await requester.ask(GetSubscriberGroup(actor=ACTOR, id=group.id), command_id="c1") == group
    assert seen == ["c1"]
    with pytest.raises(ConflictError) as refused:
        await requester.ask(RemoveTask(actor=ACTOR, id=group.id))
    assert refused.value.resource_id == "x"
    with pytest.raises(RefusedError, match="internal error"):
        await requester.ask(RemoveTask(actor=ACTOR, id=uuid4()))


async def test_a_request_that_nobody_answers_is_unavailable_in_time(broker):
    await broker.start()
    with pytest.raises(UnavailableError, match="dialer service did not answer within"):
        await Requester(broker).ask(GetSubscriberGroup(actor=ACTOR, id=uuid4()), timeout=0.3)


async def test_a_service_that_comes_back_in_time_answers(nats, broker):
    await broker.start()
    asking = asyncio.create_task(Requester(broker).ask(RemoveTask(actor=ACTOR, id=uuid4()), timeout=10))
    other = make_broker(nats.url, "late")
    await connect(other)
    table = RequestTable()

    @table.on(RemoveTask)
    async def remove(request: RemoveTask, context: RequestContext) -> None:
        return None

    serve_requests(other, table, service="dialer")
    await other.start()
    assert await asking is None
    await other.stop()


async def test_objects_come_back_as_they_were(broker, tmp_path):
    client = await broker.connect()
    objects = NatsObjectStore(client.jetstream())
    content = bytes(range(256)) * 4096

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 10_000):
            yield content[start : start + 10_000]

    ref = await objects.put(Bucket.UPLOADS, "one", pieces())
    assert ref.size == len(content)
    assert await objects.get(ref) == content
    assert b"".join([chunk async for chunk in objects.stream(ref)]) == content
    await objects.fetch(ref, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == content
    empty = await objects.put(Bucket.UPLOADS, "empty", b"")
    assert await objects.get(empty) == b""
    assert sorted(await objects.names(Bucket.UPLOADS)) == ["empty", "one"]
    assert await objects.names(Bucket.LISTS) == []
    await objects.remove(ref)
    await objects.remove(ref)
    assert await objects.names(Bucket.UPLOADS) == ["empty"]
    with pytest.raises(ObjectMissingError):
        await objects.get(ref)
    with pytest.raises(ObjectMissingError):
        await objects.get(ObjectRef(bucket=Bucket.LISTS, name="never", size=1))


async def test_an_object_whose_content_is_gone_is_missing_at_once(broker):
    js = (await broker.connect()).jetstream()
    objects = NatsObjectStore(js)
    ref = await objects.put(Bucket.UPLOADS, "one", b"content")
    await js.purge_stream(f"OBJ_{Bucket.UPLOADS}", subject=f"$O.{Bucket.UPLOADS}.C.>")
    async with asyncio.timeout(10):
        with pytest.raises(ObjectMissingError):
            await objects.get(ref)


async def test_an_object_with_other_content_is_not_given_out(broker):
    js = (await broker.connect()).jetstream()
    objects = NatsObjectStore(js)
    ref = await objects.put(Bucket.UPLOADS, "one", b"content")
    nuid = (await (await js.object_store(Bucket.UPLOADS)).get_info("one")).nuid
    await js.purge_stream(f"OBJ_{Bucket.UPLOADS}", subject=f"$O.{Bucket.UPLOADS}.C.>")
    await js.publish(f"$O.{Bucket.UPLOADS}.C.{nuid}", b"another")
    with pytest.raises(BrokerError, match="its content is not what was stored"):
        await objects.get(ref)


async def test_the_topology_can_be_made_again_and_survives_a_crash(nats, broker):
    client = await broker.connect()
    js = client.jetstream()
    await ensure_topology(js)
    await js.publish("run.a.life", b"1")
    await nats.kill()
    await nats.restart()
    async with asyncio.timeout(20):
        while not client.is_connected:
            await asyncio.sleep(0.05)
    await ensure_topology(js)
    assert (await js.stream_info("RUNS")).state.messages == 1


async def test_a_handler_is_told_for_how_long_its_answer_is_of_use_l10(broker):
    table = RequestTable()
    left: list[float] = []

    @table.on(RemoveTask)
    async def remove(request: RemoveTask, context: RequestContext) -> None:
        assert context.deadline is not None
        left.append(context.deadline - asyncio.get_running_loop().time())

    serve_requests(broker, table, service="dialer")
    await broker.start()
    request = RemoveTask(actor=ACTOR, id=uuid4())
    await Requester(broker).ask(request, timeout=5)
    await Requester(broker).ask(request, timeout=5, wait=60)
    assert 4 < left[0] <= 5
    assert 59 < left[1] <= 60
