"""The six steps of the manual, made by a client of the REST API."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from cato_client import AsyncClient, operations
from cato_client.models import NewTask, Settings
from cato_client.models import Person as Subscriber
from cato_stack.demo.scenario import Person, settings

_POLL_S = 0.25

Document = dict[str, Any]


class StepFailedError(Exception):
    """The REST API did not accept a step."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The stored prompt: id, duration in seconds, and A-law audio."""

    id: UUID
    seconds: float
    alaw: bytes


class Steps:
    """One method per step."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def add_prompt(self, file: Path) -> Prompt:
        """Step 1: add the audio file and fetch its A-law form for the verification."""
        added = await self._client.do(operations.add_audio_file(file.stem, file.read_bytes()))
        alaw = await self._client.do(operations.get_audio_content(added.id, alaw=True))
        return Prompt(added.id, added.duration_ms / 1000, alaw)

    async def add_group(self, name: str, everyone: list[Person]) -> UUID:
        """Step 2: add the subscriber group."""
        people = [Subscriber(full_name=person.name, phones=list(person.numbers)) for person in everyone]
        return (await self._client.do(operations.add_subscriber_group(name, people))).id

    async def add_settings(self, prompt_s: float) -> UUID:
        """Step 3: add the notification settings."""
        wanted = Settings.model_validate(settings(prompt_s))
        return (await self._client.do(operations.add_notification_settings(wanted))).id

    async def add_task(self, name: str, settings_id: UUID, prompt_id: UUID, group_id: UUID) -> UUID:
        """Step 4: add the task."""
        task = NewTask(name=name, settings=settings_id, files=[prompt_id], groups=[group_id])
        return (await self._client.do(operations.add_task(task))).id

    async def start(self, task_id: UUID) -> UUID:
        """Step 5: start the task; return the id of the execution."""
        started = await self._client.do(operations.start_task(task_id))
        if started.task_exec_id is None:
            raise StepFailedError(f"the task was not started: {started.result}")
        return started.task_exec_id

    async def follow(self, run_id: UUID, show: Callable[[Document], None]) -> Document:
        """Step 6: show the report until the run has ended; return the status document."""
        while True:
            report = await self._client.do(operations.get_report(run_id))
            show(report.model_dump(mode="json", by_alias=True))
            if not report.active_phase:
                raw = await self._client.do(operations.download_status(run_id))
                document: Document = json.loads(raw)
                return document
            await asyncio.sleep(_POLL_S)
