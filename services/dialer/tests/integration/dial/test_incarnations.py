"""Names and incarnations of dial processes, on a real broker."""

from collections.abc import Awaitable, Callable

import pytest
from nats.aio.client import Client

from cato_contracts.errors import TemporaryError
from cato_contracts.subjects import LEASES
from cato_dialer.dial.adapters.nats.incarnations import claim
from cato_jetstream import Bucket

Connect = Callable[[], Awaitable[Client]]


def leases(client: Client) -> Bucket:
    return Bucket(client.jetstream(), LEASES.name)


async def test_restarted_process_is_a_newer_incarnation_of_its_name(connect: Connect) -> None:
    first_client, client = await connect(), await connect()
    first = await claim(first_client, leases(first_client), "dialer-1")
    assert await first.newest("dialer-1") == first.own.incarnation
    await first_client.close()
    second = await claim(client, leases(client), "dialer-1")
    assert second.own.incarnation > first.own.incarnation
    assert await second.newest("dialer-1") == second.own.incarnation
    assert await second.newest("dialer-2") == 0


async def test_process_does_not_start_under_the_name_of_a_running_one(connect: Connect) -> None:
    running, other = await connect(), await connect()
    await claim(running, leases(running), "dialer-1")
    with pytest.raises(TemporaryError, match="another dialer runs under the name dialer-1"):
        await claim(other, leases(other), "dialer-1")
