"""Every rule that a request can break, and the sentence that tells it."""

import json

import pytest

API = "/api/v1"
SETTINGS = {"name": "calm", "attemptCount": 2, "successCondition": "PICKUP_PHONE"}
TIME = "an ISO 8601 time with its zone, such as 2024-03-24T08:30:00Z"

IN_SETTINGS = [
    ({"attemptCount": 0}, "attemptCount should be greater than or equal to 1, not 0"),
    ({"attemptCount": 101}, "attemptCount should be less than or equal to 100, not 101"),
    ({"attemptCount": "2"}, 'attemptCount should be a whole number, not "2"'),
    ({"attemptCount": 1.5}, "attemptCount should be a whole number, not 1.5"),
    ({"attemptCount": None}, "attemptCount should be a whole number"),
    ({"attemptCount": 10**30}, f"attemptCount should be less than or equal to 100, not {10**30}"),
    ({"name": ""}, 'name should have at least 1 character, not ""'),
    ({"name": "  "}, "name must not be blank"),
    ({"name": 5}, "name should be text, not 5"),
    ({"name": "x" * 201}, f'name should have at most 200 characters, not "{"x" * 59}…'),
    ({"successCondition": "HEARD"}, "successCondition should be 'PICKUP_PHONE', 'PICKUP_AND_LISTEN_SOME', "),
    ({"timeRestrictions": 5}, "timeRestrictions should be a JSON object, not 5"),
    (
        {"timeRestrictions": {"tillHour": 24, "tillMin": 1}},
        "timeRestrictions: tillMin should be 0 with tillHour 24",
    ),
    ({"timeZone": "Mars/Olympus"}, "timeZone should be an IANA time zone name, not 'Mars/Olympus'"),
    ({"weekdays": "MON"}, 'weekdays should be a list, not "MON"'),
    ({"weekdays": []}, "weekdays should have at least 1 item"),
    ({"weekdays": ["MOND"]}, "weekdays[0] should be 'MON', 'TUE', "),
    ({"confirmCode": "a"}, 'confirmCode should match the pattern ^[0-9*#]{1,16}$, not "a"'),
    ({"nam": 1}, "unknown field nam"),
    (
        {"successCondition": "PICKUP_AND_LISTEN_SOME"},
        "successPlaybackDurationS is needed with PICKUP_AND_LISTEN_SOME",
    ),
    (
        {"attemptDelays": 1, "attemptDelayS": 1},
        "attemptDelayS and attemptDelays are the same field; give only one of them",
    ),
]

IN_TASK = [
    ({"settings": "x"}, 'settings should be a UUID, not "x"'),
    ({"settings": 5}, "settings should be a UUID, not 5"),
    ({"files": []}, "files should have at least 1 item"),
    ({"files": ["x"]}, 'files[0] should be a UUID, not "x"'),
    ({"startAt": "tomorrow"}, f'startAt should be {TIME}, not "tomorrow"'),
    ({"startAt": "2024-03-24"}, f'startAt should be {TIME}, not "2024-03-24"'),
    ({"startAt": "2024-03-24T08:30:00"}, f'startAt should be {TIME}, not "2024-03-24T08:30:00"'),
    ({"startAt": "0001-01-01T00:00:00+14:00"}, "startAt should be a time from 1970 to 2199, not "),
    ({"priority": 11}, "priority should be less than or equal to 10, not 11"),
    ({"name": None}, "name should be text"),
]

BY_QUERY = [
    ("/calls?limit=x", 'limit should be a whole number, not "x"'),
    ("/calls?limit=0", 'limit should be greater than or equal to 1, not "0"'),
    ("/calls?from=x", f"from should be {TIME}, not 'x'"),
    ("/calls?number=x", "number: 'x' is not a telephone number"),
    ("/calls?name=%20", 'name should not be blank, not " "'),
    ("/calls?taskExecId=x", 'taskExecId should be a UUID, not "x"'),
    ("/calls?outcome=x", "outcome should be 'ringing', 'talking', 'succeeded' or 'failed', not \"x\""),
    ("/calls?nam=x", "unknown parameter nam; allowed: cursor, from, limit, name, number, "),
    ("/statistics", "groupBy is required"),
    ("/statistics?groupBy=day&timeZone=x", "timeZone should be an IANA time zone name, not 'x'"),
    ("/task-execs?active=x", 'active should be true or false, not "x"'),
    ("/tasks/x", "there is no such resource: the id in the address is not a UUID"),
]

BODIES = [
    ("", "the body is empty"),
    ("{", "the body is not JSON: EOF while parsing an object at line 1 column 1"),
    ("[]", "the body should be a JSON object"),
    ("{}", "name is required; attemptCount is required; successCondition is required"),
    (json.dumps({str(no): no for no in range(9)}), "and 7 more"),
]


@pytest.mark.parametrize(("changes", "wanted"), IN_SETTINGS, ids=lambda value: str(value)[:50])
async def test_a_rule_of_settings_is_a_sentence(client, changes, wanted):
    answer = await client.post(f"{API}/notification-settings", json={**SETTINGS, **changes})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(wanted)


@pytest.mark.parametrize(("changes", "wanted"), IN_TASK, ids=lambda value: str(value)[:50])
async def test_a_rule_of_tasks_is_a_sentence(client, ids, changes, wanted):
    task = {"name": "t", "settings": ids["settings"], "files": [ids["audio"]], "groups": [ids["group"]]}
    answer = await client.post(f"{API}/tasks", json={**task, **changes})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(wanted)


@pytest.mark.parametrize(("query", "wanted"), BY_QUERY)
async def test_a_rule_of_parameters_is_a_sentence(client, query, wanted):
    answer = await client.get(f"{API}{query}")
    assert answer.status_code in {400, 404}
    assert answer.json()["message"].startswith(wanted)


@pytest.mark.parametrize(("body", "wanted"), BODIES)
async def test_a_rule_of_bodies_is_a_sentence(client, body, wanted):
    headers = {"Content-Type": "application/json"}
    answer = await client.post(f"{API}/notification-settings", content=body.encode(), headers=headers)
    assert answer.status_code == 400
    assert wanted in answer.json()["message"]


async def test_a_missing_media_type_and_a_missing_token_are_sentences(client):
    answer = await client.post(f"{API}/notification-settings", content=b"{}")
    assert answer.json()["message"] == "Content-Type is missing; it should be application/json"
    for token, wanted in {
        "plain:nobody": "the token is not known",
        "x": "a token is needed: Authorization: Bearer plain:<appToken>",
    }.items():
        answer = await client.get(f"{API}/tasks", headers={"Authorization": f"Bearer {token}"})
        assert answer.json()["message"] == wanted
    headers = {"Authorization": "Bearer plain:reader"}
    answer = await client.post(f"{API}/tasks", json={}, headers=headers)
    assert answer.json()["message"] == "the token of user lacks the permission write"
