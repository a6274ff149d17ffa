"""The history: the queries to reporting, and the responses made from its answers."""

import asyncio
import csv
import io
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from cato_contracts.api.exports import BeginCallExport, BeginSubscriberExport, SubscriberRecord
from cato_contracts.api.history import CallOutcome, FoundSubscriber
from cato_contracts.errors import TooLargeError
from cato_gateway.errors import BrokenOffError
from tests.support.gateway.connection import Connection

API = "/api/v1"
FIRST = datetime(2024, 3, 24, 8, 30, tzinfo=UTC)
FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@pytest.fixture
def calls(stack, ids):
    """Four calls, an hour apart, the second of which failed."""
    run = stack.services.runs[UUID(ids["exec"])]
    history = stack.services.history
    for hours in (1, 2, 3):
        history.add_call(run, FIRST + timedelta(hours=hours))
    history.calls[1] = history.calls[1].model_copy(
        update={"number": "+73432111111", "success": False, "outcome": CallOutcome.FAILED, "sip_code": 486}
    )
    return history.calls


@pytest.fixture
def asked(stack):
    """The conditions of the last request."""
    return lambda: stack.services.asked[-1].body.where


async def test_calls_are_listed_from_the_newest_in_pages(client, calls):
    first = (await client.get(f"{API}/calls", params={"limit": 3})).json()
    last = (await client.get(f"{API}/calls", params={"limit": 3, "cursor": first["nextCursor"]})).json()
    assert [item["id"] for item in first["items"] + last["items"]] == [str(call.id) for call in calls[::-1]]
    assert last["nextCursor"] is None
    assert first["items"][0]["startedAt"] == "2024-03-24T11:30:00Z"
    assert "events" not in first["items"][0]


async def test_a_call_has_its_events(client, ids):
    call = (await client.get(f"{API}/calls/{ids['call']}")).json()
    assert next(iter(call)) == "id"
    assert call["taskExecId"] == ids["exec"]
    assert [event["name"] for event in call["events"]] == ["CallEnded"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("from=2024-03-24T09:30:00Z", [1, 2, 3]),
        ("to=2024-03-24T09:30:00Z", [0]),
        ("from=2024-03-24T12:30:00%2B03:00&to=2024-03-24T13:30:00.000%2B03:00", [1]),
        ("from=2024-03-24T12:30:00+03:00&to=2024-03-24t13:30:00+0300", [1]),
        ("from=2024-03-24T05:30:00-04:00", [1, 2, 3]),
        ("number=%2B7%20(343)%20211-11-11", [1]),
        ("number=+7(343)211-11-11", [1]),
        ("number=73432111111", []),
        ("number=776413", [0, 2, 3]),
        ("name=olga", [0, 1, 2, 3]),
        ("name=nobody", []),
        ("outcome=failed", [1]),
        ("outcome=ringing", []),
        ("taskExecId={exec}", [0, 1, 2, 3]),
        ("taskExecId={unknown}", []),
        ("stationId={station}", [2]),
    ],
)
async def test_each_condition_selects_calls(client, ids, calls, query, expected):
    names = {**ids, "station": str(calls[2].station_id)}
    page = (await client.get(f"{API}/calls?{query.format(**names)}")).json()
    assert [item["id"] for item in page["items"]] == [str(calls[no].id) for no in reversed(expected)]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("number=776413", True),
        ("name=olga", True),
        ("name=olga&limit=1&cursor=1", False),
        ("outcome=failed", False),
        ("", False),
    ],
)
async def test_r4_a_search_gives_the_subscribers_those_never_called_too(
    client, ids, stack, calls, query, wanted
):
    never_called = FoundSubscriber(
        task_exec_id=UUID(ids["exec"]),
        task_id=UUID(ids["task"]),
        task_name="flood",
        subscriber_id=UUID(ids["unknown"]),
        subscriber_name="Olga",
        phones=["776413"],
        notified=False,
        calls=0,
        reason=None,
    )
    stack.services.history.subscribers = [never_called]
    page = (await client.get(f"{API}/calls?{query}")).json()
    expected = [never_called.model_dump(mode="json", by_alias=True)]
    assert page.get("subscribers") == (expected if wanted else None)
    assert ("subscribers" in page) is wanted


@pytest.mark.parametrize("path", ["/calls?", "/calls/export?format=jsonl&", "/statistics?groupBy=task&"])
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("from=2024-03-24", ["from", "2024-03-24T08:30:00Z", "zone"]),
        ("from=2024-03-24T08:30:00", ["from", "zone"]),
        ("to=1711266311695", ["to", "ISO 8601", "1711266311695"]),
        ("to=", ["to"]),
        ("to=tomorrow", ["to", "tomorrow"]),
        ("to=2024-02-30T00:00:00Z", ["to"]),
        ("from=2024-03-24T08:30:00Z&to=2024-03-24T08:30:00Z", ["to should be later than from"]),
        ("from=2024-03-24T08:30:00Z&to=2024-03-24T11:29:59%2B03:00", ["to should be later than from"]),
        ("number=", ["number"]),
        ("number=12a", ["number", "12a"]),
        ("name=", ["name"]),
        ("name=%20", ["name"]),
        ("taskExecId=1", ["taskExecId"]),
        ("stationId=x", ["stationId"]),
        ("outcome=busy", ["outcome", "succeeded"]),
        ("since=2024-03-24T08:30:00Z", ["unknown parameter since", "from"]),
    ],
)
async def test_a_condition_that_cannot_be_read_is_named(client, ids, path, query, words, refused):
    refused(await client.get(f"{API}{path}{query}"), 400, *words)


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("/statistics", "groupBy is required"),
        ("/statistics?groupBy=week", "groupBy"),
        ("/statistics?groupBy=day&timeZone=Mars/Olympus", "timeZone"),
        ("/calls/export?format=ods", "format"),
        ("/calls/export?dialect=libre", "dialect"),
        ("/calls/export?format=xlsx&dialect=excel", "dialect"),
        ("/calls/export?format=jsonl&timeZone=UTC", "timeZone"),
        ("/calls/export?dialect=excel&timeZone=Mars/Olympus", "timeZone"),
        ("/calls?limit=0", "limit"),
        ("/calls?limit=1001", "limit"),
        ("/calls?cursor=***", "cursor"),
    ],
)
async def test_a_parameter_out_of_bounds_is_named(client, ids, query, word, refused):
    refused(await client.get(f"{API}{query}"), 400, word)


async def test_calls_of_other_users_are_left_out(client, calls):
    headers = {"Authorization": "Bearer plain:stranger"}
    assert (await client.get(f"{API}/calls", headers=headers)).json() == {"items": [], "nextCursor": None}
    assert (await client.get(f"{API}/calls/export?format=jsonl", headers=headers)).content == b""
    figures = (await client.get(f"{API}/statistics?groupBy=day", headers=headers)).json()
    assert (figures["groups"], figures["total"]["attempts"]) == ([], 0)
    admin = {"Authorization": "Bearer plain:admin"}
    assert len((await client.get(f"{API}/calls", headers=admin)).json()["items"]) == 4


async def test_statistics_have_groups_and_a_total(client, stack, calls):
    path = f"{API}/statistics?groupBy=sipCode&timeZone=Asia/Yekaterinburg&from=2024-03-24T00:00:00Z"
    figures = (await client.get(path)).json()
    assert figures["groupBy"] == "sipCode"
    assert [(group["key"], group["attempts"]) for group in figures["groups"]] == [("200", 3), ("486", 1)]
    assert (figures["total"]["key"], figures["total"]["attempts"], figures["total"]["asr"]) == (None, 4, 0.75)
    assert stack.services.asked[-1].body.time_zone == "Asia/Yekaterinburg"
    await client.get(f"{API}/statistics?groupBy=day")
    assert stack.services.asked[-1].body.time_zone is None


async def test_an_answer_that_is_too_large_is_answered_with_400(client, stack, refused):
    stack.services.failures.append(TooLargeError("these are more groups than one answer can carry"))
    refused(await client.get(f"{API}/statistics?groupBy=hour"), 400, "more groups")


async def test_an_export_as_json_lines_has_every_call_oldest_first(client, stack, calls):
    answer = await client.get(f"{API}/calls/export?format=jsonl&outcome=succeeded")
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [row["id"] for row in rows] == [str(calls[no].id) for no in (0, 2, 3)]
    listed = (await client.get(f"{API}/calls?outcome=succeeded")).json()["items"]
    assert rows == listed[::-1]
    pieces = len(stack.services.history.taken)
    assert stack.services.history.taken == list(range(pieces))
    assert pieces > 2


async def test_an_export_as_csv_is_the_default(client, calls):
    answer = await client.get(f"{API}/calls/export")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["id"] for row in rows] == [str(call.id) for call in calls]
    assert rows[1]["number"] == "+73432111111"


@pytest.mark.parametrize(("form", "media_type"), FORMATS.items())
async def test_an_export_is_a_file_with_a_type_and_a_name(client, calls, form, media_type):
    answer = await client.get(f"{API}/calls/export", params={"format": form})
    assert answer.headers["content-type"] == media_type
    assert answer.headers["content-disposition"] == f'attachment; filename="calls.{form}"'
    times = {"from": "2024-03-24T11:30:00+03:00", "to": "2024-03-25T00:00:00Z"}
    named = await client.get(f"{API}/calls/export", params={"format": form, **times})
    name = f"calls-from-20240324T083000Z-to-20240325T000000Z.{form}"
    assert named.headers["content-disposition"] == f'attachment; filename="{name}"'


async def test_an_export_is_compressed_unless_it_is_already(client, calls):
    lines = await client.get(f"{API}/calls/export?format=jsonl")
    assert lines.headers["content-encoding"] == "gzip"
    for form in ("parquet", "xlsx"):
        packed = await client.get(f"{API}/calls/export?format={form}")
        assert "content-encoding" not in packed.headers


async def test_an_export_that_fails_before_its_first_byte_is_an_error_response(client, stack, calls, refused):
    stack.services.history.broken_at = 0
    answer = await client.get(f"{API}/calls/export")
    refused(answer, 503, "try again")
    assert "content-disposition" not in answer.headers


async def test_an_unread_export_is_ended(client, stack, calls):
    answer = await client.head(f"{API}/calls/export")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-disposition"] == 'attachment; filename="calls.csv"'
    async with asyncio.timeout(5):
        await stack.services.history.let_go.wait()
    assert stack.services.history.taken == [0]


async def test_a_piece_is_requested_when_the_previous_one_is_sent(app, stack, calls):
    history = stack.services.history
    async with Connection(app, f"{API}/calls/export?format=jsonl") as connection:
        assert (connection.status, history.taken) == (200, [0])
        for no in range(1, 4):
            assert await connection.piece()
            assert history.taken[-1] <= no


async def test_an_export_is_ended_when_the_client_disconnects(app, stack, calls):
    history = stack.services.history
    async with Connection(app, f"{API}/calls/export?format=jsonl") as connection:
        assert await connection.piece()
    async with asyncio.timeout(5):
        await history.let_go.wait()
    assert len(history.taken) < 4
    assert history.exports == {}


async def test_an_export_that_was_read_to_its_end_is_not_ended_again(app, stack, calls):
    async with Connection(app, f"{API}/calls/export?format=jsonl") as connection:
        content = b""
        while piece := await connection.piece():
            content += piece
    assert content.count(b"\n") == 4
    assert not stack.services.history.let_go.is_set()


@pytest.mark.parametrize("lost_at", [1, 2])
async def test_an_export_that_is_lost_on_the_way_closes_the_connection(app, stack, calls, lost_at):
    stack.services.history.broken_at = lost_at
    async with Connection(app, f"{API}/calls/export?format=jsonl") as connection:
        for _ in range(lost_at):
            assert await connection.piece()
        with pytest.raises(BrokenOffError, match="lost in the middle"):
            await connection.piece()


async def test_r2_the_form_of_an_export_reaches_reporting(client, stack, calls):
    await client.get(f"{API}/calls/export?dialect=excel&timeZone=Asia/Yekaterinburg")
    begin = next(each.body for each in stack.services.asked if isinstance(each.body, BeginCallExport))
    assert (begin.format, begin.dialect, begin.time_zone) == ("csv", "excel", "Asia/Yekaterinburg")


async def test_r3_the_subscribers_of_an_execution_are_exported(client, stack, ids, refused):
    path = f"{API}/task-execs/{ids['exec']}/subscribers/export"
    record = SubscriberRecord(
        subscriber_id=UUID(ids["unknown"]),
        full_name="Olga",
        phones=["776413"],
        emails=[],
        notified=False,
        reason=None,
        wave=None,
        number=None,
        calls=0,
        last_call_at=None,
    )
    stack.services.history.run_subscribers = [record]
    answer = await client.get(path, params={"format": "jsonl", "subscribers": "unreached"})
    assert SubscriberRecord.model_validate_json(answer.text) == record
    assert f'filename="subscribers-unreached-{ids["exec"]}.jsonl"' in answer.headers["content-disposition"]
    begin = next(each.body for each in stack.services.asked if isinstance(each.body, BeginSubscriberExport))
    assert (begin.run_id, begin.filter) == (UUID(ids["exec"]), "unreached")
    refused(await client.get(f"{API}/task-execs/{ids['unknown']}/subscribers/export"), 404)
    refused(await client.get(path, params={"subscribers": "some"}), 400, "subscribers")
