"""Refusals of the services behind the gateway, as clients see them."""

import gzip
import json
import uuid

import pytest

from tests.support.tones import tone

JSON = {"Content-Type": "application/json"}
PEOPLE = [{"fullName": "Ivan Potapov", "phones": "776429", "emails": ""}]
STRANGER = {"Authorization": "Bearer plain:stranger"}
ROOT = {"Authorization": "Bearer plain:root"}


@pytest.fixture
def ids(client):
    """Create one resource of each kind, all of one user."""
    audio = client.add_prompt(f"tone-{uuid.uuid4().hex}", tone(0.5))["id"]
    task = client.make_task(PEOPLE, files=[audio])
    kept = client.call("GET", f"/tasks/{task}")
    return {"audio": audio, "group": kept["groups"][0], "settings": kept["settings"], "task": task}


def refused(client, method, path, status, *words, **options):
    body = client.call(method, path, expected=status, **options)
    assert (body["status"], body["path"]) == (status, f"/api/v1{path}")
    for word in words:
        assert word in body["message"], body["message"]
    return body


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("[", ["JSON"]),
        ('[{"fullName": "A", "phones": "1"}', ["subscriber 0", "broken JSON"]),
        ('{"fullName": "A", "phones": "1"}', ["array"]),
        ("nonsense", ["array"]),
        ("[1]", ["subscriber 0"]),
        ('[{"fullName": "A", "phones": "1"}, {"fullName": "B"}]', ["subscriber 1", "phones"]),
        ('[{"phones": "1"}]', ["subscriber 0", "fullName"]),
        ('[{"fullName": " ", "phones": "1"}]', ["subscriber 0", "fullName", "blank"]),
        ('[{"fullName": "' + "x" * 201 + '", "phones": "1"}]', ["subscriber 0", "fullName"]),
        ('[{"fullName": "A", "phones": ""}]', ["subscriber 0", "phones"]),
        ('[{"fullName": "A", "phones": []}]', ["subscriber 0", "phones"]),
        ('[{"fullName": "A", "phones": "12a"}]', ["subscriber 0", "phones", "12a"]),
        ('[{"fullName": "A", "phones": "' + "1" * 33 + '"}]', ["subscriber 0", "phones", "32"]),
        ('[{"fullName": "A", "phones": 776429}]', ["subscriber 0", "phones"]),
        ('[{"fullName": "A", "phones": "1", "emails": 1}]', ["subscriber 0", "emails"]),
        ('[{"fullName": "A", "phones": "1", "phone": "2"}]', ["subscriber 0", "phone"]),
        ('[{"fullName": "A", "phones": "1"}] [{"fullName": "B", "phones": "x"}]', ["subscriber 1"]),
    ],
)
def test_invalid_list_is_refused_with_index_and_field_and_not_stored(client, ids, body, words):
    name = f"bad-{uuid.uuid4().hex}"
    refused(client, "PUT", f"/subscriber-groups/add/{name}", 400, *words, content=body, headers=JSON)
    assert client.call("GET", "/subscriber-groups", params={"name": name})["items"] == []
    refused(client, "PUT", f"/subscriber-groups/{ids['group']}", 400, *words, content=body, headers=JSON)
    kept = client.call("GET", f"/subscriber-groups/{ids['group']}/subscribers")["items"]
    assert [each["fullName"] for each in kept] == ["Ivan Potapov"]


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("GET", "/audio-files/{audio}", {}),
        ("GET", "/audio-files/{audio}/content", {}),
        ("DELETE", "/audio-files/{audio}", {}),
        ("GET", "/subscriber-groups/{group}", {}),
        ("GET", "/subscriber-groups/{group}/subscribers", {}),
        ("PUT", "/subscriber-groups/{group}", {"json": PEOPLE}),
        ("DELETE", "/subscriber-groups/{group}", {}),
        ("GET", "/notification-settings/{settings}", {}),
        (
            "PUT",
            "/notification-settings/{settings}",
            {"json": {"name": "s", "attemptCount": 1, "successCondition": "PICKUP_PHONE"}},
        ),
        ("DELETE", "/notification-settings/{settings}", {}),
        ("GET", "/tasks/{task}", {}),
        ("PUT", "/tasks/{task}/start", {}),
        ("DELETE", "/tasks/{task}", {}),
    ],
)
def test_resource_of_another_user_is_not_found(client, ids, method, path, options):
    refused(client, method, path.format(**ids), 404, headers=STRANGER, **options)


def test_task_with_resources_of_another_user_is_refused(client, ids):
    task = {"name": "t", "settings": ids["settings"], "files": ids["audio"], "groups": ids["group"]}
    found = refused(
        client,
        "POST",
        "/tasks",
        400,
        *(ids[name] for name in ("settings", "audio", "group")),
        json=task,
        headers=STRANGER,
    )
    assert found["error"] == "Bad Request"
    unknown = str(uuid.uuid4())
    for field in ("settings", "files", "groups"):
        refused(client, "POST", "/tasks", 400, field, unknown, json={**task, field: unknown})
        refused(client, "PUT", f"/tasks/{ids['task']}", 400, field, unknown, json={**task, field: unknown})


def test_administrator_reads_and_changes_resources_of_other_users(client, ids):
    kept = client.call("GET", f"/tasks/{ids['task']}", headers=ROOT)
    assert kept["userId"] == "user"
    assert client.call("PUT", f"/tasks/{ids['task']}", json=kept, headers=ROOT)["userId"] == "user"
    settings = {"name": "s", "attemptCount": 1, "successCondition": "PICKUP_PHONE", "userId": "stranger"}
    refused(client, "POST", "/notification-settings", 403, json=settings)
    made = client.call("POST", "/notification-settings", json=settings, headers=ROOT)
    assert (
        client.call("GET", f"/notification-settings/{made['id']}", headers=STRANGER)["userId"] == "stranger"
    )


def test_replacement_of_an_old_version_is_refused(client, ids):
    for path in (
        f"/subscriber-groups/{ids['group']}",
        f"/notification-settings/{ids['settings']}",
        f"/tasks/{ids['task']}",
    ):
        answer = client.http.get(path)
        body = PEOPLE if "groups" in path else answer.json()
        old = {"If-Match": answer.headers["etag"]}
        assert client.http.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
        client.call("PUT", path, json=body, headers=old)
        refused(client, "PUT", path, 412, "changed", json=body, headers=old)
    refused(client, "DELETE", f"/tasks/{ids['task']}", 412, headers=old)


def test_compressed_list_is_limited_by_its_uncompressed_size(client):
    packed = gzip.compress(json.dumps(PEOPLE * 3).encode())
    headers = {**JSON, "Content-Encoding": "gzip"}
    group = client.call("PUT", "/subscriber-groups/add/packed", content=packed, headers=headers)
    assert group["subscriberCount"] == 3
    bomb = gzip.compress(bytes(100_000_000))
    refused(client, "PUT", "/subscriber-groups/add/bomb", 413, content=bomb, headers=headers)


def test_expiry_before_the_start_is_refused(client, ids):
    task = client.call("GET", f"/tasks/{ids['task']}")
    times = {"startAt": "2030-01-02T00:00:00Z", "expiresAt": "2030-01-01T00:00:00Z"}
    refused(client, "PUT", f"/tasks/{ids['task']}", 400, "expiresAt", json={**task, **times})
