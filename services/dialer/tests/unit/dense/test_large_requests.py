"""A request above 1300 bytes to a UDP station: over TCP if it connects at once, else over UDP."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, closing, contextmanager, suppress

import pytest

from cato_dialer.dial.adapters.dense.sip.messages.message import Received, parse
from cato_dialer.dial.domain.station import Credentials
from services.dialer.tests.support.trunk.endpoint_rig import SDP, Rig, open_rig

LONG = Credentials("u" * 1_000, "secret", "*")
CHALLENGE = 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"'


async def challenged(rig: Rig) -> Rig:
    """Start a call whose INVITE is challenged; the next one is large."""
    call = rig.another_call(LONG)
    call.call.start()
    invite = await rig.station.next("INVITE")
    rig.station.respond(invite, "401 Unauthorized", CHALLENGE)
    await rig.station.next("ACK")
    return call


async def large_invite(rig: Rig) -> Received:
    invite = await rig.station.next("INVITE")
    assert invite.header("Authorization")
    return invite


async def test_t13_a_large_request_uses_udp_if_tcp_is_refused(rig: Rig):
    call = await challenged(rig)
    invite = await large_invite(rig)
    assert (invite.header("Via") or "").startswith("SIP/2.0/UDP ")
    rig.station.respond(invite, "200 OK", "Content-Type: application/sdp", body=SDP)
    await call.told.until("answered")


@pytest.fixture
async def with_tcp() -> AsyncIterator[tuple[Rig, socket.socket]]:
    """A station whose port is open for TCP too; the test decides what is done with connections."""
    async with AsyncExitStack() as stack:
        for _ in range(20):
            rig = await stack.enter_async_context(open_rig())
            tcp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            try:
                tcp.bind(("127.0.0.1", rig.station.port))
            except OSError:
                continue  # another socket has this TCP port
            yield rig, tcp
            return
        pytest.fail("no port is free for UDP and TCP")


@contextmanager
def full_queue(port: int) -> Iterator[None]:
    """Fill the queue of connections to accept: the kernel drops further ones, as a packet filter would."""
    with ExitStack() as stack:
        for _ in range(4):
            waiting = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield


async def test_t13_a_large_request_uses_udp_if_tcp_has_no_answer(with_tcp: tuple[Rig, socket.socket]):
    rig, tcp = with_tcp
    tcp.listen(0)
    with full_queue(rig.station.port):
        loop = asyncio.get_running_loop()
        call = await challenged(rig)
        began = loop.time()
        invite = await large_invite(rig)
        assert 0.4 < loop.time() - began < 3
        rig.station.respond(invite, "486 Busy Here")
        await call.told.until("rejected")
        await challenged(rig)
        began = loop.time()
        await large_invite(rig)
        assert loop.time() - began < 0.4  # the station is known to have no TCP


async def test_t13_a_call_hung_up_before_the_large_request_is_sent_is_not_made(
    with_tcp: tuple[Rig, socket.socket],
):
    rig, tcp = with_tcp
    tcp.listen(0)
    with full_queue(rig.station.port):
        call = await challenged(rig)
        call.call.hang_up()
        assert call.told.names == ["hung_up"]
        other = await challenged(rig)
        invite = await large_invite(rig)
        assert invite.call_id == other.call.identity.call_id


async def test_t13_a_large_request_uses_tcp_if_the_station_connects(with_tcp: tuple[Rig, socket.socket]):
    rig, tcp = with_tcp
    received: asyncio.Queue[tuple[Received, asyncio.StreamWriter]] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError), closing(writer):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
                received.put_nowait((parse(head + await reader.readexactly(length)), writer))

    server = await asyncio.start_server(serve, sock=tcp)
    call = await challenged(rig)
    async with asyncio.timeout(5):
        invite, writer = await received.get()
    assert (invite.method, (invite.header("Via") or "").split()[0]) == ("INVITE", "SIP/2.0/TCP")
    writer.write(rig.station.respond(invite, "180 Ringing"))
    await call.told.until("ringing")
    call.call.hang_up()
    async with asyncio.timeout(5):
        cancel, _ = await received.get()
    assert (cancel.method, cancel.branch) == ("CANCEL", invite.branch)
    server.close()
