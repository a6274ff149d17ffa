"""The REST API as the console sees it: a few resources in memory, behind httpx's transport."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx

RUN, TASK, GROUP, AUDIO, SETTINGS, STATION, LIST = (UUID(int=no) for no in range(1, 8))
STARTED = "2026-11-27T08:30:00Z"
TOKENS = {
    "all": ("dispatcher", ["read", "write", "run"]),
    "head": ("head", ["read", "run", "approve"]),
    "reader": ("guest", ["read"]),
    "other": ("stranger", ["read", "write", "run"]),
}
NASTY = '<img src=x onerror="alert(1)">'


def report(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Flood",
        "subscriberCount": 300,
        "subscriberNotYetNotified": 75,
        "subscriberNotified": 213,
        "subscriberFailed": 12,
        "callsTotal": 400,
        "callsSucceeded": 213,
        "callsFailed": 180,
        "callsInProgress": 7,
        "callsDelayed": 0,
        "callsRinging": 4,
        "callsTalking": 3,
        "waveCurrent": 1,
        "waveTotal": 3,
        "activePhase": True,
        "state": "CALLING",
        "eta": "2026-11-27T09:00:00Z",
        "endReason": None,
        **changes,
    }


def execution(**changes: Any) -> dict[str, Any]:
    return {
        "id": str(RUN),
        "taskId": str(TASK),
        "userId": "dispatcher",
        "startedAt": STARTED,
        "endedAt": None,
        "report": report(**changes),
    }


def approval(state: str = "WAITING", by: str = "dispatcher") -> dict[str, Any]:
    return {"state": state, "requestedBy": by, "until": "2026-11-28T08:30:00Z"}


def station(**changes: Any) -> dict[str, Any]:
    return {
        "id": str(STATION),
        "name": "exchange",
        "engine": "dense",
        "state": "UP",
        "channels": 30,
        "channelsInUse": 7,
        "dialers": 1,
        **changes,
    }


def person(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "subscriberId": str(UUID(int=1000 + number)),
        "fullName": f"Person {number}",
        "phones": [f"7764{number:02}"],
        "emails": [],
        "notified": False,
        "reason": "busy",
        "wave": 1,
        "number": f"7764{number:02}",
        "calls": 2,
        "lastCallAt": STARTED,
        **changes,
    }


def call(**changes: Any) -> dict[str, Any]:
    return {
        "id": str(UUID(int=900)),
        "taskExecId": str(RUN),
        "taskId": str(TASK),
        "taskName": "Flood",
        "subscriberId": str(UUID(int=1001)),
        "subscriberName": "Person 1",
        "wave": 1,
        "number": "776401",
        "stationId": str(STATION),
        "startedAt": STARTED,
        "ringingAt": STARTED,
        "answeredAt": None,
        "endedAt": "2026-11-27T08:30:20Z",
        "outcome": "failed",
        "success": False,
        "sipCode": 486,
        "reason": "busy",
        "pddMs": 300,
        "talkMs": None,
        "heardMs": None,
        "digits": "",
        "delayed": False,
        **changes,
    }


def figures(key: str | None, **changes: Any) -> dict[str, Any]:
    counts = {
        "attempts": 400,
        "inProgress": 7,
        "answered": 230,
        "succeeded": 213,
        "failed": 180,
        "delayed": 0,
    }
    ratios = {"asr": 0.6, "ner": 0.9, "acdMs": 12_000.0, "pddMs": 400.0, "pddP95Ms": 900.0}
    return {"key": key, "label": None, **counts, **ratios, **changes}


GROUPS = {
    "wave": [figures("1")],
    "reason": [figures("confirmed"), figures("busy")],
    "minute": [figures("2026-11-27T11:30:00+03:00"), figures("2026-11-27T11:31:00+03:00")],
    "day": [figures("2026-11-27")],
    "hour": [figures("2026-11-27T11:00:00+03:00")],
    "station": [figures(str(STATION))],
    "task": [figures(str(TASK), label="Flood")],
    "sipCode": [figures("486"), figures(None)],
}


@dataclass
class FakeApi:
    """Answers requests; `down` does not answer, `failures` are answers to the next requests that change."""

    down: bool = False
    failures: list[tuple[int, str]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=lambda: [execution()])
    people: list[dict[str, Any]] = field(default_factory=lambda: [person(no) for no in range(1, 4)])
    stations: list[dict[str, Any]] = field(default_factory=lambda: [station()])
    check: dict[str, Any] = field(default_factory=dict)
    task: dict[str, Any] = field(default_factory=lambda: task())  # noqa: PLW0108 - below
    task_check: dict[str, Any] = field(default_factory=lambda: task_check())  # noqa: PLW0108
    requests: list[httpx.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    started: dict[str, str] = field(default_factory=dict)
    statistics: asyncio.Event = field(default_factory=asyncio.Event)
    """Statistics are answered when it is set, as it is unless a test clears it."""
    counted: asyncio.Event = field(default_factory=asyncio.Event)
    """The check of a task is answered when it is set, as it is unless a test clears it."""
    exclusions: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The entries of the exclusion list by number; the list is there with its first one."""
    more_lists: int = 0
    """Exclusion lists that are there beside it, without numbers."""
    group_version: int = 1
    tokens: dict[str, tuple[str, list[str]] | None] = field(default_factory=lambda: {**TOKENS})

    def __post_init__(self) -> None:
        self.statistics.set()
        self.counted.set()

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.MockTransport(self.answer)

    def sent(self, method: str) -> list[str]:
        return [
            request.url.path.removeprefix("/api/v1") for request in self.requests if request.method == method
        ]

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.down:
            raise httpx.ConnectError("no gateway", request=request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer plain:")
        holder = self.tokens.get(token)
        if holder is None:
            return _error(401, "the token is not known")
        user, permissions = holder
        path = request.url.path.removeprefix("/api/v1")
        if path == "/statistics":
            await self.statistics.wait()
        if path == f"/tasks/{TASK}/check" and user != "stranger":
            await self.counted.wait()
        if path == "/me":
            return _json({"userId": user, "permissions": permissions})
        if request.method != "GET" and self.failures:
            status, message = self.failures.pop(0)
            return _error(status, message)
        if user == "stranger" and any(str(each) in path for each in (RUN, AUDIO, GROUP, SETTINGS, TASK)):
            return _error(404, "there is no such thing of this user")
        if request.method != "GET" and "run" not in permissions:
            return _error(403, f"the token of {user} lacks the permission run")
        return self._resource(request, path)

    def _resource(self, request: httpx.Request, path: str) -> httpx.Response:  # noqa: PLR0911
        if request.method == "GET":
            return self._read(request, path)
        self.bodies.append(request.content)
        if path.endswith(("/approve", "/reject")):
            return _json(approval("APPROVED" if path.endswith("/approve") else "REJECTED"))
        if path == f"/tasks/{TASK}/check":
            return _json(self.task_check)
        if path.endswith(("/start", "/repeat-unreached", "/test-call")):
            key = request.headers["Idempotency-Key"]
            run = self.started.setdefault(key, str(uuid4()))
            return _json({"taskExecId": run, "result": "SUCCESS"})
        if path in {"/tasks", f"/tasks/{TASK}"}:
            self.task |= json.loads(request.content)
            return _json(self.task)
        if path == "/notification-settings":
            return _json({"id": str(SETTINGS), "userId": "u", **json.loads(request.content)})
        if path.startswith("/exclusion-lists/"):
            return self._exclude(request, path)
        if path.startswith("/audio-files/add/"):
            return _json(audio())
        if path.startswith("/subscriber-groups/add/"):
            return _json(self.check if "dryRun" in request.url.params else group())
        return _json({"taskExecId": str(RUN), "result": "SUCCESS"})

    def _exclude(self, request: httpx.Request, path: str) -> httpx.Response:
        number = path.rpartition("/")[2]
        if request.method == "DELETE":
            found = self.exclusions.pop(number, None)
            return httpx.Response(204) if found else _error(404, "the number is not on the exclusion list")
        body = json.loads(request.content)
        for entry in body if isinstance(body, list) else [{**body, "number": number}]:
            if not entry["number"].isdigit():
                return _error(400, "number: this is not a telephone number")
            self.exclusions[entry["number"]] = entry
        return _json(self._exclusion_list() if isinstance(body, list) else self.exclusions[number])

    def _exclusion_list(self) -> dict[str, Any]:
        fields = {"id": str(LIST), "name": "opt-out", "userId": "u", "url": "x", "scope": "USER"}
        return {**fields, "numberCount": len(self.exclusions), "createdAt": STARTED}

    def _read_exclusions(self, request: httpx.Request, path: str) -> httpx.Response:
        if path == "/exclusion-lists":
            more = [{**self._exclusion_list(), "id": str(UUID(int=2000 + n))} for n in range(self.more_lists)]
            return _page(([self._exclusion_list()] if self.exclusions else []) + more, request)
        if path.endswith("/numbers"):
            return _page(list(self.exclusions.values()), request)
        if path == f"/exclusion-lists/{LIST}":
            return _json(self._exclusion_list())
        number = path.rpartition("/")[2]
        if not number.isdigit():
            return _error(400, "number: this is not a telephone number")
        entry = self.exclusions.get(number) if str(LIST) in path else None
        return _json(entry) if entry else _error(404, "the number is not on the exclusion list")

    def _read(self, request: httpx.Request, path: str) -> httpx.Response:  # noqa: PLR0911
        if path == "/task-execs":
            active = request.url.params.get("active")
            runs = [run for run in self.runs if active in {None, str(run["report"]["activePhase"]).lower()}]
            return _page(runs, request)
        if path == "/approvals":
            return _page([run for run in self.runs if "approval" in run], request)
        if path == f"/task-execs/{RUN}":
            return _json({**self.runs[0], "subscribers": []})
        if path == f"/task-execs/{RUN}/subscribers":
            return _page(self.people, request)
        if path.endswith("/subscribers/export"):
            return httpx.Response(200, content=b"a;b\r\n'=cmd;1\r\n")
        if path.startswith("/calls/"):
            return _json({**call(), "events": EVENTS})
        if path == "/calls":
            found = {"taskExecId": str(RUN), "taskId": str(TASK), "taskName": "Flood"}
            people = [
                {**found, "subscriberId": each["subscriberId"], "subscriberName": each["fullName"]}
                | {"phones": each["phones"], "notified": False, "calls": 1, "reason": "busy"}
                for each in self.people[: int(request.url.params["limit"])]
            ]
            return _json({"items": [call()], "nextCursor": None, "subscribers": people})
        if path == "/statistics":
            grouping = request.url.params["groupBy"]
            return _json({"groupBy": grouping, "groups": GROUPS[grouping], "total": figures(None)})
        if path == "/stations":
            return _page(self.stations)
        if path.startswith("/exclusion-lists"):
            return self._read_exclusions(request, path)
        collections = {
            "/audio-files": [audio()],
            "/subscriber-groups": [group()],
            "/notification-settings": [settings()],
        }
        if path in collections:
            return _page(collections[path])
        single = {
            f"/audio-files/{AUDIO}": audio(),
            f"/notification-settings/{SETTINGS}": settings(),
            f"/tasks/{TASK}": self.task,
        }
        if path == f"/subscriber-groups/{GROUP}":
            return _json(group(), ETag=f'"{self.group_version}"')
        return _json(single[path]) if path in single else _error(404, "there is no such resource")


EVENTS = [
    {"time": 1_795_768_200_000, "name": "Ringing", "status": "RINGING", "data": "SIP_CODE:180"},
    {"time": 1_795_768_210_000, "name": "Busy Here", "status": "FAILED", "data": "SIP_CODE:486"},
]


def audio() -> dict[str, Any]:
    times = {"createdAt": STARTED, "durationMs": 6_400, "sizeBytes": 51_200}
    return {"id": str(AUDIO), "name": "flood.mp3", "userId": "u", "url": "x", "sha256": "0", **times}


def group() -> dict[str, Any]:
    return {
        "id": str(GROUP),
        "name": "town",
        "userId": "u",
        "url": "x",
        "subscriberCount": 300,
        "createdAt": STARTED,
    }


def task() -> dict[str, Any]:
    parts = {"settings": str(SETTINGS), "files": [str(AUDIO)], "groups": [str(GROUP)]}
    return {"id": str(TASK), "name": "flood", "userId": "u", **parts}


def task_check(**changes: Any) -> dict[str, Any]:
    return {
        "subscribers": 300,
        "numbers": 412,
        "duplicates": {"persons": 2, "numbers": 3},
        "implausibleNumbers": 1,
        "channels": 30,
        "stationsUp": 1,
        "messageMs": 6400,
        "mayCallNow": True,
        "shortestS": 125,
        "longestS": 4000,
        "warnings": [{"code": "out-of-hours", "message": "the calling hours allow no calls"}],
        **changes,
    }


def settings() -> dict[str, Any]:
    rules = {"attemptCount": 3, "attemptDelayS": 60, "successCondition": "PICKUP_AND_CONFIRM"}
    return {"id": str(SETTINGS), "name": "calm", "userId": "u", **rules}


def _json(value: object, **headers: str) -> httpx.Response:
    return httpx.Response(200, json=value, headers=headers)


def _page(items: list[dict[str, Any]], request: httpx.Request | None = None) -> httpx.Response:
    """Answer with the items, or with those that the request asks for."""
    asked = request.url.params if request is not None else {}
    first = int(asked.get("cursor", 0))
    end = first + int(asked.get("limit", len(items)))
    return _json({"items": items[first:end], "nextCursor": str(end) if end < len(items) else None})


def _error(status: int, message: str) -> httpx.Response:
    return httpx.Response(status, json={"status": status, "message": message})
