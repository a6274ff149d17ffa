"""Conditional requests, HEAD and compression."""

import gzip
import json

import pytest

API = "/api/v1"
SETTINGS = {"name": "s", "attemptCount": 1, "successCondition": "PICKUP_PHONE"}
PEOPLE = [{"fullName": "A", "phones": "1"}]
READABLE = [
    "/audio-files/{audio}",
    "/subscriber-groups/{group}",
    "/notification-settings/{settings}",
    "/tasks/{task}",
]
CHANGEABLE = READABLE[1:]


def body_for(path, ids):
    if "groups" in path:
        return PEOPLE
    if "settings" in path:
        return SETTINGS
    return {"name": "t", "settings": ids["settings"], "files": ids["audio"], "groups": ids["group"]}


@pytest.mark.parametrize("path", READABLE)
async def test_a_resource_with_a_current_etag_is_answered_with_304(client, ids, path):
    path = API + path.format(**ids)
    etag = (await client.get(path)).headers["etag"]
    for sent in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = await client.get(path, headers={"If-None-Match": sent})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
    assert (await client.get(path, headers={"If-None-Match": '"other"'})).status_code == 200


@pytest.mark.parametrize("path", CHANGEABLE)
async def test_a_replacement_needs_the_version_of_if_match(client, ids, path):
    path = API + path.format(**ids)
    body = body_for(path, ids)
    first = (await client.get(path)).headers["etag"]
    changed = await client.put(path, json=body, headers={"If-Match": f'"77", {first}'})
    assert changed.status_code == 200
    second = changed.headers["etag"]
    assert second != first
    assert (await client.get(path)).headers["etag"] == second
    for sent in (first, f"W/{second}", "nonsense", '""', f'"{10**30}"'):
        answer = await client.put(path, json=body, headers={"If-Match": sent})
        assert answer.status_code == 412, sent
        assert answer.json()["error"] == "Precondition Failed"
        assert answer.json()["resourceId"] == path.rpartition("/")[2]
    assert (await client.put(path, json=body, headers={"If-Match": "*"})).status_code == 200
    assert (await client.put(path, json=body)).status_code == 200


async def test_a_removal_needs_the_version_of_if_match(client, ids):
    path = f"{API}/tasks/{ids['task']}"
    assert (await client.delete(path, headers={"If-Match": '"77"'})).status_code == 412
    etag = (await client.get(path)).headers["etag"]
    assert (await client.delete(path, headers={"If-Match": etag})).status_code == 204


async def test_the_removal_of_an_audio_file_needs_the_etag_of_if_match(client, ids):
    await client.delete(f"{API}/tasks/{ids['task']}")
    path = f"{API}/audio-files/{ids['audio']}"
    etag = (await client.get(path)).headers["etag"]
    for sent in ('"77"', f"W/{etag}", "nonsense"):
        refused = await client.delete(path, headers={"If-Match": sent})
        assert (refused.status_code, refused.json()["resourceId"]) == (412, ids["audio"])
    assert (await client.delete(path, headers={"If-Match": f'"77", {etag}'})).status_code == 204
    assert (await client.delete(path, headers={"If-Match": "*"})).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/tasks/{task}/start"),
        ("PUT", "/task-execs/{exec}/stop"),
        ("POST", "/tasks"),
        ("PUT", "/subscriber-groups/add/town"),
    ],
)
async def test_if_match_is_rejected_where_it_is_not_supported(client, stack, ids, method, path, refused):
    before = len(stack.services.asked)
    answer = await client.request(method, API + path.format(**ids), headers={"If-Match": "*"})
    refused(answer, 400, "If-Match")
    assert len(stack.services.asked) == before


async def test_a_replayed_answer_has_its_etag(client):
    headers = {"Idempotency-Key": "k"}
    first = await client.post(f"{API}/notification-settings", json=SETTINGS, headers=headers)
    again = await client.post(f"{API}/notification-settings", json=SETTINGS, headers=headers)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["etag"] == first.headers["etag"]


async def test_if_match_is_part_of_the_request_under_a_key(client, ids):
    path = f"{API}/notification-settings/{ids['settings']}"
    etag = (await client.get(path)).headers["etag"]
    headers = {"Idempotency-Key": "k", "If-Match": etag}
    assert (await client.put(path, json=SETTINGS, headers=headers)).status_code == 200
    assert (await client.put(path, json=SETTINGS, headers=headers)).status_code == 200
    assert (await client.put(path, json=SETTINGS, headers={"Idempotency-Key": "k"})).status_code == 409


async def test_the_version_is_not_a_field(client, ids):
    for path in CHANGEABLE:
        assert "version" not in (await client.get(API + path.format(**ids))).json()
    for collection in ("subscriber-groups", "notification-settings", "tasks"):
        assert "version" not in (await client.get(f"{API}/{collection}")).json()["items"][0]


@pytest.mark.parametrize(
    "path",
    [
        *READABLE,
        "/tasks",
        "/audio-files/{audio}/content",
        "/task-execs/{exec}",
        "/calls",
        "/calls/export",
        "/healthz",
        "/openapi.json",
    ],
)
async def test_head_answers_like_get_without_the_body(client, ids, path):
    path = API + path.format(**ids)
    answer, whole = await client.head(path), await client.get(path)
    assert (answer.status_code, answer.content) == (whole.status_code, b"")
    changing = {"x-request-id"}
    assert {k: v for k, v in answer.headers.items() if k not in changing} == {
        k: v for k, v in whole.headers.items() if k not in changing
    }


async def test_head_of_missing_and_broken_resources_has_the_status_of_get(client, ids):
    assert (await client.head(f"{API}/tasks/{ids['unknown']}")).status_code == 404
    refused = await client.head(f"{API}/tasks/{ids['task']}/start")
    assert (refused.status_code, refused.headers["allow"]) == (405, "PUT")
    options = await client.options(f"{API}/tasks")
    assert options.headers["allow"] == "GET, HEAD, POST"


async def test_large_answers_are_compressed_and_audio_is_not(client, ids):
    for _ in range(20):
        await client.post(f"{API}/notification-settings", json=SETTINGS)
    async with client.stream("GET", f"{API}/notification-settings") as answer:
        assert answer.headers["content-encoding"] == "gzip"
        assert "Accept-Encoding" in answer.headers["vary"]
        raw = b"".join([piece async for piece in answer.aiter_raw()])
    assert len(json.loads(gzip.decompress(raw))["items"]) == 21
    answer = await client.get(f"{API}/notification-settings", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in answer.headers
    audio = await client.get(f"{API}/audio-files/{ids['audio']}/content", headers={"Range": "bytes=0-999"})
    assert "content-encoding" not in audio.headers
    assert len(audio.content) == 1000
