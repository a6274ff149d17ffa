"""The same key, the same answer; another body, a conflict."""

import asyncio
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from cato_contracts.errors import RefusedError, UnavailableError
from cato_gateway.settings import GatewaySettings

API = "/api/v1"
KEY = {"Idempotency-Key": "k-1"}
OCTETS = {"Content-Type": "application/octet-stream"}
SETTINGS = {"name": "s", "attemptCount": 1, "successCondition": "PICKUP_PHONE"}


async def test_a_repeated_request_gets_the_first_answer(client, stack):
    first = await client.post(f"{API}/notification-settings/", json=SETTINGS, headers=KEY)
    again = await client.post(f"{API}/notification-settings", json=SETTINGS, headers=KEY)
    assert first.status_code == again.status_code == 200
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert len(stack.services.settings) == 1


async def test_without_a_key_every_request_is_a_new_one(client, stack):
    for _ in range(2):
        await client.post(f"{API}/notification-settings", json=SETTINGS)
    assert len(stack.services.settings) == 2


async def test_another_body_under_the_same_key_is_a_conflict(client):
    await client.post(f"{API}/notification-settings", json=SETTINGS, headers=KEY)
    answer = await client.post(
        f"{API}/notification-settings", json={**SETTINGS, "name": "other"}, headers=KEY
    )
    assert answer.status_code == 409
    assert "k-1" in answer.json()["message"]


async def test_a_key_belongs_to_a_user_and_an_address(client, stack, ids):
    for token in ("default", "stranger"):
        headers = {**KEY, "Authorization": f"Bearer plain:{token}"}
        answer = await client.post(f"{API}/notification-settings", json=SETTINGS, headers=headers)
        assert "idempotent-replayed" not in answer.headers
    answer = await client.put(f"{API}/notification-settings/{ids['settings']}", json=SETTINGS, headers=KEY)
    assert answer.status_code == 200
    assert "idempotent-replayed" not in answer.headers


async def test_an_upload_is_identified_by_its_bytes_and_removed(client, stack):
    path = f"{API}/audio-files/add/flood"
    first = await client.put(path, content=b"RIFF", headers={**OCTETS, **KEY})
    again = await client.put(path, content=b"RIFF", headers={**OCTETS, **KEY})
    other = await client.put(path, content=b"RIFX", headers={**OCTETS, **KEY})
    assert again.content == first.content
    assert other.status_code == 409
    assert [bucket for bucket, _ in stack.objects.objects if bucket == "uploads"] == []


async def test_parameters_belong_to_the_request(client, ids):
    path = f"{API}/task-execs/{ids['exec']}/stop"
    assert (await client.put(path, headers=KEY)).status_code == 200
    assert (await client.put(path, params={"hangup": "true"}, headers=KEY)).status_code == 409


async def test_after_a_refusal_the_key_accepts_another_body(client, ids):
    unknown = {"name": "t", "settings": ids["unknown"], "files": ids["audio"], "groups": ids["group"]}
    assert (await client.post(f"{API}/tasks", json=unknown, headers=KEY)).status_code == 400
    known = {**unknown, "settings": ids["settings"]}
    assert (await client.post(f"{API}/tasks", json=known, headers=KEY)).status_code == 200


@pytest.mark.parametrize("failure", [UnavailableError("gone"), RefusedError("internal error")])
async def test_a_start_whose_answer_was_lost_is_not_a_second_start(client, stack, ids, failure):
    stack.services.running.clear()
    before = len(stack.services.runs)
    stack.services.failures.append(failure)
    path = f"{API}/tasks/{ids['task']}/start"
    lost = await client.put(path, headers=KEY)
    assert lost.status_code in {500, 503}
    again = await client.put(path, headers=KEY)
    assert again.status_code == 200
    assert again.json()["taskExecId"] == str(stack.services.running[next(iter(stack.services.running))])
    assert len(stack.services.runs) == before + 1


async def test_concurrent_requests_with_one_key_make_one_resource(client, stack):
    answers = await asyncio.gather(
        *(client.post(f"{API}/notification-settings", json=SETTINGS, headers=KEY) for _ in range(10))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(stack.services.settings) == 1


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "ключ".encode()])
async def test_a_key_with_other_than_visible_ascii_is_rejected(client, key):
    answer = await client.post(
        f"{API}/notification-settings", json=SETTINGS, headers={"Idempotency-Key": key}
    )
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["message"]


async def test_an_upload_is_sent_again_after_the_service_died(client, stack):
    class Dying:
        asked: ClassVar[list[str]] = []

        async def ask(self, request, *, command_id, timeout, **options: Any):
            self.asked.append(command_id)
            if len(self.asked) == 1:
                await asyncio.sleep(timeout)
                raise UnavailableError("the media service did not answer")
            return await stack.services.ask(request, command_id=command_id, **options)

    stack.deps.asker = Dying()
    stack.deps.settings = GatewaySettings(answer_timeout=timedelta(seconds=0.01))
    answer = await client.put(f"{API}/audio-files/add/flood", content=b"RIFF", headers=OCTETS)
    assert answer.status_code == 200
    assert len(Dying.asked) == 2
    assert len(set(Dying.asked)) == 1
