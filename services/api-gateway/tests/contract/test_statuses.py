"""Every operation against everything that can be wrong with a request: status and form of the error."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

API = "/api/v1"
JSON = "application/json"
OCTETS = "application/octet-stream"
SETTINGS = '{"name": "s", "attemptCount": 1, "successCondition": "PICKUP_PHONE"}'
TASK = '{"name": "t", "settings": "{settings}", "files": "{audio}", "groups": ["{group}"]}'
PEOPLE = '[{"fullName": "A", "phones": "1"}]'


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    ok: int = 200
    permission: str = "read"
    type: str | None = None
    body: str | None = None
    wrong_method: str = "PATCH"

    def __str__(self):
        return f"{self.method} {self.path}"


OPERATIONS = [
    Operation("PUT", "/audio-files/add/flood", permission="write", type=OCTETS, body="RIFF"),
    Operation("GET", "/audio-files"),
    Operation("GET", "/audio-files/{audio}"),
    Operation("GET", "/audio-files/{audio}/content"),
    Operation("DELETE", "/audio-files/{audio}", ok=409, permission="write"),
    Operation("PUT", "/subscriber-groups/add/town", permission="write", type=JSON, body=PEOPLE),
    Operation("PUT", "/subscriber-groups/{group}", permission="write", type=JSON, body=PEOPLE),
    Operation("GET", "/subscriber-groups"),
    Operation("GET", "/subscriber-groups/{group}"),
    Operation("GET", "/subscriber-groups/{group}/subscribers"),
    Operation("DELETE", "/subscriber-groups/{group}", ok=409, permission="write"),
    Operation("POST", "/notification-settings", permission="write", type=JSON, body=SETTINGS),
    Operation("PUT", "/notification-settings/{settings}", permission="write", type=JSON, body=SETTINGS),
    Operation("GET", "/notification-settings"),
    Operation("GET", "/notification-settings/{settings}"),
    Operation("DELETE", "/notification-settings/{settings}", ok=409, permission="write"),
    Operation("POST", "/tasks", permission="write", type=JSON, body=TASK),
    Operation("PUT", "/tasks/{task}", permission="write", type=JSON, body=TASK),
    Operation("GET", "/tasks"),
    Operation("GET", "/tasks/{task}"),
    Operation("DELETE", "/tasks/{task}", ok=204, permission="write"),
    Operation("PUT", "/tasks/{task}/start", ok=409, permission="run"),
    Operation("POST", "/tasks/{task}/repeat-unreached", ok=409, permission="run"),
    Operation("POST", "/tasks/{task}/check"),
    Operation(
        "POST", "/tasks/{task}/test-call", ok=409, permission="run", type=JSON, body='{"number": "776413"}'
    ),
    Operation("GET", "/task-execs"),
    Operation("GET", "/task-execs/{exec}"),
    Operation("PUT", "/task-execs/{exec}/pause", permission="run"),
    Operation("PUT", "/task-execs/{exec}/resume", permission="run"),
    Operation("PUT", "/task-execs/{exec}/stop", permission="run"),
    Operation("GET", "/task-execs/{ended}/stream"),
    Operation("GET", "/task-execs/{exec}/subscribers"),
    Operation("GET", "/stream?maxS=0"),
    Operation("GET", "/calls"),
    Operation("GET", "/calls/{call}"),
    Operation("GET", "/calls/export"),
    Operation("GET", "/statistics?groupBy=day"),
    Operation("GET", "/stations"),
]
WITH_ID = [operation for operation in OPERATIONS if "{" in operation.path]
WITH_BODY = [operation for operation in OPERATIONS if operation.body]
WITH_MODEL = [operation for operation in WITH_BODY if operation.body in {SETTINGS, TASK}]


def each(operations):
    return pytest.mark.parametrize("operation", operations, ids=str)


async def send(client, operation, ids, **changes: Any):
    names = dict(ids)
    body = changes.pop("body", operation.body)
    if isinstance(body, str):
        for name, value in names.items():
            body = body.replace("{" + name + "}", value)
        body = body.encode()
    headers = changes.pop("headers", {})
    content_type = changes.pop("type", operation.type)
    if content_type:
        headers = {"Content-Type": content_type, **headers}
    path = API + operation.path.format(**{**names, **changes.pop("names", {})})
    return await client.request(
        changes.pop("method", operation.method), path, content=body, headers=headers, **changes
    )


@each(OPERATIONS)
async def test_the_operation_is_carried_out(client, ids, operation, refused):
    answer = await send(client, operation, ids)
    assert answer.status_code == operation.ok, answer.text
    if operation.ok >= 400:
        refused(answer, operation.ok)


@each(OPERATIONS)
async def test_without_a_token_it_is_rejected(client, ids, operation, refused):
    answer = await send(client, operation, ids, headers={"Authorization": ""})
    refused(answer, 401, "Bearer plain:")
    assert answer.headers["www-authenticate"] == "Bearer"


@each(OPERATIONS)
@pytest.mark.parametrize(
    "header",
    ["Bearer plain:nobody", "Bearer default", "Basic plain:default", "Bearer plain:", "plain:default"],
)
async def test_with_a_bad_token_it_is_rejected(client, ids, operation, header, refused):
    refused(await send(client, operation, ids, headers={"Authorization": header}), 401)


@each(OPERATIONS)
async def test_without_the_permission_it_is_rejected(client, ids, operation, refused):
    token = "writer" if operation.permission == "read" else "reader"
    answer = await send(client, operation, ids, headers={"Authorization": f"Bearer plain:{token}"})
    refused(answer, 403, operation.permission)


@each(WITH_ID)
async def test_a_resource_of_another_user_is_answered_with_404(client, ids, operation, refused):
    answer = await send(client, operation, ids, headers={"Authorization": "Bearer plain:stranger"})
    refused(answer, 404)


@each(WITH_ID)
async def test_an_unknown_id_is_answered_with_404(client, ids, operation, refused):
    unknown = dict.fromkeys(ids, ids["unknown"])
    answer = await send(client, operation, ids, names=unknown)
    refused(answer, 404, resource_id=ids["unknown"])


@each(WITH_ID)
@pytest.mark.parametrize("malformed", ["1", "not-a-uuid", "{00000000-0000-0000-0000-000000000000}"])
async def test_a_malformed_id_is_answered_with_404(client, ids, operation, malformed, refused):
    malformed_ids = dict.fromkeys(ids, malformed)
    refused(await send(client, operation, ids, names=malformed_ids), 404)


@each(OPERATIONS)
async def test_a_wrong_method_lists_the_allowed_ones(client, ids, operation, refused):
    answer = await send(client, operation, ids, method=operation.wrong_method)
    refused(answer, 405)
    assert operation.method in answer.headers["allow"].split(", ")


@each(OPERATIONS)
async def test_an_unknown_parameter_is_rejected_by_name(client, ids, operation, refused):
    path, _, query = operation.path.partition("?")
    wrong = replace(operation, path=f"{path}?{query}&limitt=1")
    refused(await send(client, wrong, ids), 400, "limitt")


@each(WITH_BODY)
@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/jsonp", None])
async def test_a_wrong_content_type_is_rejected(client, ids, operation, content_type, refused):
    answer = await send(client, operation, ids, type=content_type)
    refused(answer, 415, operation.type)


@each(WITH_BODY)
async def test_parameters_and_case_of_the_content_type_do_not_matter(client, ids, operation):
    answer = await send(client, operation, ids, type=f"{operation.type.upper()}; charset=utf-8")
    assert answer.status_code == operation.ok, answer.text


@each(WITH_BODY)
async def test_an_empty_body_is_rejected(client, ids, operation, refused):
    refused(await send(client, operation, ids, body=b""), 400, "empty")


@each(WITH_BODY)
async def test_a_body_over_the_limit_is_rejected(client, ids, operation, refused):
    size = 300_000
    refused(await send(client, operation, ids, body=b"x" * size), 413)

    async def chunks():
        for _ in range(size // 1000):
            yield b"x" * 1000

    refused(await send(client, operation, ids, body=chunks()), 413)


@each(WITH_BODY)
async def test_a_broken_encoding_of_the_body_is_rejected(client, ids, operation, refused):
    answer = await send(client, operation, ids, headers={"Content-Encoding": "br"})
    refused(answer, 415, "gzip")
    answer = await send(client, operation, ids, headers={"Content-Encoding": "gzip"})
    refused(answer, 400, "gzip")


@each(WITH_MODEL)
@pytest.mark.parametrize(
    "body", ["{", "[1,", "nonsense", '{"name": }', "\ud800".encode("utf-8", "surrogatepass")]
)
async def test_broken_json_is_rejected(client, ids, operation, body, refused):
    refused(await send(client, operation, ids, body=body), 400, "not JSON")


@each(WITH_MODEL)
@pytest.mark.parametrize("body", ["[]", "null", "1", '"text"', "[" * 100_000, '{"a":' * 40_000])
async def test_json_that_is_not_an_object_is_rejected(client, ids, operation, body, refused):
    refused(await send(client, operation, ids, body=body), 400)


@each(WITH_MODEL)
@pytest.mark.parametrize("name", ["attempt_count", "prioritee", "user_id", "ID"])
async def test_an_unknown_field_is_rejected_by_name(client, ids, operation, name, refused):
    body = operation.body.replace("{", '{"' + name + '": 1, ', 1)
    refused(await send(client, operation, ids, body=body), 400, f"unknown field {name}")


@each([operation for operation in WITH_MODEL if operation.method == "PUT"])
async def test_a_replacement_with_another_id_than_its_address_is_rejected(client, ids, operation, refused):
    own = ids["settings"] if operation.body is SETTINGS else ids["task"]
    body = operation.body.replace("{", '{"id": "' + own + '", ', 1)
    assert (await send(client, operation, ids, body=body)).status_code == 200
    body = operation.body.replace("{", '{"id": "' + ids["unknown"] + '", ', 1)
    refused(await send(client, operation, ids, body=body), 400, ids["unknown"])


@each(WITH_MODEL)
async def test_the_user_id_of_another_user_needs_an_admin(client, ids, operation, refused):
    body = operation.body.replace("{", '{"userId": "stranger", ', 1)
    refused(await send(client, operation, ids, body=body), 403)
    answer = await send(client, operation, ids, body=body, headers={"Authorization": "Bearer plain:admin"})
    assert answer.status_code == 200
    assert answer.json()["userId"] == "stranger"


@pytest.mark.parametrize("name", ["%20", "a%2Fb", "..%2Fx", "%00", "%0a", "x" * 201, "a%5Cb", "%FF"])
@pytest.mark.parametrize("path", ["/audio-files/add/", "/subscriber-groups/add/"])
async def test_an_invalid_name_in_the_address_is_rejected(client, path, name):
    content_type = OCTETS if "audio" in path else JSON
    answer = await client.put(
        f"{API}{path}{name}", content=PEOPLE.encode(), headers={"Content-Type": content_type}
    )
    assert answer.status_code == 400
    assert "name" in answer.json()["message"]


async def test_an_unknown_settings_id_in_a_task_is_named(client, ids, refused):
    body = TASK.replace("{settings}", ids["unknown"])
    operation = Operation("POST", "/tasks", type=JSON, body=body)
    refused(await send(client, operation, ids), 400, ids["unknown"])


@pytest.mark.parametrize("path", ["/", "/api", "/api/v1", "/api/v2/tasks", "/api/v1/task", "/favicon.ico"])
async def test_an_unknown_address_gets_the_common_error_form(client, path, refused):
    refused(await client.get(path), 404)


async def test_an_upload_that_is_not_audio_is_answered_with_415_and_removed(stack, client, refused):
    answer = await client.put(
        f"{API}/audio-files/add/zip", content=b"PK\x03\x04", headers={"Content-Type": OCTETS}
    )
    refused(answer, 415)
    assert stack.objects.objects == {}
