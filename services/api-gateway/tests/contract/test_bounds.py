"""Every field and every parameter out of its bounds: 400, and the field's name."""

from datetime import datetime
from uuid import UUID

import pytest

API = "/api/v1"
JSON = "application/json"

SETTINGS_OUT_OF_BOUNDS = [
    ("name", '""'),
    ("name", '"  "'),
    ("name", f'"{"x" * 201}"'),
    ("name", "1"),
    ("name", "null"),
    ("attemptCount", "0"),
    ("attemptCount", "101"),
    ("attemptCount", '"2"'),
    ("attemptCount", "true"),
    ("attemptCount", "1.5"),
    ("attemptCount", "null"),
    ("attemptDelayS", "-1"),
    ("attemptDelayS", "604801"),
    ("attemptDelays", "-1"),
    ("successCondition", '"PICKUP"'),
    ("successCondition", "null"),
    ("successPlaybackDurationS", "-1"),
    ("successPlaybackDurationS", "3601"),
    ("successPlaybackDurations", "3601"),
    ("maxCallDurationS", "0"),
    ("maxCallDurationS", "7201"),
    ("maxCallDurations", "0"),
    ("maxAnswerDelayS", "-1"),
    ("maxAnswerDelayS", "301"),
    ("maxAnswerDelays", "301"),
    ("timeRestrictions", "8"),
    ("timeRestrictions.fromHour", '{"fromHour": -1}'),
    ("timeRestrictions.fromHour", '{"fromHour": 24}'),
    ("timeRestrictions.fromMin", '{"fromMin": -1}'),
    ("timeRestrictions.fromMin", '{"fromMin": 60}'),
    ("timeRestrictions.tillHour", '{"tillHour": -1}'),
    ("timeRestrictions.tillHour", '{"tillHour": 25}'),
    ("timeRestrictions.tillMin", '{"tillMin": 60}'),
    ("timeRestrictions", '{"tillHour": 24, "tillMin": 1}'),
    ("timeRestrictions.frmHour", '{"frmHour": 1}'),
    ("timeZone", '"Mars/Olympus"'),
    ("timeZone", '""'),
    ("weekdays", "[]"),
    ("weekdays", '["MONDAY"]'),
    ("confirmCode", '"12a"'),
    ("confirmCode", '""'),
    ("confirmCode", f'"{"1" * 17}"'),
    ("repeatCount", "0"),
    ("repeatCount", "11"),
    ("userId", '""'),
    ("userId", f'"{"x" * 201}"'),
]
TASKS_OUT_OF_BOUNDS = [
    ("name", '""'),
    ("name", f'"{"x" * 201}"'),
    ("settings", '"x"'),
    ("settings", "null"),
    ("settings", "[]"),
    ("files", "[]"),
    ("files", '""'),
    ("files", '["x"]'),
    ("files", "null"),
    ("groups", "[]"),
    ("groups", "7"),
    ("groups", '["x"]'),
    ("startAt", '"2030-01-01T00:00:00"'),
    ("startAt", '"soon"'),
    ("expiresAt", '"tomorrow"'),
    ("startAt", '"0001-01-01T00:00:00+14:00"'),
    ("startAt", '"1969-12-31T23:59:59Z"'),
    ("expiresAt", '"9999-12-31T23:59:59-12:00"'),
    ("expiresAt", '"2200-01-01T00:00:00Z"'),
    ("priority", "11"),
    ("priority", "-11"),
    ("priority", '"1"'),
    ("userId", '""'),
]


async def send_fields(client, ids, method, path, fields):
    body = "{" + ", ".join(f'"{name}": {each}' for name, each in fields.items()) + "}"
    path = API + path.format(**ids)
    return await client.request(method, path, content=body, headers={"Content-Type": JSON})


def settings_fields():
    return {"name": '"s"', "attemptCount": "1", "successCondition": '"PICKUP_PHONE"'}


def task_fields(ids):
    parts = {"settings": ids["settings"], "files": ids["audio"], "groups": ids["group"]}
    return {"name": '"t"', **{name: f'"{each}"' for name, each in parts.items()}}


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/notification-settings"), ("PUT", "/notification-settings/{settings}")]
)
@pytest.mark.parametrize(("field", "value"), SETTINGS_OUT_OF_BOUNDS)
async def test_settings_out_of_bounds_name_the_field(client, ids, method, path, field, value, refused):
    fields = settings_fields() | {field.partition(".")[0]: value}
    answer = await send_fields(client, ids, method, path, fields)
    # An alias with a lower-case final s is reported under the name that it stands for.
    named = f"{field[:-1]}S" if field.endswith(("Delays", "Durations")) else field
    refused(answer, 400, named)


@pytest.mark.parametrize(("method", "path"), [("POST", "/tasks"), ("PUT", "/tasks/{task}")])
@pytest.mark.parametrize(("field", "value"), TASKS_OUT_OF_BOUNDS)
async def test_tasks_out_of_bounds_name_the_field(client, ids, method, path, field, value, refused):
    answer = await send_fields(client, ids, method, path, task_fields(ids) | {field: value})
    refused(answer, 400, field)


@pytest.mark.parametrize("field", ["name", "attemptCount", "successCondition"])
async def test_settings_without_a_required_field_name_it(client, ids, field, refused):
    fields = {name: each for name, each in settings_fields().items() if name != field}
    refused(
        await send_fields(client, ids, "POST", "/notification-settings", fields), 400, f"{field} is required"
    )


async def test_listening_to_some_needs_a_duration(client, ids, refused):
    fields = settings_fields() | {"successCondition": '"PICKUP_AND_LISTEN_SOME"'}
    answer = await send_fields(client, ids, "POST", "/notification-settings", fields)
    refused(answer, 400, "successPlaybackDurationS")


@pytest.mark.parametrize("field", ["name", "settings", "files", "groups"])
async def test_tasks_without_a_required_field_name_it(client, ids, field, refused):
    fields = {name: each for name, each in task_fields(ids).items() if name != field}
    refused(await send_fields(client, ids, "POST", "/tasks", fields), 400, f"{field} is required")


@pytest.mark.parametrize(
    "path",
    [
        "/audio-files",
        "/subscriber-groups",
        "/subscriber-groups/{group}/subscribers",
        "/notification-settings",
        "/tasks",
        "/task-execs",
        "/task-execs/{exec}",
    ],
)
@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "limit=", "cursor=***", f"cursor={'x' * 3000}"]
)
async def test_parameters_out_of_bounds_name_the_parameter(client, ids, path, query, refused):
    refused(await client.get(f"{API}{path.format(**ids)}?{query}"), 400, query.partition("=")[0])


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("GET", "/audio-files", f"name={'x' * 201}"),
        ("GET", "/audio-files/{audio}/content", "format=mp3"),
        ("GET", "/subscriber-groups/{group}/subscribers", "format=xml"),
        ("GET", "/task-execs", "taskId=x"),
        ("GET", "/task-execs", "active=maybe"),
        ("GET", "/task-execs/{exec}", "subscribers=some"),
        ("GET", "/task-execs/{exec}", "events=maybe"),
        ("PUT", "/task-execs/{exec}/pause", "hangup=maybe"),
        ("PUT", "/task-execs/{exec}/stop", "hangup="),
    ],
)
async def test_a_parameter_that_cannot_be_read_is_named(client, ids, method, path, query, refused):
    answer = await client.request(method, f"{API}{path.format(**ids)}?{query}")
    refused(answer, 400, query.partition("=")[0])


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59.999999Z"),
    ],
)
async def test_a_stored_time_at_the_edge_of_the_calendar_leaves_lists_readable_l9(
    stack, client, ids, stored, shown
):
    task = stack.services.tasks[UUID(ids["task"])]
    stack.services.tasks[task.id] = task.model_copy(update={"start_at": datetime.fromisoformat(stored)})
    listed = await client.get(f"{API}/tasks")
    assert [each["startAt"] for each in listed.json()["items"]] == [shown]
    assert (await client.get(f"{API}/tasks/{ids['task']}")).json()["startAt"] == shown


async def test_days_without_calls_are_stored_and_only_whole_days(client, refused):
    body = {"name": "s", "attemptCount": 1, "successCondition": "PICKUP_PHONE"}
    days = ["2024-02-29", "2027-05-09"]
    stored = await client.post(f"{API}/notification-settings", json={**body, "excludedDates": days})
    assert stored.json()["excludedDates"] == days
    for wrong in ("2023-02-29", "2027-05-09T00:00:00", "2024-W19-4", "20270509", 1, ""):
        answer = await client.post(f"{API}/notification-settings", json={**body, "excludedDates": [wrong]})
        refused(answer, 400, "excludedDates[0]")
