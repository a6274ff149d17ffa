"""`/contact-limits`: each user has own ones, administrators those of the system."""

import pytest

API = "/api/v1/contact-limits"
SYSTEM = f"{API}?scope=SYSTEM"
ADMIN = {"Authorization": "Bearer plain:admin"}
LIMITS = {"limits": [{"maxCalls": 3, "perS": 86400}], "minGapS": 3600, "over": "TASK"}


async def test_a_user_has_own_limits(client, refused):
    refused(await client.get(API), 404, "limits")
    answer = await client.put(API, json=LIMITS)
    stored = {**LIMITS, "scope": "USER", "userId": answer.json()["userId"]}
    assert answer.json() == stored
    assert (await client.get(API)).json() == stored
    refused(await client.get(API, headers=ADMIN), 404, "limits")
    assert (await client.delete(API)).status_code == 204
    refused(await client.delete(API), 404, "limits")


async def test_an_administrator_stores_the_limits_of_the_system_and_everybody_reads_them(client, refused):
    refused(await client.put(SYSTEM, json=LIMITS), 403, "admin")
    stored = {**LIMITS, "scope": "SYSTEM"}
    assert (await client.put(SYSTEM, json=LIMITS, headers=ADMIN)).json() == stored
    assert (await client.get(SYSTEM)).json() == stored
    refused(await client.delete(SYSTEM), 403, "admin")
    assert (await client.delete(SYSTEM, headers=ADMIN)).status_code == 204


async def test_absent_fields_have_their_defaults(client):
    answer = await client.put(API, json={"minGapS": 1})
    assert answer.json() | {"userId": None} == {
        "limits": [],
        "minGapS": 1,
        "over": "ALL_TASKS",
        "scope": "USER",
        "userId": None,
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "limits"),
        ({"limits": [], "minGapS": 0}, "limits"),
        ({"limits": [{"maxCalls": 0, "perS": 1}]}, "maxCalls"),
        ({"limits": [{"maxCalls": 101, "perS": 1}]}, "maxCalls"),
        ({"limits": [{"maxCalls": 1, "perS": 0}]}, "perS"),
        ({"limits": [{"maxCalls": 1, "perS": 2_592_001}]}, "perS"),
        ({"limits": [{"maxCalls": 1}]}, "perS"),
        ({"limits": [{"maxCalls": 1, "perS": 1}] * 11}, "limits"),
        ({"minGapS": -1}, "minGapS"),
        ({"minGapS": 1, "over": "RUN"}, "over"),
        ({"minGapS": 1, "scope": "USER"}, "scope"),
    ],
)
async def test_limits_with_a_mistake_are_rejected(client, refused, body, field):
    refused(await client.put(API, json=body), 400, field)
