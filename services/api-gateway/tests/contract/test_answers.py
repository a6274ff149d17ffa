"""What the operations answer when all is well."""

import gzip
import json
import struct
from typing import Any

import pytest

from cato_contracts.api.resources import AudioWarning
from cato_contracts.api.stations import StationState
from cato_contracts.api.status import STATUS_TEXT_LIMIT, StatusText
from cato_contracts.errors import UnavailableError
from cato_contracts.messages.audio_commands import AddAudioFile
from cato_gateway.errors import BrokenOffError
from cato_runtime.configuration.config import Config
from tests.support.gateway.stack import MemoryStack
from tests.support.xlsx import read_sheet

API = "/api/v1"
JSON = {"Content-Type": "application/json"}
OCTETS = {"Content-Type": "application/octet-stream"}


async def test_collections_are_read_in_pages(client):
    for no in range(5):
        body = {"name": f"s{no}", "attemptCount": 1, "successCondition": "PICKUP_PHONE"}
        await client.post(f"{API}/notification-settings", json=body)
    names, cursor = [], None
    for _ in range(3):
        parameters = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(f"{API}/notification-settings", params=parameters)).json()
        names += [item["name"] for item in page["items"]]
        cursor = page["nextCursor"]
    assert names == ["s0", "s1", "s2", "s3", "s4"]
    assert cursor is None
    found = await client.get(f"{API}/notification-settings", params={"name": "s3"})
    assert [item["name"] for item in found.json()["items"]] == ["s3"]


async def test_an_answer_can_be_edited_and_sent_back(client, ids):
    for path in (f"{API}/notification-settings/{ids['settings']}", f"{API}/tasks/{ids['task']}"):
        resource = (await client.get(path)).json()
        assert next(iter(resource)) == "id"
        changed = {**resource, "name": "changed"}
        assert (await client.put(path, json=changed)).json() == changed
        assert (await client.get(path)).json() == changed


async def test_times_are_in_utc(client, ids):
    task = (await client.get(f"{API}/tasks/{ids['task']}")).json()
    task["startAt"] = "2030-01-01T03:00:00+03:00"
    answer = await client.put(f"{API}/tasks/{ids['task']}", json=task)
    assert answer.json()["startAt"] == "2030-01-01T00:00:00Z"
    listed = (await client.get(f"{API}/tasks")).json()["items"]
    assert listed[0]["startAt"] == "2030-01-01T00:00:00Z"


async def test_removing_answers_204_without_a_body(client, ids):
    for path in (f"tasks/{ids['task']}", f"audio-files/{ids['audio']}", f"subscriber-groups/{ids['group']}"):
        answer = await client.delete(f"{API}/{path}")
        assert answer.status_code == 204
        assert answer.content == b""
        assert (await client.get(f"{API}/{path}")).status_code == 404


async def test_the_content_is_a_wav_file_of_a_law(client, ids):
    answer = await client.get(f"{API}/audio-files/{ids['audio']}/content")
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["content-length"] == str(len(answer.content))
    riff, size, form, fmt = struct.unpack("<4sI4s4s", answer.content[:16])
    assert (riff, size, form, fmt) == (b"RIFF", len(answer.content) - 8, b"WAVE", b"fmt ")
    assert struct.unpack("<IHHIIHHH", answer.content[16:38]) == (18, 6, 1, 8000, 8000, 1, 8, 0)
    bare = await client.get(f"{API}/audio-files/{ids['audio']}/content", params={"format": "alaw"})
    assert bare.content == b"\xff\xfb" + bytes(998)
    assert answer.content[58:] == bare.content


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [
        ("bytes=0-0", 206, 0, 1),
        ("bytes=100-199", 206, 100, 200),
        ("bytes=990-", 206, 990, 1000),
        ("bytes=-10", 206, 990, 1000),
        ("bytes=-5000", 206, 0, 1000),
        ("bytes=0-99999", 206, 0, 1000),
        ("bytes=5-2", 200, 0, 1000),
        ("bytes=0-1,5-6", 200, 0, 1000),
        ("bytes=-", 200, 0, 1000),
        ("lines=1-2", 200, 0, 1000),
    ],
)
async def test_a_range_of_the_content_is_served(client, ids, asked, status, *, start, end):
    path = f"{API}/audio-files/{ids['audio']}/content?format=alaw"
    whole = (await client.get(path)).content
    answer = await client.get(path, headers={"Range": asked})
    assert answer.status_code == status
    assert answer.content == whole[start:end]
    if status == 206:
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/1000"


async def test_a_range_beyond_the_end_is_rejected_with_416(client, ids):
    for asked in ("bytes=1000-", "bytes=-0"):
        answer = await client.get(
            f"{API}/audio-files/{ids['audio']}/content?format=alaw", headers={"Range": asked}
        )
        assert answer.status_code == 416
        assert answer.headers["content-range"] == "bytes */1000"
        assert answer.json()["status"] == 416


async def test_content_with_a_current_etag_is_answered_with_304(client, ids):
    path = f"{API}/audio-files/{ids['audio']}/content"
    etag = (await client.get(path)).headers["etag"]
    assert (await client.get(path, headers={"If-None-Match": etag})).status_code == 304
    changed = await client.get(path, headers={"Range": "bytes=0-3", "If-Range": '"other"'})
    assert changed.status_code == 200


async def test_content_missing_from_the_store_is_answered_with_500(client, stack, ids):
    stack.objects.objects.clear()
    answer = await client.get(f"{API}/audio-files/{ids['audio']}/content")
    assert answer.status_code == 500
    assert answer.json()["resourceId"] == ids["audio"]


async def test_subscribers_are_read_in_pages_and_as_csv(client, ids):
    path = f"{API}/subscriber-groups/{ids['group']}/subscribers"
    first = (await client.get(path, params={"limit": 3})).json()
    assert [item["fullName"] for item in first["items"]] == ["Person 0", "Person 1", "Person 2"]
    last = (await client.get(path, params={"limit": 3, "cursor": first["nextCursor"]})).json()
    assert [item["phones"] for item in last["items"]] == [["776403"], ["776404"]]
    assert last["nextCursor"] is None
    exact = (await client.get(path, params={"limit": 5})).json()
    assert exact["nextCursor"] is None
    text = (await client.get(path, params={"format": "csv"})).text.splitlines()
    assert text[:2] == ["fullName,phones,emails", "Person 0,776400,"]
    assert len(text) == 6


async def test_r2_a_list_is_a_file_for_excel(client, refused):
    people = [
        {"fullName": "=cmd|' /C calc'!A0", "phones": ["+73437200041", "112"]},
        {"fullName": "Ольга; О.", "phones": "112"},
    ]
    group = (await client.put(f"{API}/subscriber-groups/add/excel", json=people)).json()
    path = f"{API}/subscriber-groups/{group['id']}/subscribers"
    excel = await client.get(path, params={"format": "csv", "dialect": "excel"})
    assert excel.content.startswith(b"\xef\xbb\xbf")
    assert excel.content.decode("utf-8-sig").split("\r\n") == [
        "fullName;phones;emails",
        "'=cmd|' /C calc'!A0;\"'+73437200041;112\";",
        '"Ольга; О.";112;',
        "",
    ]
    standard = (await client.get(path, params={"format": "csv"})).text.splitlines()
    assert standard[1] == "'=cmd|' /C calc'!A0,+73437200041;112,"
    book = await client.get(path, params={"format": "xlsx"})
    assert book.headers["content-disposition"] == f'attachment; filename="{group["id"]}.xlsx"'
    assert read_sheet(book.content) == [
        ["fullName", "phones", "emails"],
        ["=cmd|' /C calc'!A0", "+73437200041;112", ""],
        ["Ольга; О.", "112", ""],
    ]
    refused(await client.get(path, params={"format": "xlsx", "dialect": "excel"}), 400, "dialect")


async def test_a_cursor_of_a_replaced_list_is_answered_with_409(client, ids):
    path = f"{API}/subscriber-groups/{ids['group']}/subscribers"
    cursor = (await client.get(path, params={"limit": 1})).json()["nextCursor"]
    await client.put(f"{API}/subscriber-groups/{ids['group']}", json=[{"fullName": "New", "phones": "1"}])
    assert (await client.get(path, params={"cursor": cursor})).status_code == 409


async def test_a_forged_cursor_is_rejected(client, stack, ids):
    path = f"{API}/subscriber-groups/{ids['group']}/subscribers"
    name = next(ref.name for _, ref in stack.services.groups.values())
    for cursor in (
        f"7.{name}",
        f"{10**9}.{name}",
        f"00.{name}",
        f"-1.{name}",
        f"+1.{name}",
        f"\u0661.{name}",
    ):
        assert (await client.get(path, params={"cursor": cursor})).status_code == 400
    for cursor in ("x", "1", ".", "é", "=", "[" * 1400, "9" * 1400):
        assert (await client.get(path, params={"cursor": cursor})).status_code == 400


@pytest.mark.parametrize("collection", ["tasks", "audio-files", "subscriber-groups", "task-execs"])
async def test_an_empty_cursor_asks_for_the_first_page(client, ids, collection):
    first = await client.get(f"{API}/{collection}")
    assert (await client.get(f"{API}/{collection}", params={"cursor": ""})).json() == first.json()


async def test_a_csv_list_is_accepted_and_returned(client):
    lines = "fullName,phones,emails\r\nIvan,776429;776430,\r\n"
    answer = await client.put(
        f"{API}/subscriber-groups/add/csv", content=lines, headers={"Content-Type": "text/csv"}
    )
    text = await client.get(answer.json()["url"], params={"format": "csv"})
    assert text.headers["content-type"] == "text/csv; charset=utf-8"
    assert text.text == lines


async def test_a_gzipped_body_is_accepted_and_limited_by_its_decoded_size(client, stack):
    people = json.dumps([{"fullName": "A", "phones": "1"}]).encode()
    packed = gzip.compress(people)
    headers = {**JSON, "Content-Encoding": "gzip"}
    path = f"{API}/subscriber-groups/add/packed"
    assert (await client.put(path, content=packed, headers=headers)).json()["subscriberCount"] == 1
    bomb = gzip.compress(bytes(50_000_000))
    assert (await client.put(path, content=bomb, headers=headers)).status_code == 413
    assert (await client.put(path, content=packed[:-4], headers=headers)).status_code == 400
    assert (await client.put(path, content=packed + b"more", headers=headers)).status_code == 400


async def test_the_status_document_is_the_same_for_every_page_size(client, stack, ids):
    path = f"{API}/task-execs/{ids['exec']}"
    whole = (await client.get(path)).json()
    assert list(whole) == ["id", "taskId", "startedAt", "endedAt", "report", "subscribers"]
    assert len(whole["subscribers"]) == 5
    stack.services.page_size = 2
    assert (await client.get(path)).json() == whole
    people, cursor = [], None
    for _ in range(2):
        parameters = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        part = (await client.get(path, params=parameters)).json()
        people += part["subscribers"]
        cursor = part["nextCursor"]
    assert cursor is None
    assert people == whole["subscribers"]


async def test_the_next_page_is_no_larger_than_the_last_answer(client, stack, ids):
    class Counting:
        def __init__(self):
            self.asked: list[int] = []

        async def ask(self, request, **options: Any):
            if type(request).__name__ == "GetStatusText":
                self.asked.append(request.limit)
            return await stack.services.ask(request, **options)

    stack.services.page_size = 2
    stack.deps.asker = counting = Counting()
    await client.get(f"{API}/task-execs/{ids['exec']}")
    assert counting.asked == [STATUS_TEXT_LIMIT, 2, 2]


async def test_the_status_document_lists_the_subscribers_of_the_filter(client, ids):
    path = f"{API}/task-execs/{ids['exec']}"
    failed = (await client.get(path, params={"subscribers": "failed"})).json()
    assert [each["subscriber"]["fullName"] for each in failed["subscribers"]] == ["Person 1", "Person 3"]
    unreached = (await client.get(path, params={"subscribers": "unreached"})).json()
    assert unreached["subscribers"] == failed["subscribers"]
    nobody = (await client.get(path, params={"subscribers": "none"})).json()
    assert nobody["subscribers"] == []
    assert nobody["report"]["subscriberCount"] == 5


async def test_a_status_document_that_fails_before_its_first_byte_is_an_error_response(client, stack, ids):
    class Silent:
        async def ask(self, request, **options: Any):
            if type(request).__name__ == "GetStatusText":
                raise UnavailableError("the reporting service did not answer within 10 s")
            return await stack.services.ask(request, **options)

    stack.deps.asker = Silent()
    assert (await client.get(f"{API}/task-execs/{ids['exec']}")).status_code == 503


async def test_a_status_document_that_fails_later_closes_the_connection(client, stack, ids):
    class Failing:
        pages = 0

        async def ask(self, request, **options: Any):
            if type(request).__name__ == "GetStatusText":
                self.pages += 1
                if self.pages == 2:
                    raise UnavailableError("the reporting service did not answer within 10 s")
                page: StatusText = await stack.services.ask(request, **options)
                return page.model_copy(update={"next_cursor": "1"})
            return await stack.services.ask(request, **options)

    stack.deps.asker = Failing()
    received: list[dict[str, object]] = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        received.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "path": f"{API}/task-execs/{ids['exec']}",
        "raw_path": b"",
        "query_string": b"",
        "headers": [(b"host", b"cato"), (b"authorization", b"Bearer plain:default")],
        "scheme": "http",
        "server": ("cato", 80),
        "client": ("c", 1),
        "root_path": "",
    }
    with pytest.raises(BrokenOffError):
        await stack.app(scope, receive, send)
    assert received[0]["status"] == 200
    assert all(message.get("more_body", True) for message in received[1:])


async def test_executions_are_listed_with_their_numbers(client, ids):
    page = (await client.get(f"{API}/task-execs", params={"taskId": ids["task"], "active": "true"})).json()
    assert page["items"][0]["taskId"] == ids["task"]
    assert page["items"][0]["report"]["subscriberCount"] == 5
    none = (await client.get(f"{API}/task-execs", params={"taskId": ids["unknown"]})).json()
    assert none == {"items": [], "nextCursor": None}


async def test_control_reaches_the_dialer_with_its_options(client, stack, ids):
    answer = await client.put(f"{API}/task-execs/{ids['exec']}/stop", params={"hangup": "true"})
    assert answer.json() == {"taskExecId": ids["exec"], "result": "SUCCESS"}
    assert stack.services.asked[-1].body.hangup is True


async def test_a_request_id_is_returned_and_passed_to_services(client, stack):
    answer = await client.get(f"{API}/tasks", headers={"X-Request-ID": "abc-1"})
    assert answer.headers["x-request-id"] == "abc-1"
    assert stack.services.asked[-1].correlation_id == "abc-1"
    answer = await client.get(f"{API}/tasks", headers={"X-Request-ID": "a b\t"})
    assert answer.headers["x-request-id"] == stack.services.asked[-1].correlation_id != "a b\t"


async def test_an_internal_error_reveals_no_details(client, stack):
    stack.services.failures.append(KeyError("secret place"))
    answer = await client.get(f"{API}/tasks")
    assert answer.status_code == 500
    assert answer.json()["error"] == "Internal Server Error"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


async def test_health_needs_no_token(client, stack):
    for prefix in ("", API):
        for path in ("/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"):
            answer = await client.get(f"{prefix}{path}", headers={"Authorization": ""})
            assert answer.status_code == 200, path
    stack.services.ready["dialer"] = False
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["services"] == {"media": "ready", "dialer": "no answer", "reporting": "ready"}
    assert (await client.get("/healthz")).status_code == 200
    stack.services.closed = True
    assert (await client.get("/healthz")).status_code == 503


async def test_s1_api_answers_503_with_the_reason_while_the_broker_stores_nothing(client, stack):
    stack.services.storage_failed = "the broker stores no messages; its disk may be full"
    for path in ("/readyz", "/api/v1/tasks/"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["message"]) == (503, stack.services.storage_failed)
        assert "Retry-After" in answer.headers
    assert (await client.get("/healthz")).status_code == 200


async def test_a_station_that_is_down_is_named_and_the_gateway_stays_ready_s3(client, stack):
    answer = await client.get("/readyz")
    assert answer.json() == {
        "status": "ready",
        "services": {"media": "ready", "dialer": "ready", "reporting": "ready"},
        "stationsDown": [],
    }
    stack.services.stations[0] = stack.services.stations[0].model_copy(update={"state": StationState.DOWN})
    answer = await client.get("/readyz", headers={"Authorization": ""})
    assert (answer.status_code, answer.json()["stationsDown"]) == (200, ["main"])
    stack.services.failures.append(UnavailableError("the dialer does not answer"))
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["stationsDown"]) == (200, None)


async def test_browsers_of_other_origins_need_a_setting():
    from cato_gateway.settings import GatewaySettings  # noqa: PLC0415

    asked = {"Origin": "https://desk.example.org", "Access-Control-Request-Method": "PUT"}
    async with MemoryStack(Config()).client() as client:
        assert (await client.options(f"{API}/tasks", headers=asked)).status_code == 405
    settings = GatewaySettings(cors_origins=("https://desk.example.org",))
    async with MemoryStack(Config(), settings).client() as client:
        answer = await client.options(f"{API}/tasks", headers=asked)
        assert answer.headers["access-control-allow-origin"] == "https://desk.example.org"


@pytest.mark.parametrize(
    ("query", "allowed"), [("", False), ("?allowSilence=false", False), ("?allowSilence=true", True)]
)
async def test_a4_silence_is_accepted_only_if_the_request_asks_for_it(client, stack, query, allowed):
    answer = await client.put(f"{API}/audio-files/add/pause{query}", content=b"RIFF", headers=OCTETS)
    assert answer.status_code == 200
    (command,) = (
        envelope.body for envelope in stack.services.asked if isinstance(envelope.body, AddAudioFile)
    )
    assert command.allow_silence is allowed


async def test_a1_levels_and_warnings_are_shown(client, stack):
    added = (await client.put(f"{API}/audio-files/add/x", content=b"RIFF", headers=OCTETS)).json()
    assert (added["peakDbfs"], added["rmsDbfs"], added["warnings"]) == (None, None, [])
    ((key, file),) = ((key, file) for key, file in stack.services.audio.items() if str(key) == added["id"])
    warning = AudioWarning(code="too-quiet", message="the audio is quiet")
    stack.services.audio[key] = file.model_copy(
        update={"peak_dbfs": -20.5, "rms_dbfs": -41.0, "warnings": [warning]}
    )
    shown = (await client.get(f"{API}/audio-files/{added['id']}")).json()
    (listed,) = (await client.get(f"{API}/audio-files?name=x")).json()["items"]
    for each in (shown, listed):
        assert (each["peakDbfs"], each["rmsDbfs"]) == (-20.5, -41.0)
        assert each["warnings"] == [{"code": "too-quiet", "message": "the audio is quiet"}]
