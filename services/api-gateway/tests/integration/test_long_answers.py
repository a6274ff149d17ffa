"""Exports and live streams through a gateway process, over a real broker and real connections."""

import asyncio
import json
import signal
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from cato_contracts.api.history import CallOutcome
from cato_contracts.api.status import RunState, TaskExec
from tests.support.gateway.resources import new_report

API = "/api/v1"
AT = datetime(2024, 3, 24, 8, 30, tzinfo=UTC)


@pytest.fixture
def run(services):
    run = TaskExec(
        id=uuid4(),
        task_id=uuid4(),
        user_id="user",
        started_at=AT,
        ended_at=None,
        report=new_report("t", 5),
    )
    services.runs[run.id] = run
    return run


@pytest.fixture
def calls(services, run):
    services.history.piece_size = 512 * 1024
    for no in range(2000):
        services.history.add_call(run, AT + timedelta(seconds=no), outcome=CallOutcome.SUCCEEDED)
    return services.history.calls


async def test_an_export_arrives_complete(services, calls, gateway, connected):
    async with gateway() as process, connected(process) as client:
        answer = await client.get(f"{API}/calls/export?format=jsonl", headers={"Accept-Encoding": "identity"})
        rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [row["id"] for row in rows] == [str(call.id) for call in calls]
    assert services.history.taken == [0, 1, 2]


async def test_a_lost_export_is_an_incomplete_answer(services, calls, gateway, connected):
    services.history.broken_at = 2
    path = f"{API}/calls/export?format=jsonl"
    async with gateway() as process, connected(process) as client:
        for encoding in ("identity", "gzip"):
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get(path, headers={"Accept-Encoding": encoding})


async def test_a_disconnecting_client_ends_its_export(services, calls, gateway, connected):
    async with gateway() as process, connected(process) as client:
        async with client.stream("GET", f"{API}/calls/export?format=jsonl") as answer:
            await anext(answer.aiter_raw())
        async with asyncio.timeout(5):
            await services.history.let_go.wait()
    assert services.history.exports == {}


async def next_event(lines, name):
    async for line in lines:
        if line == f"event: {name}":
            return json.loads((await anext(lines)).removeprefix("data: "))
    raise AssertionError(f"no event {name}")


async def test_a_run_is_followed_to_its_end(services, run, gateway, connected):
    path = f"{API}/task-execs/{run.id}/stream"
    async with gateway() as process, connected(process) as client, client.stream("GET", path) as answer:
        assert "content-encoding" not in answer.headers
        lines = answer.aiter_lines()
        assert (await next_event(lines, "report"))["callsTotal"] == 0
        services.run_on(run.id, calls_total=3)
        assert (await next_event(lines, "report"))["callsTotal"] == 3
        services.run_on(run.id, active_phase=False, state=RunState.STOPPED)
        assert (await next_event(lines, "end"))["state"] == "STOPPED"
        assert [line async for line in lines if line] == []


async def test_sigterm_ends_a_stream_at_once_and_without_an_end(run, gateway, connected):
    path = f"{API}/task-execs/{run.id}/stream"
    async with gateway() as process, connected(process) as client, client.stream("GET", path) as answer:
        lines = answer.aiter_lines()
        await next_event(lines, "report")
        process.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(5):
            rest = [line async for line in lines if line]
            assert (await process.ended())[0] == 0
    assert [line for line in rest if line.startswith("event")] == []
