"""The stream of all executions: what it sends to whom, how it goes on after a break, and how it ends."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from cato_contracts.api.status import RunState
from cato_contracts.errors import UnavailableError
from cato_contracts.instants import unix_ms
from cato_gateway.errors import BrokenOffError
from cato_gateway.run_board import RunBoard
from cato_runtime.configuration.config import Permission, TokenConfig
from tests.support.gateway.connection import Connection

PATH = "/api/v1/stream"
RETRY = b"retry: 1000\n\n"


@pytest.fixture
def board(stack):
    stack.deps.board = RunBoard(stack.services, interval_s=0.001)
    return stack.deps.board


@pytest.fixture
def run_id(ids):
    return UUID(ids["exec"])


def stream(stack, query="", **headers):
    return Connection(stack.app, f"{PATH}{query}", **headers)


def read(event: bytes | None) -> tuple[str, dict[str, object], str | None]:
    """Return name, data and id of an event."""
    assert event is not None
    fields = dict(line.split(": ", 1) for line in event.decode().removesuffix("\n\n").split("\n"))
    return fields["event"], json.loads(fields["data"]), fields.get("id")


async def begun(connection):
    """Read until `synced`; return the ids of the executions, and the id of the stream."""
    assert await connection.piece() == RETRY
    runs = []
    while True:
        name, data, identity = read(await connection.piece())
        if name == "synced":
            return runs, identity
        assert (name, identity) == ("run", None)
        runs.append(data["id"])


def start(stack, run_id, user="user"):
    """Let a user have one more execution."""
    run = stack.services.runs[run_id]
    other = run.model_copy(update={"id": uuid4(), "user_id": user})
    stack.services.runs[other.id] = other
    return other


def end(stack, run_id, at=None):
    stack.services.run_on(run_id, active_phase=False, state=RunState.FINISHED)
    run = stack.services.runs[run_id]
    stack.services.runs[run_id] = run.model_copy(update={"ended_at": at or datetime.now(UTC)})


async def test_active_runs_come_first_and_then_every_change(stack, board, run_id):
    async with stream(stack) as connection:
        assert connection.status == 200
        assert connection.headers["content-type"].startswith("text/event-stream")
        assert connection.headers["cache-control"] == "no-store"
        runs, identity = await begun(connection)
        assert runs == [str(run_id)]
        assert abs(int(identity) - unix_ms(datetime.now(UTC))) < 60_000
        stack.services.run_on(run_id, eta=datetime.now(UTC))  # alone, no news
        stack.services.run_on(run_id, calls_total=1)
        name, data, identity = read(await connection.piece())
        assert (name, data["id"], data["report"]["callsTotal"]) == ("run", str(run_id), 1)
        assert identity is not None
        other = start(stack, run_id)
        name, data, _ = read(await connection.piece())
        assert (name, data["id"]) == ("run", str(other.id))
        end(stack, run_id)
        name, data, _ = read(await connection.piece())
        assert (name, data["id"], data["report"]["state"]) == ("run", str(run_id), "FINISHED")


async def test_a_run_that_ends_between_two_looks_is_sent(stack, board, run_id):
    async with stream(stack) as connection:
        await begun(connection)
        other = start(stack, run_id)
        end(stack, other.id)
        name, data, _ = read(await connection.piece())
        assert (name, data["id"], data["report"]["activePhase"]) == ("run", str(other.id), False)


async def test_the_end_of_a_run_is_sent_though_the_clocks_differ(stack, board, run_id):
    async with stream(stack) as connection:
        await begun(connection)
        end(stack, run_id, at=datetime.now(UTC) - timedelta(hours=1))
        _, data, _ = read(await connection.piece())
        assert (data["id"], data["report"]["activePhase"]) == (str(run_id), False)


async def test_users_see_their_own_runs_and_administrators_all(stack, board, run_id):
    other = start(stack, run_id, user="stranger")
    seen = {}
    for token in ("reader", "stranger", "admin"):
        async with stream(stack, token=token) as connection:
            seen[token], _ = await begun(connection)
    assert seen == {
        "reader": [str(run_id)],
        "stranger": [str(other.id)],
        "admin": [str(run_id), str(other.id)],
    }


async def test_a_client_that_returns_misses_no_end(stack, board, run_id):
    before = datetime.now(UTC)
    end(stack, run_id, at=before + timedelta(seconds=1))
    async with stream(stack, last_event_id=str(unix_ms(before))) as connection:
        runs, _ = await begun(connection)
    assert runs == [str(run_id)]
    for later in (str(unix_ms(before + timedelta(minutes=1))), "", "x", "9" * 400):
        async with stream(stack, last_event_id=later) as connection:
            assert (await begun(connection))[0] == []


async def test_the_stream_ends_with_its_token(stack, board, run_id):
    async with stream(stack, token="reader") as connection:
        await begun(connection)
        stack.deps.tokens.replace(stack.deps.config.tokens[:1])
        board.wake()
        assert await connection.piece() == b'event: end\ndata: {"reason":"TOKEN"}\n\n'
        assert await connection.piece() is None


async def test_the_stream_ends_when_the_token_loses_its_permission_or_its_user(stack, board, run_id):
    for changed in (
        TokenConfig(token="reader", user="user", permissions=frozenset({Permission.RUN})),
        TokenConfig(token="reader", user="root", permissions=frozenset({Permission.READ})),
    ):
        stack.deps.tokens.replace(stack.deps.config.tokens)
        async with stream(stack, token="reader") as connection:
            await begun(connection)
            stack.deps.tokens.replace([changed])
            board.wake()
            assert await connection.piece() == b'event: end\ndata: {"reason":"TOKEN"}\n\n'


async def test_the_stream_ends_in_time(client, stack, board, run_id):
    answer = await client.get(f"{PATH}?maxS=0")
    events = [read(f"{text}\n\n".encode()) for text in answer.text.split("\n\n")[1:-1]]
    assert [name for name, _, _ in events] == ["run", "synced", "end"]
    assert events[-1][1] == {"reason": "TIME"}


@pytest.mark.parametrize("query", ["?maxS=-1", "?maxS=86401", "?maxS=x", "?other=1"])
async def test_wrong_parameters_are_refused(client, refused, query):
    refused(await client.get(f"{PATH}{query}"), 400)


async def test_a_token_without_the_permission_read_is_refused(stack, refused):
    async with stack.client("writer") as client:
        refused(await client.get(PATH), 403, "read")


async def test_silence_is_interrupted_by_comments_with_the_id(stack, board, run_id):
    stack.deps.watches.keep_alive_s = 0.001
    async with stream(stack) as connection:
        await begun(connection)
        comment = await connection.piece()
    assert comment.startswith(b"id: ")
    assert comment.endswith(b"\n: still here\n\n")


async def test_a_stream_survives_an_outage_of_reporting(stack, board, run_id):
    async with stream(stack) as connection:
        await begun(connection)
        stack.services.failures += [UnavailableError("the reporting service did not answer within 10 s")] * 3
        stack.services.run_on(run_id, calls_total=1)
        assert read(await connection.piece())[1]["report"]["callsTotal"] == 1


async def test_a_returning_client_is_refused_while_reporting_is_away(client, stack, board, run_id, refused):
    stack.services.failures.append(UnavailableError("the reporting service did not answer within 10 s"))
    answer = await client.get(PATH, headers={"Last-Event-ID": str(unix_ms(datetime.now(UTC)))})
    refused(answer, 503, "reporting")


async def test_a_failed_board_closes_the_connection(stack, board, run_id):
    async with stream(stack) as connection:
        await begun(connection)
        stack.services.failures.append(KeyError("a fault of ours"))
        with pytest.raises(BrokenOffError):
            await connection.piece()


async def test_a_stopping_gateway_closes_streams_without_an_end_event(stack, board, run_id):
    async with stream(stack) as connection:
        await begun(connection)
        board.close()
        assert await connection.piece() is None


async def test_all_clients_share_one_query_and_the_last_one_ends_it(stack, board, run_id):
    async with stream(stack) as one, stream(stack, token="admin") as two:
        await begun(one)
        await begun(two)
        asked = len(stack.services.asked)
        stack.services.run_on(run_id, calls_total=1)
        for connection in (one, two):
            assert read(await connection.piece())[1]["report"]["callsTotal"] == 1
        kinds = {envelope.type for envelope in stack.services.asked[asked:]}
        assert kinds == {"ListTaskExecs"}
    assert board.at is None
