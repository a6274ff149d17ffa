"""`/audit`: every change of every user, with the resource before and after it."""

import pytest

API = "/api/v1"
ADMIN = {"Authorization": "Bearer plain:admin"}
SETTINGS = {"name": "calm", "attemptCount": 1, "successCondition": "PICKUP_PHONE"}


async def records(client, **parameters):
    return (await client.get(f"{API}/audit", params=parameters, headers=ADMIN)).json()


async def test_a_change_is_recorded_with_the_resource_before_and_after_it(client):
    added = (await client.post(f"{API}/notification-settings", json=SETTINGS)).json()
    path = f"{API}/notification-settings/{added['id']}"
    loud = {**SETTINGS, "name": "loud"}
    answer = await client.put(path, json=loud, headers={"X-Request-ID": "bench-7"})
    assert answer.status_code == 200
    assert (await client.delete(path, headers=ADMIN)).status_code == 204
    removed, replaced, created = (await records(client, limit=3))["items"]
    assert (created["operation"], created["before"], created["after"]["name"]) == (
        "add_notification_settings",
        None,
        "calm",
    )
    assert (replaced["operation"], replaced["before"]["name"], replaced["after"]["name"]) == (
        "replace_notification_settings",
        "calm",
        "loud",
    )
    assert (replaced["requestId"], replaced["userId"], replaced["admin"]) == ("bench-7", "user", False)
    assert (removed["before"]["name"], removed["after"]) == ("loud", None)
    assert (removed["userId"], removed["admin"]) == ("root", True)
    assert {one["resourceId"] for one in (created, replaced, removed)} == {added["id"]}
    assert created["at"] <= replaced["at"] <= removed["at"]


async def test_a_start_is_recorded_with_its_execution(client, ids):
    assert (await client.put(f"{API}/task-execs/{ids['exec']}/pause")).status_code == 200
    paused = (await records(client, limit=1))["items"][0]
    assert (paused["operation"], paused["resourceId"], paused["after"]) == ("pause_run", ids["exec"], None)
    started = next(one for one in (await records(client))["items"] if one["operation"] == "start_task")
    assert started["resourceId"] == ids["exec"]


async def test_readings_and_refused_changes_are_not_recorded(client, ids):
    before = await records(client)
    await client.get(f"{API}/tasks/{ids['task']}")
    await client.post(f"{API}/tasks/{ids['task']}/check")
    await client.put(f"{API}/tasks/{ids['task']}/start")
    await client.post(f"{API}/notification-settings", json={})
    assert await records(client) == before


async def test_a_repeated_request_is_one_change(client):
    headers = {"Idempotency-Key": "once"}
    for _ in range(2):
        await client.post(f"{API}/notification-settings", json=SETTINGS, headers=headers)
    made = [one["operation"] for one in (await records(client))["items"]]
    assert made[:2] != ["add_notification_settings"] * 2


async def test_the_log_comes_in_pages_and_stays_as_it_is(client):
    names = [f"s{no}" for no in range(5)]
    for name in names:
        await client.post(f"{API}/notification-settings", json={**SETTINGS, "name": name})
    first = await records(client, limit=2)
    await client.post(f"{API}/notification-settings", json=SETTINGS)
    second = await records(client, limit=2, cursor=first["nextCursor"])
    found = [one["after"]["name"] for one in first["items"] + second["items"]]
    assert found == names[:0:-1]
    page = first
    while page["nextCursor"]:
        page = await records(client, limit=2, cursor=page["nextCursor"])
    assert page["items"]


@pytest.mark.parametrize("token", ["default", "reader", "analyst"])
async def test_only_administrators_read_the_log(client, refused, token):
    headers = {"Authorization": f"Bearer plain:{token}"}
    refused(await client.get(f"{API}/audit", headers=headers), 403, "admin")


async def test_a_change_that_cannot_be_recorded_is_not_answered_and_can_be_repeated(client, stack, refused):
    stack.audit.away = True
    headers = {"Idempotency-Key": "again"}
    refused(await client.post(f"{API}/notification-settings", json=SETTINGS, headers=headers), 503, "")
    stack.audit.away = False
    answer = await client.post(f"{API}/notification-settings", json=SETTINGS, headers=headers)
    assert answer.status_code == 200
    newest = (await records(client, limit=1))["items"][0]
    assert newest["resourceId"] == answer.json()["id"]
