"""The `curl` commands of the manual as requests: method, path, headers and the exact bytes of the body.

The files in `manual_curl` are the commands as printed (3.1 to 3.6), oddities included: `-x` for `-X`, blanks
after the backslash of a continued line, an address that is broken in the middle of an id.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

_FILES = Path(__file__).parent / "manual_curl"
_CONTINUED = re.compile(r"\\[ \t]*\n")

AUDIO_ID = "a88a6210-5434-4ee6-886a-7e43f0beeb4f"
GROUP_ID = "3a27def6-af0f-44fa-965a-ba0bfb67316e"
OTHER_GROUP_ID = "115974fe-96ee-4eb9-8726-7a2bdc2116b3"
SETTINGS_ID = "4ac70308-1afe-4e58-92ff-794300ebd785"
TASK_ID = "862ceccb-850e-4ff0-a4e5-9c8acee6f423"
EXECUTION_ID = "02cd00d1-0f12-494f-91ab-da1691e555ca"
"""The identifiers in the manual; a running system has others."""

_PLAIN = ("id", "name", "url", "userId")
_SETTINGS = (
    "id",
    "name",
    "attemptCount",
    "attemptDelayS",
    "successCondition",
    "successPlaybackDurationS",
    "maxCallDurationS",
    "maxAnswerDelayS",
    "timeRestrictions",
    "userId",
)


@dataclass(frozen=True)
class Example:
    """A command of the manual; `body` is None if it sends the file `upload` or no body."""

    section: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    upload: str | None
    answer_fields: tuple[str, ...]
    gives: str | None
    """The printed identifier that the answer's identifier replaces."""

    def request(self, client: httpx.AsyncClient, ids: Mapping[str, str], upload: bytes) -> httpx.Request:
        """Return the request with the printed identifiers replaced."""
        body = upload if self.upload else self.body
        if self.body is not None:
            body = _replaced(self.body.decode(), ids).encode()
        return client.build_request(
            self.method, _replaced(self.path, ids), headers=list(self.headers), content=body
        )


def _replaced(text: str, ids: Mapping[str, str]) -> str:
    for printed, own in ids.items():
        text = text.replace(printed, own)
    return text


def parse_curl(text: str) -> tuple[str, str, tuple[tuple[str, str], ...], bytes | None, str | None]:
    """Return method, path, headers, body and name of the uploaded file of a printed command."""
    words = shlex.split(_CONTINUED.sub(" ", text))
    assert words.pop(0) == "curl"
    method, address, body, upload = "GET", "", None, None
    headers: list[tuple[str, str]] = []
    while words:
        word = words.pop(0)
        if word in {"-X", "-x"}:
            method = words.pop(0)
        elif word == "-H":
            name, _, value = words.pop(0).partition(":")
            headers.append((name, value.strip()))
        elif word == "-d":
            body = words.pop(0).encode()
        elif word == "--data-binary":
            upload = words.pop(0).removeprefix("@")
        else:
            address = "".join(word.split())
    return method, urlsplit(address).path, tuple(headers), body, upload


def _example(file: str, answer_fields: tuple[str, ...], gives: str | None) -> Example:
    method, path, headers, body, upload = parse_curl((_FILES / f"{file}.txt").read_text(encoding="utf-8"))
    section = file.partition("-")[0]
    return Example(section, method, path, headers, body, upload, answer_fields, gives)


EXAMPLES = (
    _example("3.1-add-audio-file", _PLAIN, AUDIO_ID),
    _example("3.2-add-subscriber-group", _PLAIN, GROUP_ID),
    _example("3.3-add-notification-settings", _SETTINGS, SETTINGS_ID),
    _example("3.4-add-task", ("id", "name", "settings", "files", "groups", "userId"), TASK_ID),
    _example("3.5-start-task", ("taskExecId", "result"), EXECUTION_ID),
    _example("3.6-get-status", ("id", "report", "subscribers"), None),
)
"""In the order of chapter 3 of the manual; each command uses the results of earlier ones."""


async def follow_manual(client: httpx.AsyncClient, audio: bytes) -> dict[str, httpx.Response]:
    """Send every command in order, and return the answers by section.

    The task of 3.4 calls two groups of which the manual makes one: the other is made in the same way.
    """
    ids: dict[str, str] = {}
    answers: dict[str, httpx.Response] = {}
    for example in EXAMPLES:
        request = example.request(client, ids, audio)
        answer = answers[example.section] = await client.send(request)
        if example.gives is None or answer.status_code != httpx.codes.OK:
            continue
        body = answer.json()
        ids[example.gives] = body["taskExecId" if "taskExecId" in body else "id"]
        if example.gives == GROUP_ID:
            other = httpx.Request(
                request.method, f"{request.url}-other", headers=request.headers, content=example.body
            )
            ids[OTHER_GROUP_ID] = (await client.send(other)).json()["id"]
    return answers
