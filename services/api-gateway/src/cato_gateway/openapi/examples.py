"""The manual's examples (chapter 3), as the OpenAPI document shows them: bodies, and answers by operation."""

import json
from typing import Any

AUDIO_ID = "a88a6210-5434-4ee6-886a-7e43f0beeb4f"
GROUP_ID = "3a27def6-af0f-44fa-965a-ba0bfb67316e"
SETTINGS_ID = "4ac70308-1afe-4e58-92ff-794300ebd785"
TASK_ID = "862ceccb-850e-4ff0-a4e5-9c8acee6f423"
EXECUTION_ID = "02cd00d1-0f12-494f-91ab-da1691e555ca"
STATION_ID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
SUBSCRIBER_ID = "5f0c1a52-5e0b-5c8e-9a52-6a4a2b1f7c11"
_BASE = "http://127.0.0.1:8080/api/v1"

SETTINGS: dict[str, Any] = {
    "name": "profile_1",
    "attemptCount": 2,
    "attemptDelayS": 60,
    "successCondition": "PICKUP_PHONE",
    "successPlaybackDurationS": 5,
    "maxCallDurationS": 90,
    "maxAnswerDelayS": 30,
    "timeRestrictions": {"fromMin": 30, "fromHour": 8, "tillMin": 30, "tillHour": 18},
    "userId": "user",
}
TASK: dict[str, Any] = {
    "name": "task_2024-03-24",
    "settings": SETTINGS_ID,
    "files": [AUDIO_ID],
    "groups": [GROUP_ID],
    "userId": "user",
}
SUBSCRIBERS: list[dict[str, Any]] = [
    {"fullName": "Ivan Potapov", "phones": "776429", "emails": ""},
    {"fullName": "Olga Popova", "phones": ["776413", "776450"], "emails": ""},
]
CSV = "fullName,phones,emails\nIvan Potapov,776429,\nOlga Popova,776413;776450,\n"

_AUDIO = {
    "id": AUDIO_ID,
    "name": "flood_warning",
    "url": f"{_BASE}/audio-files/{AUDIO_ID}/content",
    "userId": "user",
    "durationMs": 6390,
    "sizeBytes": 51120,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "createdAt": "2024-03-24T08:00:00Z",
}
_GROUP = {
    "id": GROUP_ID,
    "name": "iskratech",
    "url": f"{_BASE}/subscriber-groups/{GROUP_ID}/subscribers",
    "userId": "user",
    "subscriberCount": 2,
    "createdAt": "2024-03-24T08:00:00Z",
}
_SETTINGS = {
    "id": SETTINGS_ID,
    **SETTINGS,
    "timeZone": None,
    "weekdays": None,
    "confirmCode": "1",
    "repeatCount": 1,
}
_TASK = {"id": TASK_ID, **TASK, "startAt": None, "expiresAt": None, "priority": 0}
_REPORT = {
    "name": "task_2024-03-24",
    "subscriberCount": 2,
    "subscriberNotYetNotified": 0,
    "subscriberNotified": 1,
    "subscriberFailed": 1,
    "callsTotal": 3,
    "callsSucceeded": 1,
    "callsFailed": 2,
    "callsInProgress": 0,
    "callsDelayed": 0,
    "callsRinging": 0,
    "callsTalking": 0,
    "waveCurrent": 2,
    "waveTotal": 2,
    "activePhase": False,
    "state": "FINISHED",
    "eta": None,
}
_CALL = {
    "csId": STATION_ID,
    "callStart": 1711266311695,
    "callRingStart": 1711266312101,
    "callTalkingStart": 1711266315044,
    "callEnd": 1711266321470,
    "success": True,
    "delayed": False,
    "events": [
        {"time": 1711266311700, "name": "CS defined", "status": "CS_DEFINED", "data": STATION_ID},
        {"time": 1711266311704, "name": "Trying", "status": "TRYING", "data": "SIP_CODE:100"},
    ],
}
_STATUS = {
    "notified": True,
    "subscriber": {"fullName": "Ivan Potapov", "phones": ["776429"], "emails": []},
    "phones": [{"number": "776429", "calls": [_CALL]}],
}
_EXECUTION = {
    "id": EXECUTION_ID,
    "taskId": TASK_ID,
    "userId": "user",
    "startedAt": "2024-03-24T08:30:00Z",
    "endedAt": "2024-03-24T08:32:00Z",
    "report": _REPORT,
}
CALL_ID = "018e6f3a-98f0-7c31-8a52-6f1f0a3d2b10"
_RECORD = {
    "id": CALL_ID,
    "taskExecId": EXECUTION_ID,
    "taskId": TASK_ID,
    "taskName": "task_2024-03-24",
    "subscriberId": SUBSCRIBER_ID,
    "subscriberName": "Ivan Potapov",
    "wave": 1,
    "number": "776429",
    "stationId": STATION_ID,
    "startedAt": "2024-03-24T07:45:11.695Z",
    "ringingAt": "2024-03-24T07:45:12.101Z",
    "answeredAt": "2024-03-24T07:45:15.044Z",
    "endedAt": "2024-03-24T07:45:21.470Z",
    "outcome": "succeeded",
    "success": True,
    "sipCode": 200,
    "reason": "heard-to-the-end",
    "pddMs": 406,
    "talkMs": 6426,
    "heardMs": 6390,
    "digits": "",
    "delayed": False,
}
_FIGURES = {
    "attempts": 3,
    "inProgress": 0,
    "answered": 1,
    "succeeded": 1,
    "failed": 2,
    "delayed": 0,
    "asr": 0.3333333333333333,
    "ner": 1.0,
    "acdMs": 6426.0,
    "pddMs": 420.0,
    "pddP95Ms": 512.0,
}
_STATISTICS = {
    "groupBy": "day",
    "groups": [{"key": "2024-03-24", "label": None, **_FIGURES}],
    "total": {"key": None, "label": None, **_FIGURES},
}
PARAMETERS = {
    "from": "2024-03-24T00:00:00+03:00",
    "to": "2024-03-25T00:00:00+03:00",
    "number": "776429",
    "timeZone": "Europe/Moscow",
}


def _cell(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


CALLS_CSV = f"{','.join(_RECORD)}\n{','.join(map(_cell, _RECORD.values()))}\n"
CALLS_JSONL = json.dumps(_RECORD) + "\n"
EVENTS = f"""retry: 1000

id: 3f1b0c9a5d2e7a64
event: report
data: {json.dumps(_REPORT)}

id: end
event: end
data: {json.dumps(_REPORT)}

"""
_CONTROLLED = {"taskExecId": EXECUTION_ID, "result": "SUCCESS"}


def _page(item: dict[str, Any]) -> dict[str, Any]:
    return {"items": [item], "nextCursor": None}


ANSWERS: dict[str, Any] = {
    "add_audio_file": _AUDIO,
    "list_audio_files": _page(_AUDIO),
    "get_audio_file": _AUDIO,
    "add_subscriber_group": _GROUP,
    "replace_subscriber_group": _GROUP,
    "list_subscriber_groups": _page(_GROUP),
    "get_subscriber_group": _GROUP,
    "list_subscribers": _page(
        {
            "id": SUBSCRIBER_ID,
            "fullName": "Ivan Potapov",
            "phones": ["776429"],
            "emails": [],
        }
    ),
    "add_notification_settings": _SETTINGS,
    "replace_notification_settings": _SETTINGS,
    "list_notification_settings": _page(_SETTINGS),
    "get_notification_settings": _SETTINGS,
    "add_task": _TASK,
    "replace_task": _TASK,
    "list_tasks": _page(_TASK),
    "get_task": _TASK,
    "start_task": _CONTROLLED,
    "list_task_execs": _page(_EXECUTION),
    "get_task_exec": {"id": EXECUTION_ID, "report": _REPORT, "subscribers": [_STATUS]},
    "pause_task_exec": _CONTROLLED,
    "resume_task_exec": _CONTROLLED,
    "stop_task_exec": _CONTROLLED,
    "list_calls": _page(_RECORD),
    "get_call": {**_RECORD, "events": _CALL["events"]},
    "get_statistics": _STATISTICS,
}

MESSAGES: dict[int, str] = {
    400: "attemptCount should be greater than or equal to 1, not 0",
    401: "a token is needed: Authorization: Bearer plain:<appToken>",
    403: "the token of user has no permission to run",
    404: f"there is no task {TASK_ID}",
    405: "PATCH does not apply here; allowed: DELETE, GET, HEAD, PUT",
    409: "the task is being executed",
    412: "the task was changed in the meantime: read it again",
    413: "the body has more than the 52428800 bytes that are allowed here",
    415: "Content-Type should be application/json, not text/plain",
    416: "no byte of this range is among the 51178 that there are",
    500: "internal error; the log has it under the id in X-Request-ID",
    503: "the dialer service did not answer within 10 s",
}


def problem_example(status: int, phrase: str) -> dict[str, Any]:
    """Return an error as the manual shows it (2.2), with a sentence that fits the status."""
    return {
        "timestamp": 1718617226687,
        "status": status,
        "error": phrase,
        "path": f"/api/v1/tasks/{TASK_ID}/start",
        "message": MESSAGES[status],
    }
