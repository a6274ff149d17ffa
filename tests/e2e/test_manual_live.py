"""The commands and errors of the manual, sent to the running system."""

import httpx
import pytest

from tests.contract.manual_examples import EXAMPLES, follow_manual
from tests.support.live_system import AUTH

UNKNOWN = "00000000-0000-4000-8000-000000000000"
JSON = {"Content-Type": "application/json"}


async def test_each_command_of_the_manual_is_answered_as_documented(stack, spoken_prompt):
    async with httpx.AsyncClient(base_url=stack.url, timeout=30) as client:
        answers = await follow_manual(client, spoken_prompt)
        run = answers["3.5"].json()["taskExecId"]
        # The manual's profile allows calls from 8:30 to 18:30 only; the test must pass at any time.
        await client.put(f"/api/v1/task-execs/{run}/stop", params={"hangup": "true"}, headers=AUTH)
    for example in EXAMPLES:
        answer = answers[example.section]
        assert answer.is_success, f"{example.section}: {answer.status_code} {answer.text}"
        assert set(example.answer_fields) <= answer.json().keys(), example.section
    assert answers["3.2"].json()["name"] == "iskratech"
    assert answers["3.5"].json()["result"] == "SUCCESS"
    document = answers["3.6"].json()
    names = [status["subscriber"]["fullName"] for status in document["subscribers"]]
    assert names == ["Ivan Potapov", "Olga Popova"]  # both groups hold the same two people
    assert document["subscribers"][1]["subscriber"]["phones"] == ["776413", "776450"]
    assert document["report"]["name"] == "task_2024-03-24"


@pytest.mark.parametrize(
    ("status", "reason", "method", "path", "options"),
    [
        (401, "Unauthorized", "GET", f"/tasks/{UNKNOWN}", {"headers": {"Authorization": "Bearer plain:no"}}),
        (401, "Unauthorized", "GET", "/tasks", {"headers": {"Authorization": ""}}),
        (400, "Bad Request", "POST", "/tasks/", {"content": b"{", "headers": JSON}),
        (400, "Bad Request", "POST", "/notification-settings/", {"json": {"name": "x", "attemptCout": 1}}),
        (
            400,
            "Bad Request",
            "PUT",
            "/subscriber-groups/add/x",
            {"json": [{"fullName": "x", "phones": "abc"}]},
        ),
        (404, "Not Found", "GET", f"/task-execs/{UNKNOWN}", {}),
        (404, "Not Found", "PUT", f"/tasks/{UNKNOWN}/start", {}),
        (404, "Not Found", "GET", "/no-such-thing", {}),
        (405, "Method Not Allowed", "PATCH", f"/tasks/{UNKNOWN}", {}),
        (
            415,
            "Unsupported Media Type",
            "POST",
            "/tasks/",
            {"content": b"{}", "headers": {"Content-Type": "text/plain"}},
        ),
        (415, "Unsupported Media Type", "PUT", "/audio-files/add/x", {"json": {}}),
    ],
)
def test_error_has_the_form_of_the_manual(client, status, reason, method, path, options):
    answer = client.http.request(method, path, **options)
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert (body["status"], body["error"]) == (status, reason)
    assert body["path"] == f"/api/v1{path}"
    assert isinstance(body["timestamp"], int)
    assert body["timestamp"] > 1_700_000_000_000
    assert body["message"]
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    if status == 405:
        assert answer.headers["Allow"]
