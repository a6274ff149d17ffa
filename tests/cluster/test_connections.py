"""A service's connection to a cluster that wants a password, while servers go and come."""

import asyncio

from nats.js.api import StreamInfo

from cato_contracts.errors import BrokerError
from cato_contracts.subjects import RUNS
from cato_jetstream import translated
from cato_runtime.broker import connect, make_broker

DEADLINE_S = 20.0


async def until_answered(client) -> StreamInfo:
    """Ask until the cluster answers; a leader that was lost takes some seconds to be replaced."""
    js = client.jetstream(timeout=1)
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                with translated():
                    return await js.stream_info(RUNS.name)
            except BrokerError:
                await asyncio.sleep(0.05)


async def test_a_client_that_knows_one_server_goes_on_at_the_others_while_that_one_is_down(cluster):
    broker = make_broker(cluster.url(0), "service")
    client = await connect(broker)
    cluster.servers[0].kill()
    await until_answered(client)
    assert client.connected_url.port != int(cluster.url(0).rpartition(":")[2])
    await broker.stop()


async def test_a_client_comes_back_after_each_server_was_restarted_in_turn(cluster):
    broker = make_broker(cluster.url(0), "service")
    client = await connect(broker)
    for server in cluster.servers:
        await asyncio.to_thread(server.stop)
        await until_answered(client)
        await asyncio.to_thread(server.restart)
    info = await until_answered(client)
    assert info.config.num_replicas == 3
    assert not client.is_closed
    await broker.stop()
