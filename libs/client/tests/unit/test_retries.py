"""Retries: the requests that are retried, their key, and the errors that are raised."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from cato_client import (
    ApiError,
    AsyncClient,
    Client,
    ConflictError,
    InvalidError,
    NotFoundError,
    Patience,
    UnreachableError,
    operations,
)
from cato_client.models import Settings

SETTINGS = Settings(name="s", attempt_count=1, success_condition="PICKUP_PHONE")
KEPT = {
    "id": str(uuid4()),
    "userId": "user",
    "name": "s",
    "attemptCount": 1,
    "successCondition": "PICKUP_PHONE",
    "newField": "of a later version",
}


class Server:
    """Answers in turn; an exception is raised."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, **options) -> Client:
        return Client(
            "http://cato", "secret", transport=httpx.MockTransport(self), sleep=self.slept.append, **options
        )


def refused(status: int, **fields) -> httpx.Response:
    body = {"timestamp": 1, "status": status, "error": "e", "path": "/p", "message": "why", **fields}
    return httpx.Response(status, json=body)


def lost() -> httpx.TransportError:
    return httpx.ReadError("connection reset")


def test_a_temporary_failure_is_retried_with_the_same_key():
    server = Server(lost(), refused(503), httpx.Response(200, json=KEPT, headers={"ETag": '"1"'}))
    with server.client() as client:
        kept = client.do(operations.add_notification_settings(SETTINGS))
    assert (kept.name, kept.etag) == ("s", '"1"')
    keys = {request.headers["Idempotency-Key"] for request in server.requests}
    assert len(server.requests) == 3
    assert len(keys) == 1
    assert {request.headers["Authorization"] for request in server.requests} == {"Bearer plain:secret"}
    assert len({request.content for request in server.requests}) == 1


def test_each_operation_has_one_key_however_often_it_is_sent():
    server = Server(*(httpx.Response(200, json=KEPT) for _ in range(3)))
    with server.client() as client:
        first = operations.add_notification_settings(SETTINGS)
        for operation in (first, first, operations.add_notification_settings(SETTINGS)):
            client.do(operation)
    keys = [request.headers["Idempotency-Key"] for request in server.requests]
    assert keys[0] == keys[1] != keys[2]


def test_waits_grow_and_retry_after_is_respected():
    busy = httpx.Response(503, headers={"Retry-After": "3"})
    server = Server(lost(), lost(), lost(), busy, httpx.Response(204))
    with server.client(patience=Patience(first_s=0.1, longest_s=5)) as client:
        client.do(operations.remove_task(uuid4()))
    assert all(low <= wait <= 2 * low for low, wait in zip((0.05, 0.1, 0.2), server.slept, strict=False))
    assert server.slept[3] == 3


@pytest.mark.parametrize(
    ("status", "kind"), [(400, InvalidError), (404, NotFoundError), (409, ConflictError), (500, ApiError)]
)
def test_a_permanent_rejection_is_not_retried(status, kind):
    server = Server(refused(status, resourceId="r"))
    with server.client() as client, pytest.raises(kind) as raised:
        client.do(operations.start_task(uuid4()))
    assert (raised.value.status, raised.value.message, raised.value.resource_id) == (status, "why", "r")
    assert server.slept == []


def test_retries_end_with_the_patience():
    server = Server(*(lost() for _ in range(1)), *(refused(503) for _ in range(1)))
    with server.client(patience=Patience(total_s=0)) as client:
        with pytest.raises(UnreachableError):
            client.do(operations.get_task(uuid4()))
        with pytest.raises(ApiError) as raised:
            client.do(operations.get_task(uuid4()))
    assert raised.value.status == 503


def test_a_retried_removal_of_a_removed_resource_succeeds():
    server = Server(lost(), refused(404), refused(404))
    with server.client() as client:
        client.do(operations.remove_task(uuid4()))
        with pytest.raises(NotFoundError):
            client.do(operations.remove_task(uuid4()))


def test_an_error_of_a_proxy_is_an_api_error():
    server = Server(httpx.Response(403, text="<html>"))
    with server.client() as client, pytest.raises(ApiError, match="403: Forbidden"):
        client.do(operations.get_task(uuid4()))


async def test_the_asynchronous_client_does_the_same():
    server = Server(lost(), refused(503), httpx.Response(200, json=KEPT))

    async def sleep(seconds: float) -> None:
        server.slept.append(seconds)

    transport = httpx.MockTransport(server)
    async with AsyncClient("http://cato/", "secret", transport=transport, sleep=sleep) as client:
        assert (await client.do(operations.add_notification_settings(SETTINGS))).name == "s"
    assert len({request.headers["Idempotency-Key"] for request in server.requests}) == 1
    assert len(server.slept) == 2
    assert str(server.requests[0].url) == "http://cato/api/v1/notification-settings"


def pages() -> Iterator[httpx.Response]:
    yield httpx.Response(200, json={"items": [KEPT, KEPT], "nextCursor": "c"})
    yield httpx.Response(200, json={"items": [KEPT], "nextCursor": None})


async def test_collections_are_read_page_by_page():
    server = Server(*pages())
    with server.client() as client:
        found = client.each(lambda cursor: operations.list_notification_settings(cursor=cursor))
        assert len(list(found)) == 3
    assert [request.url.params.get("cursor") for request in server.requests] == [None, "c"]
    server = Server(*pages())
    async with AsyncClient("http://cato", "t", transport=httpx.MockTransport(server)) as client:
        found = client.each(lambda cursor: operations.list_notification_settings(cursor=cursor))
        assert len([item async for item in found]) == 3
