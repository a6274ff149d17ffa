"""Answers in pieces, and executions that are followed, by the client that waits and the one that does not."""

import json
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import httpx
import pytest

from cato_client import AsyncClient, Client, NotFoundError, Patience, UnreachableError, operations

RUN = uuid4()
NUMBERS = [
    "subscriberCount",
    "subscriberNotYetNotified",
    "subscriberNotified",
    "subscriberFailed",
    "callsTotal",
    "callsSucceeded",
    "callsFailed",
    "callsInProgress",
    "callsDelayed",
    "callsRinging",
    "callsTalking",
    "waveCurrent",
    "waveTotal",
]
BROKEN = object()


def event(name: str, calls: int) -> bytes:
    report = {**dict.fromkeys(NUMBERS, 0), "callsTotal": calls}
    report |= {"name": "a\u2028\x85b", "activePhase": name != "end", "state": "CALLING", "eta": None}
    return f"id: {calls}\nevent: {name}\ndata: {json.dumps(report, ensure_ascii=False)}\n\n".encode()


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, pieces: tuple[object, ...]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if piece is BROKEN:
                raise httpx.RemoteProtocolError("peer closed connection")
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


def comes(*pieces: object) -> httpx.Response:
    return httpx.Response(200, stream=Pieces(pieces))


class World:
    """A server that answers in turn, and a client of either kind."""

    def __init__(self, *, asynchronous: bool) -> None:
        self.asynchronous = asynchronous
        self.answers: list[httpx.Response | Exception] = []
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def everything(self, method: str, *of: object, **options: float) -> list[object]:
        """Return all that a method of the client yields."""
        found: list[object] = []
        transport = httpx.MockTransport(self._answer)
        patience = Patience(**options)
        if self.asynchronous:

            async def sleep(seconds: float) -> None:
                self.slept.append(seconds)

            async with AsyncClient(
                "http://cato", "t", transport=transport, sleep=sleep, patience=patience
            ) as client:
                found += [each async for each in getattr(client, method)(*of)]
        else:
            with Client(
                "http://cato", "t", transport=transport, sleep=self.slept.append, patience=patience
            ) as client:
                found += list(getattr(client, method)(*of))
        return found

    async def followed(self, **options: float) -> list[int]:
        return [report.calls_total for report in await self.everything("follow", RUN, **options)]


@pytest.fixture(params=[False, True], ids=["waiting", "asyncio"])
def world(request: pytest.FixtureRequest) -> World:
    return World(asynchronous=request.param)


async def test_an_export_comes_in_pieces(world):
    world.answers = [httpx.ReadError("reset"), httpx.Response(503), comes(b"a,b\n", b"1,2\n")]
    assert await world.everything("pieces", operations.export_calls()) == [b"a,b\n", b"1,2\n"]
    assert len(world.requests) == 3


async def test_a_broken_export_raises_and_is_not_restarted(world):
    world.answers = [comes(b"a,b\n", BROKEN)]
    with pytest.raises(UnreachableError, match="connection lost"):
        await world.everything("pieces", operations.export_calls())
    assert world.slept == []


async def test_a_rejected_export_raises_the_reason(world):
    world.answers = [httpx.Response(404, json={"message": "there is no such call"})]
    with pytest.raises(NotFoundError, match="no such call"):
        await world.everything("pieces", operations.export_calls())


async def test_an_execution_is_followed_to_its_end(world):
    stream = b"retry: 1000\n\n" + event("report", 0) + b": still here\n\n" + event("report", 2)
    stream += event("report", 3) + event("end", 3)
    world.answers = [comes(*(stream[at : at + 7] for at in range(0, len(stream), 7)))]
    assert await world.followed() == [0, 2, 3, 3]
    assert str(world.requests[0].url) == f"http://cato/api/v1/task-execs/{RUN}/stream"
    assert world.slept == []


@pytest.mark.parametrize("break_", [(), (BROKEN,), (b"event: report\ndata: {", BROKEN)])
async def test_a_stream_that_ends_early_is_reconnected(world, break_):
    world.answers = [
        comes(event("report", 1), *break_),
        httpx.ConnectError("refused"),
        comes(event("report", 1), event("report", 2), event("end", 2)),
    ]
    assert await world.followed() == [1, 2, 2]
    assert len(world.slept) == 2
    assert world.slept[0] >= 1


def run_event(calls: int) -> bytes:
    report = {**dict.fromkeys(NUMBERS, 0), "callsTotal": calls, "name": "a", "activePhase": True}
    run = {"id": str(RUN), "taskId": str(RUN), "userId": "user", "endedAt": None}
    run |= {"startedAt": "2024-03-24T08:30:00Z", "report": {**report, "state": "CALLING", "eta": None}}
    return f"event: run\ndata: {json.dumps(run)}\n\n".encode()


async def test_the_stream_of_all_goes_on_after_the_last_id_and_ends_with_the_token(world):
    synced = b'id: 5\nevent: synced\ndata: {"at":"2024-03-24T08:30:00Z"}\n\n'
    unfinished = b"id: 8\n"
    world.answers = [
        comes(run_event(1), synced, BROKEN),
        comes(run_event(2), b"id: 7\n: still here\n\n", unfinished, BROKEN),
        comes(b'event: end\ndata: {"reason":"TOKEN"}\n\n'),
    ]
    found = await world.everything("follow_all")
    assert [each and each.report.calls_total for each in found] == [1, None, 2]
    sent = [request.headers.get("Last-Event-ID") for request in world.requests]
    assert sent == [None, "5", "7"]
    assert {request.url.path for request in world.requests} == {"/api/v1/stream"}


async def test_a_server_that_does_not_return_is_unreachable(world):
    world.answers = [httpx.ConnectError("refused")]
    with pytest.raises(UnreachableError):
        await world.followed(total_s=0)


async def test_the_read_timeout_of_a_stream_is_longer_than_its_comment_interval(world):
    world.answers = [comes(event("end", 0))]
    await world.followed()
    assert world.requests[0].extensions["timeout"]["read"] == 45
