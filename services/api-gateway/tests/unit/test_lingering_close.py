"""An early answer to a request whose body has not arrived closes the connection, but not at once."""

import asyncio
from typing import Any

import pytest

from cato_gateway.http import middleware
from cato_gateway.http.middleware import LingeringClose

PIECE = {"type": "http.request", "body": b"x" * 1000, "more_body": True}
LAST = {"type": "http.request", "body": b"x", "more_body": False}


async def refuse(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 413, "headers": []})
    await send({"type": "http.response.body", "body": b"too large"})


async def accept(scope, receive, send) -> None:
    while (await receive()).get("more_body"):
        pass
    await refuse(scope, receive, send)


class Client:
    """The other end of a request: it sends messages when it is allowed to, and records the answer."""

    def __init__(self, *messages: dict[str, Any], endless: bool = False, **headers: str) -> None:
        self.scope = {
            "type": "http",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }
        self.left = list(messages)
        self.endless = endless
        self.answer: list[dict[str, Any]] = []
        self.reads = 0
        self.answered = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        self.reads += 1
        await asyncio.sleep(0)
        if self.left:
            return self.left.pop(0)
        if self.endless:
            return PIECE
        return await asyncio.Event().wait()  # type: ignore[return-value]  # it never comes

    async def send(self, message: dict[str, Any]) -> None:
        self.answer.append(message)
        if message.get("body"):
            self.answered.set()

    async def ask(self, app) -> None:
        async with asyncio.timeout(10):
            await LingeringClose(app)(self.scope, self.receive, self.send)

    @property
    def closes(self) -> bool:
        return (b"connection", b"close") in self.answer[0]["headers"]

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.answer[1:])


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(middleware, "_LINGER_S", 0.2)


async def test_a_request_without_a_body_keeps_its_connection():
    client = Client()
    await client.ask(refuse)
    assert not client.closes
    assert client.reads == 0


async def test_a_body_that_the_application_has_read_keeps_the_connection():
    client = Client(PIECE, LAST, content_length="1001")
    await client.ask(accept)
    assert not client.closes


async def test_a_body_that_has_arrived_is_dropped_and_keeps_the_connection():
    client = Client(PIECE, LAST, content_length="1001")
    await client.ask(refuse)
    assert not client.closes
    assert client.left == []


async def test_an_endless_body_is_dropped_for_a_while_after_the_answer_and_then_cut_off():
    client = Client(endless=True, transfer_encoding="chunked")
    await client.ask(refuse)
    assert client.closes
    assert client.body == b"too large"
    assert [message.get("more_body", False) for message in client.answer[1:]] == [True, False]
    assert client.reads > 1


async def test_the_answer_is_sent_before_the_rest_of_the_body_is_waited_for():
    client = Client(PIECE, content_length="5000")
    asking = asyncio.create_task(client.ask(refuse))
    async with asyncio.timeout(5):
        await client.answered.wait()
    assert not asking.done()
    await asking
    assert client.answer[-1] == {"type": "http.response.body", "body": b""}


async def test_a_client_that_waits_for_100_continue_gets_the_answer_and_sends_nothing():
    client = Client(content_length="5000", expect="100-continue")
    await client.ask(refuse)
    assert client.closes
    assert client.reads == 0


async def test_a_disconnect_ends_the_wait():
    client = Client(PIECE, {"type": "http.disconnect"}, content_length="5000")
    await client.ask(refuse)
    assert client.body == b"too large"
