"""Connections are bounded, and one without a request makes room for a new one."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from cato_gateway.http.serving.connections import ConnectionLimits, ConnectionTable
from cato_gateway.http.serving.server import listen, make_server
from cato_gateway.settings import GatewaySettings

HEAD = b"GET /healthz HTTP/1.1\r\nHost: cato\r\n"


class Peer:
    def __init__(self, address: str) -> None:
        self.address = address
        self.closed = False

    def give_way(self) -> None:
        self.closed = True


def test_the_oldest_connection_without_a_request_makes_room_r0():
    table = ConnectionTable(ConnectionLimits(total=3, per_address=3, head_seconds=1))
    first, second, third, fourth = (Peer("a") for _ in range(4))
    assert all(table.admit(peer) for peer in (first, second, third))
    table.begin_request(first)
    assert table.admit(fourth)
    assert [peer.closed for peer in (first, second, third, fourth)] == [False, True, False, False]


def test_a_connection_is_refused_when_all_have_requests_r0():
    table = ConnectionTable(ConnectionLimits(total=2, per_address=2, head_seconds=1))
    busy = [Peer("a"), Peer("b")]
    for peer in busy:
        assert table.admit(peer)
        table.begin_request(peer)
    assert not table.admit(Peer("c"))
    table.remove(busy[0])
    assert table.admit(Peer("c"))
    assert not any(peer.closed for peer in busy)


def test_an_address_has_a_bound_of_its_own_r0():
    table = ConnectionTable(ConnectionLimits(total=10, per_address=2, head_seconds=1))
    other = Peer("b")
    assert table.admit(other)
    peers = [Peer("a") for _ in range(5)]
    assert all(table.admit(peer) for peer in peers)
    assert [peer.closed for peer in peers] == [True, True, True, False, False]
    assert not other.closed
    for peer in peers[3:]:
        table.begin_request(peer)
    assert not table.admit(Peer("a"))
    table.await_request(peers[3])
    assert table.admit(Peer("a"))


async def application(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def served(**settings):
    """Serve an application; yields a function that opens a connection."""
    listener = listen(GatewaySettings(port=0))
    server = make_server(application, GatewaySettings(**settings), 1)  # type: ignore[arg-type]
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield lambda: asyncio.open_connection(*listener.getsockname())
    finally:
        server.should_exit = True
        await serving


@pytest.mark.parametrize(("sent", "answer"), [(HEAD, b"HTTP/1.1 408 "), (b"", b"")])
async def test_an_unfinished_head_ends_after_a_time_r0(sent, answer):
    async with asyncio.timeout(10), served(head_timeout="PT0.2S") as connect:
        reader, writer = await connect()
        writer.write(sent)
        assert (await reader.read()).startswith(answer)
        writer.close()


async def test_a_connection_with_answered_requests_stays_open_longer_than_a_head_r0():
    async with asyncio.timeout(10), served(head_timeout="PT0.1S") as connect:
        reader, writer = await connect()
        for _ in range(3):
            writer.write(HEAD + b"\r\n")
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 ")
            await asyncio.sleep(0.15)
        writer.write(HEAD)
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_half_sent_requests_do_not_keep_others_out_r0():
    async with asyncio.timeout(20), served(connections=8, connections_per_address=8) as connect:
        half = [await connect() for _ in range(30)]
        for _, writer in half:
            writer.write(HEAD)
        reader, writer = await connect()
        writer.write(HEAD + b"\r\n")
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 ")
        for _, each in (*half, (reader, writer)):
            each.close()
