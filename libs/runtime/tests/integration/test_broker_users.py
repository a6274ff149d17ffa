"""The users of the broker on a real server: what each is refused, and what the log says of it."""

import asyncio
from contextlib import asynccontextmanager

import nats
import pytest
from nats.errors import TimeoutError as NatsTimeoutError
from structlog.testing import capture_logs

from cato_contracts.subjects import AUDIT_CHANGES
from cato_runtime.access.nats_users import nats_users
from cato_runtime.access.permissions import BrokerUser, inbox_prefix
from cato_runtime.broker import connect, ensure_topology, make_broker
from cato_runtime.process.embedded_nats import EmbeddedNats
from tests.support.nats_server import until_read

PASSWORD = "secret"
PATIENCE_S = 30
RUN = "00000000-0000-0000-0000-000000000001"


@pytest.fixture
async def server(tmp_path):
    async with EmbeddedNats(tmp_path / "nats", users=nats_users(PASSWORD, unlimited="tests")) as running:
        yield running


def url_of(server, user):
    return server.url.replace("://", f"://{user}:{PASSWORD}@")


@asynccontextmanager
async def client_of(server, user, errors):
    async def note(error):
        errors.put_nowait(str(error))

    client = await nats.connect(url_of(server, user), inbox_prefix=inbox_prefix(user), error_cb=note)
    try:
        yield client
    finally:
        await client.close()


REFUSED = [
    (BrokerUser.MEDIA, f"run.{RUN}.call.1"),
    (BrokerUser.MEDIA, "ev.task.1"),
    (BrokerUser.GATEWAY, f"run.{RUN}.call.1"),
    (BrokerUser.GATEWAY, f"run.{RUN}.life"),
    (BrokerUser.GATEWAY, f"dial.{RUN}.1.1"),
    (BrokerUser.GATEWAY, "$JS.API.STREAM.MSG.GET.RUNS"),
    (BrokerUser.GATEWAY, "$JS.API.STREAM.MSG.DELETE.AUDIT"),
    (BrokerUser.CAMPAIGN, f"run.{RUN}.call.1"),
    (BrokerUser.CAMPAIGN, "$JS.API.CONSUMER.DELETE.RUNS.reporting"),
    (BrokerUser.DIAL, f"run.{RUN}.life"),
    (BrokerUser.DIAL, "audit.changes"),
    (BrokerUser.REPORTING, "run.1.call.1"),
    (BrokerUser.REPORTING, "$JS.API.STREAM.PURGE.EVENTS"),
    (BrokerUser.OPERATOR, "$JS.API.STREAM.PURGE.AUDIT"),
    *((user, "$JS.API.STREAM.DELETE.AUDIT") for user in BrokerUser),
]


async def test_each_user_is_refused_what_is_not_its_own(server):
    for user in BrokerUser:
        errors = asyncio.Queue()
        async with client_of(server, user, errors) as client, asyncio.timeout(PATIENCE_S):
            for subject in (each for who, each in REFUSED if who is user):
                await client.publish(subject, b"{}")
                assert f'permissions violation for publish to "{subject.lower()}"' in await errors.get()
            # The answers to others, and everything of the system account.
            for subject in ("_INBOX.>", f"{inbox_prefix('tests')}.>", "$SYS.>", ">"):
                await client.subscribe(subject)
                expected = f'permissions violation for subscription to "{subject.lower()}"'
                assert expected in await errors.get()


async def test_a_service_makes_the_streams_and_is_answered_and_no_more(server):
    broker = make_broker(url_of(server, BrokerUser.GATEWAY), "gateway")
    other = make_broker(url_of(server, BrokerUser.MEDIA), "media")
    with capture_logs() as logs:
        try:
            client, media = await connect(broker), await connect(other)
            js = client.jetstream(timeout=PATIENCE_S)
            await ensure_topology(js)
            stored = await js.publish(AUDIT_CHANGES, b"a change", stream="AUDIT")
            assert stored.seq == 1

            async def answer(message):
                await message.respond(b"yes")

            await media.subscribe("qry.media.GetAudioFile", queue="media", cb=answer)
            await until_read(media)
            assert (await client.request("qry.media.GetAudioFile", b"", timeout=PATIENCE_S)).data == b"yes"
            assert logs == []
            for _ in range(2):
                with pytest.raises(NatsTimeoutError):
                    await client.request("$JS.API.STREAM.PURGE.AUDIT", b"", timeout=0.2)
            assert (await js.stream_info("AUDIT")).state.messages == 1
        finally:
            await broker.stop()
            await other.stop()
    assert logs == [
        {
            "event": "broker refuses a subject to the user of this service",
            "log_level": "error",
            "operation": "publish",
            "subject": "$js.api.stream.purge.audit",
        }
    ]


async def test_a_service_answers_after_the_broker_was_restarted(server):
    broker = make_broker(url_of(server, BrokerUser.GATEWAY), "gateway")
    other = make_broker(url_of(server, BrokerUser.MEDIA), "media")
    try:
        client, media = await connect(broker), await connect(other)
        received = asyncio.Queue()
        await media.subscribe("qry.media.GetAudioFile", queue="media", cb=received.put)
        await until_read(media)
        answers = await client.subscribe(client.new_inbox())
        await client.publish("qry.media.GetAudioFile", b"", reply=answers.subject)
        async with asyncio.timeout(PATIENCE_S):
            request = await received.get()
            await server.kill()
            await server.restart()
            while not (client.is_connected and media.is_connected):
                await asyncio.sleep(0.05)
            await until_read(client)
            await request.respond(b"yes")
            assert (await answers.next_msg(timeout=PATIENCE_S)).data == b"yes"
    finally:
        await broker.stop()
        await other.stop()
