"""The live stream of an execution: its events, their times, several clients, and its end."""

import asyncio
import json
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from cato_contracts.api.status import RunState
from cato_contracts.errors import UnavailableError
from cato_gateway.errors import BrokenOffError
from cato_gateway.run_watches import RunWatches
from tests.support.gateway.connection import Connection

API = "/api/v1"
RETRY = b"retry: 1000\n\n"
DEADLINE_S = 5


@dataclass
class Clock:
    """A clock that a test moves forward."""

    asked: list[float] = field(default_factory=list)
    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def pause(self, seconds: float) -> None:
        self.asked.append(seconds)
        self.waiting.append(asyncio.get_running_loop().create_future())
        self.changed.set()
        await self.waiting[-1]

    async def tick(self, sleepers: int) -> None:
        """Wait until this many tasks wait on the clock, then let the time pass."""
        async with asyncio.timeout(DEADLINE_S):
            while len(self.waiting) < sleepers:
                self.changed.clear()
                await self.changed.wait()
        assert len(self.waiting) == sleepers
        waiting, self.waiting = self.waiting, []
        for each in waiting:
            if not each.cancelled():
                each.set_result(None)


@pytest.fixture
def clock(stack):
    clock = Clock()
    stack.deps.watches = RunWatches(stack.services, pause=clock.pause)
    return clock


@pytest.fixture
def run_id(ids):
    return UUID(ids["exec"])


def stream(stack, run_id, **headers):
    return Connection(stack.app, f"{API}/task-execs/{run_id}/stream", **headers)


def read(event: bytes | None) -> tuple[str, dict[str, object], str]:
    """Return name, data and id of an event."""
    assert event is not None
    fields = dict(line.split(": ", 1) for line in event.decode().removesuffix("\n\n").split("\n"))
    return fields["event"], json.loads(fields["data"]), fields["id"]


def questions(stack):
    return sum(envelope.type == "GetTaskExec" for envelope in stack.services.asked)


async def test_a_report_is_sent_at_once_and_after_every_change(stack, clock, run_id):
    async with stream(stack, run_id) as connection:
        assert connection.status == 200
        assert connection.headers["content-type"].startswith("text/event-stream")
        assert connection.headers["cache-control"] == "no-store"
        assert connection.headers["x-accel-buffering"] == "no"
        assert await connection.piece() == RETRY
        name, data, first = read(await connection.piece())
        assert (name, data["subscriberCount"], data["callsTotal"]) == ("report", 5, 0)
        await clock.tick(2)  # the question and the client wait alike
        await clock.tick(1)  # nothing has changed: only the next question waits
        stack.services.run_on(run_id, calls_total=1)
        await clock.tick(1)
        name, data, second = read(await connection.piece())
        assert (name, data["callsTotal"]) == ("report", 1)
        assert first != second
        whole = await stack.services.ask(stack.services.asked[-1].body)
        assert data == whole.report.model_dump(mode="json", by_alias=True)
    assert set(clock.asked) == {0.25}


async def test_the_end_event_is_the_last(stack, clock, run_id):
    async with stream(stack, run_id) as connection:
        assert await connection.piece() == RETRY
        read(await connection.piece())
        stack.services.run_on(run_id, active_phase=False, state=RunState.FINISHED, calls_total=7)
        await clock.tick(2)
        report, end = read(await connection.piece()), read(await connection.piece())
        assert (report[0], end[0], end[2]) == ("report", "end", "end")
        assert end[1] == report[1]
        assert end[1]["callsTotal"] == 7
        assert await connection.piece() is None
    assert stack.deps.watches.runs == set()


async def test_a_finished_run_sends_report_and_end_at_once(client, stack, clock, ids):
    answer = await client.get(f"{API}/task-execs/{ids['ended']}/stream")
    events = [read(f"{text}\n\n".encode()) for text in answer.text.split("\n\n")[1:-1]]
    assert [name for name, _, _ in events] == ["report", "end"]
    assert events[0][1] == events[1][1]
    assert "content-encoding" not in answer.headers
    assert clock.asked == []


async def test_a_client_that_has_the_end_is_answered_with_204(client, ids):
    path = f"{API}/task-execs/{ids['ended']}/stream"
    answer = await client.get(path, headers={"Last-Event-ID": "end"})
    assert (answer.status_code, answer.content) == (204, b"")
    again = await client.get(path, headers={"Last-Event-ID": "0123456789abcdef"})
    assert "event: end" in again.text


async def test_many_watchers_share_one_query(stack, clock, run_id):
    async with stream(stack, run_id) as one, stream(stack, run_id, token="admin") as two:
        for connection in (one, two):
            await connection.piece()
            read(await connection.piece())
        before = questions(stack)
        assert stack.deps.watches.runs == {run_id}
        stack.services.run_on(run_id, calls_total=1)
        await clock.tick(3)
        for connection in (one, two):
            assert read(await connection.piece())[1]["callsTotal"] == 1
        assert questions(stack) == before + 1
        await two.go_away()
        assert stack.deps.watches.runs == {run_id}
    assert stack.deps.watches.runs == set()


async def test_a_later_watcher_gets_the_latest_report(stack, clock, run_id):
    async with stream(stack, run_id) as one:
        await one.piece()
        read(await one.piece())
        stack.services.run_on(run_id, calls_total=1)
        await clock.tick(2)
        read(await one.piece())
        async with stream(stack, run_id) as two:
            await two.piece()
            assert read(await two.piece())[1]["callsTotal"] == 1


async def test_a_slow_client_gets_the_newest_report_and_no_backlog(stack, clock, run_id):
    async with stream(stack, run_id) as connection:
        await connection.piece()
        for total in (1, 2, 3):
            stack.services.run_on(run_id, calls_total=total)
            await clock.tick(1)  # the client does not wait yet: it has not taken the first
        assert read(await connection.piece())[1]["callsTotal"] == 0
        stack.services.run_on(run_id, calls_total=4)
        await clock.tick(2)
        assert read(await connection.piece())[1]["callsTotal"] in {3, 4}
        await clock.tick(2)
        stack.services.run_on(run_id, calls_total=5)
        await clock.tick(1)
        assert read(await connection.piece())[1]["callsTotal"] in {4, 5}


async def test_a_changed_eta_alone_is_not_sent(stack, clock, run_id):
    async with stream(stack, run_id) as connection:
        await connection.piece()
        read(await connection.piece())
        await clock.tick(2)
        run = stack.services.runs[run_id]
        stack.services.run_on(run_id, eta=run.started_at)
        await clock.tick(1)
        await clock.tick(1)
        stack.services.run_on(run_id, calls_total=1)
        await clock.tick(1)
        assert read(await connection.piece())[1]["callsTotal"] == 1


async def test_a_stream_survives_an_outage_of_reporting(stack, clock, run_id):
    async with stream(stack, run_id) as connection:
        await connection.piece()
        read(await connection.piece())
        await clock.tick(2)
        stack.services.failures += [UnavailableError("the reporting service did not answer within 10 s")] * 2
        stack.services.run_on(run_id, calls_total=1)
        await clock.tick(1)
        await clock.tick(1)
        assert stack.services.failures == []
        await clock.tick(1)
        assert read(await connection.piece())[1]["callsTotal"] == 1


async def test_comments_are_sent_during_silence(stack, run_id):
    clock = Clock()
    stack.deps.watches = RunWatches(stack.services, keep_alive_s=0.001, pause=clock.pause)
    async with stream(stack, run_id) as connection:
        await connection.piece()
        read(await connection.piece())
        await clock.tick(2)
        assert await connection.piece() == b": still here\n\n"
        assert await connection.piece() == b": still here\n\n"


async def test_a_stopping_gateway_closes_streams_without_an_end_event(stack, clock, run_id):
    async with stream(stack, run_id) as connection:
        await connection.piece()
        read(await connection.piece())
        await clock.tick(2)
        stack.deps.watches.close()
        assert await connection.piece() is None
    async with stream(stack, run_id) as late:
        assert (await late.piece(), await late.piece()) == (RETRY, None)
    assert stack.deps.watches.runs == set()


async def test_a_failed_watch_closes_the_connection(stack, clock, run_id):
    async with stream(stack, run_id) as connection:
        await connection.piece()
        read(await connection.piece())
        stack.services.failures.append(KeyError("a fault of ours"))
        await clock.tick(2)
        with pytest.raises(BrokenOffError):
            await connection.piece()


async def test_a_head_request_does_not_start_a_watch(client, stack, clock, run_id):
    answer = await client.head(f"{API}/task-execs/{run_id}/stream")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert clock.asked == []


async def test_a_watched_run_of_another_user_is_answered_with_404(client, stack, clock, run_id):
    async with stream(stack, run_id) as connection:
        await connection.piece()
        answer = await client.get(
            f"{API}/task-execs/{run_id}/stream", headers={"Authorization": "Bearer plain:stranger"}
        )
        assert answer.status_code == 404
