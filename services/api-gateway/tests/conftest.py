from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from cato_contracts.api.status import RunState
from cato_runtime.configuration.config import Config, LimitsConfig, Permission, TokenConfig
from tests.support.gateway.stack import MemoryStack

READ, WRITE, RUN, ADMIN = Permission.READ, Permission.WRITE, Permission.RUN, Permission.ADMIN
ANALYST = Permission.ANALYST
TOKENS = (
    TokenConfig(token="default", user="user"),
    TokenConfig(token="reader", user="user", permissions=frozenset({READ})),
    TokenConfig(token="writer", user="user", permissions=frozenset({WRITE})),
    TokenConfig(token="stranger", user="stranger"),
    TokenConfig(token="analyst", user="analyst", permissions=frozenset({ANALYST})),
    TokenConfig(token="head", user="head", permissions=frozenset({READ, Permission.APPROVE})),
    TokenConfig(token="admin", user="root", permissions=frozenset({READ, WRITE, RUN, ADMIN})),
)
LIMITS = LimitsConfig(audio_bytes=10_000, json_bytes=20_000)


CONFIG = Config(tokens=TOKENS, limits=LIMITS)


@pytest.fixture(scope="session")
def app() -> FastAPI:
    return MemoryStack(CONFIG).app


@pytest.fixture
def stack(app: FastAPI) -> MemoryStack:
    return MemoryStack(CONFIG, app=app)


@pytest.fixture
async def client(stack: MemoryStack) -> AsyncIterator[httpx.AsyncClient]:
    async with stack.client() as client:
        yield client


@pytest.fixture
async def ids(stack: MemoryStack, client: httpx.AsyncClient) -> dict[str, str]:
    """One of everything: a task that is being executed, and an identifier that nothing has."""
    audio = await client.put(
        "/api/v1/audio-files/add/prompt",
        content=b"\xff\xfb" + bytes(998),
        headers={"Content-Type": "application/octet-stream"},
    )
    group = await client.put(
        "/api/v1/subscriber-groups/add/people",
        json=[{"fullName": f"Person {no}", "phones": str(776_400 + no)} for no in range(5)],
    )
    settings = await client.post(
        "/api/v1/notification-settings",
        json={"name": "s", "attemptCount": 1, "successCondition": "PICKUP_PHONE"},
    )
    found = {"audio": audio.json()["id"], "group": group.json()["id"], "settings": settings.json()["id"]}
    task = await client.post(
        "/api/v1/tasks",
        json={
            "name": "t",
            "settings": found["settings"],
            "files": found["audio"],
            "groups": found["group"],
        },
    )
    found["task"] = task.json()["id"]
    start = await client.put(f"/api/v1/tasks/{found['task']}/start")
    found["exec"] = start.json()["taskExecId"]
    run = stack.services.runs[UUID(found["exec"])]
    ended = run.model_copy(update={"id": uuid4(), "ended_at": datetime(2024, 3, 24, 8, 32, tzinfo=UTC)})
    stack.services.runs[ended.id] = ended
    stack.services.run_on(ended.id, active_phase=False, state=RunState.FINISHED)
    found["ended"] = str(ended.id)
    call = stack.services.history.add_call(run, datetime(2024, 3, 24, 8, 30, tzinfo=UTC))
    found["call"] = str(call.id)
    found["unknown"] = str(uuid4())
    assert all(UUID(each) for each in found.values())
    return found


@pytest.fixture
def refused() -> Callable[..., None]:
    """Check an error to the last field: status, form, words of its message."""
    return _refused


def _refused(answer: httpx.Response, status: int, *words: str, resource_id: str | None = None) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    expected = {"timestamp", "status", "error", "path", "message"}
    assert body.keys() - {"resourceId", "services", "faults", "faultCount"} == expected
    assert isinstance(body["timestamp"], int)
    assert body["timestamp"] > 1_700_000_000_000
    assert body["status"] == status
    assert body["error"] == answer.reason_phrase
    assert body["path"] == answer.request.url.path
    for word in words:
        assert word in body["message"]
    if resource_id:
        assert body["resourceId"] == resource_id
