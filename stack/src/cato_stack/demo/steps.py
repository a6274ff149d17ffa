"""The manual's six steps, as a client of the REST API takes them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from cato_stack.demo.scenario import Person, settings

_POLL_S = 0.25

Document = dict[str, Any]


class StepFailedError(Exception):
    """The REST API did not answer a step as it should."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The stored prompt: its id, its length in seconds and its A-law bytes."""

    id: str
    seconds: float
    alaw: bytes


class Steps:
    """One method per step; the task's parts are kept by their ids."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def add_prompt(self, file: Path) -> Prompt:
        """Step 1: the audio file; and what became of it, for the comparison at the end."""
        added = await self._call(
            "PUT",
            f"/audio-files/add/{file.stem}",
            content=file.read_bytes(),
            headers={"Content-Type": "application/octet-stream"},
        )
        details = await self._call("GET", f"/audio-files/{added['id']}")
        answer = await self._client.get(f"/audio-files/{added['id']}/content", params={"format": "alaw"})
        answer.raise_for_status()
        return Prompt(added["id"], details["durationMs"] / 1000, answer.content)

    async def add_group(self, name: str, everyone: list[Person]) -> str:
        """Step 2: the list of subscribers."""
        subscribers = [
            {"fullName": person.name, "phones": list(person.numbers), "emails": ""} for person in everyone
        ]
        return str((await self._call("PUT", f"/subscriber-groups/add/{name}", json=subscribers))["id"])

    async def add_settings(self, prompt_s: float) -> str:
        """Step 3: the notification settings."""
        return str((await self._call("POST", "/notification-settings/", json=settings(prompt_s)))["id"])

    async def add_task(self, name: str, settings_id: str, prompt_id: str, group_id: str) -> str:
        """Step 4: the task that ties them together."""
        task = {"name": name, "settings": settings_id, "files": prompt_id, "groups": [group_id]}
        return str((await self._call("POST", "/tasks/", json=task))["id"])

    async def start(self, task_id: str) -> str:
        """Step 5: the start; returns the id of the execution."""
        answer = await self._call("PUT", f"/tasks/{task_id}/start")
        if answer["result"] != "SUCCESS":
            raise StepFailedError(f"the task was not started: {answer}")
        return str(answer["taskExecId"])

    async def follow(self, run_id: str, show: Callable[[Document], None]) -> Document:
        """Step 6: the status, shown until the run has ended; returns the whole document."""
        while True:
            report = await self._call("GET", f"/task-execs/{run_id}", params={"subscribers": "none"})
            show(report["report"])
            if not report["report"]["activePhase"]:
                return await self._call("GET", f"/task-execs/{run_id}")
            await asyncio.sleep(_POLL_S)

    async def _call(self, method: str, path: str, **options: Any) -> Document:
        answer = await self._client.request(method, path, **options)
        if not answer.is_success:
            raise StepFailedError(f"{method} {path}: {answer.status_code} {answer.text}")
        body: Document = answer.json()
        return body
