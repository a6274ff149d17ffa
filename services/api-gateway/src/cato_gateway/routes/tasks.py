"""`/tasks`: the files to play, the groups to call, and the start of a task (manual, 3.4 and 3.5)."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field, field_validator
from starlette.responses import Response

from cato_contracts.api.checks import CheckTask, TaskCheck
from cato_contracts.api.examples import AUDIO_ID, GROUP_ID, SETTINGS_ID, TASK_ID
from cato_contracts.api.resources import Page, Phone, Task, TaskSpec, TaskStart
from cato_contracts.messages.campaign_commands import (
    AddTask,
    CallTester,
    GetTask,
    ListTasks,
    RemoveTask,
    RepeatUnreached,
    ReplaceTask,
    StartTask,
)
from cato_contracts.model import Name, Resource
from cato_gateway.http.conditional import IF_NONE_MATCH, WantedVersions
from cato_gateway.http.idempotency import IdempotencyKey
from cato_gateway.http.request_context import API, Reader, ResourceId, Runner, Writer, json_answer
from cato_gateway.openapi import responses
from cato_gateway.openapi.content import json_content, request_body
from cato_gateway.routes.parameters import Cursor, Limit, NamePart, UtcInstant, check_id, check_time

router = APIRouter(prefix=f"{API}/tasks", tags=["tasks"], responses=responses.COMMON)

_EXAMPLE: dict[str, Any] = {
    "name": "task_2024-03-24",
    "settings": SETTINGS_ID,
    "files": [AUDIO_ID],
    "groups": [GROUP_ID],
    "userId": "user",
}


class TaskBody(TaskSpec):
    """A task as a client sends it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    user_id: Name | None = None
    """The user that it belongs to: the token's own, or for administrators another one."""

    @field_validator("start_at", "expires_at")
    @classmethod
    def _can_be_planned(cls, at: datetime | None) -> datetime | None:
        return check_time(at)

    def spec(self) -> TaskSpec:
        return TaskSpec.model_validate(self.model_dump(exclude={"user_id", "id"}, exclude_unset=True))


class ReplacedTaskBody(TaskBody):
    """A replacement, which may contain the `id`."""

    id: UUID | None = None
    """The id in the path, or absent."""


class TaskView(TaskSpec):
    """A task as clients see it: times in UTC."""

    id: UUID = Field(examples=[TASK_ID])
    """Chosen by the server."""

    user_id: str = Field(examples=["user"])
    """The user that it belongs to: the token's own, or for administrators another one."""

    start_at: UtcInstant | None = None
    """No calls before this time."""

    expires_at: UtcInstant | None = None
    """No calls from this time on: the execution ends."""

    @classmethod
    def of(cls, task: Task) -> Self:
        return cls.model_validate(task.model_dump(exclude={"version"}))


class Tasks(Page[TaskView]):
    """A page of tasks."""


class TestCallBody(Resource):
    """Whom a test call goes to."""

    __test__ = False  # no test, whatever its name says to pytest

    number: Phone = Field(examples=["776413"])
    """The number of the person who listens to the message."""


_STARTED = responses.created(
    "get_task_exec",
    "pause_task_exec",
    "resume_task_exec",
    "stop_task_exec",
    field="taskExecId",
    etag=False,
)


def _unchanged(start: TaskStart) -> TaskStart:
    return start


@router.post(
    "",
    response_model=TaskView,
    responses=responses.created("get_task", "replace_task", "start_task", "remove_task")
    | responses.errors(409, 413, 415),
    openapi_extra=request_body(json_content(TaskBody)),
)
async def add_task(context: Writer, key: IdempotencyKey = None) -> Response:
    """Add a task: files in the order in which they are played, groups to call, settings to call with."""
    body, digest = await context.body(TaskBody)
    command = AddTask(actor=context.actor, owner=body.user_id, spec=body.spec())
    return await context.carry_out(command, TaskView.of, key=key, digest=digest)


@router.put(
    "/{id}",
    response_model=TaskView,
    responses=responses.versioned() | responses.errors(404, 409, 412, 413, 415),
    openapi_extra=request_body(json_content(ReplacedTaskBody)),
)
async def replace_task(
    context: Writer,
    id: ResourceId,  # noqa: A002
    if_version: WantedVersions,
    key: IdempotencyKey = None,
) -> Response:
    """Replace a task; a run in progress keeps the task that it started with."""
    body, digest = await context.body(ReplacedTaskBody)
    check_id(body.id, id)
    command = ReplaceTask(
        actor=context.actor, id=id, owner=body.user_id, spec=body.spec(), if_version=if_version
    )
    return await context.carry_out(command, TaskView.of, key=key, digest=digest)


@router.put(
    "/{id}/start",
    response_model=TaskStart,
    responses=_STARTED | responses.errors(404, 409),
)
async def start_task(
    context: Runner,
    id: ResourceId,  # noqa: A002
    key: IdempotencyKey = None,
) -> Response:
    """Start a task in its current state; 409 names the execution in progress."""
    return await context.carry_out(StartTask(actor=context.actor, id=id), _unchanged, key=key, slow=True)


@router.post(
    "/{id}/repeat-unreached",
    response_model=TaskStart,
    responses=_STARTED | responses.errors(404, 409),
)
async def repeat_unreached(
    context: Runner,
    id: ResourceId,  # noqa: A002
    task_exec_id: Annotated[
        UUID | None,
        Query(alias="taskExecId", description="The execution to repeat; absent: the latest one of the task."),
    ] = None,
    key: IdempotencyKey = None,
) -> Response:
    """Start a task once more, for those whom an earlier execution of it has not reached.

    The list is that of the earlier execution; files and settings are those of the task now. 409 if everyone
    was reached.
    """
    command = RepeatUnreached(actor=context.actor, id=id, run_id=task_exec_id)
    return await context.carry_out(command, _unchanged, key=key, slow=True)


@router.post("/{id}/check", response_model=TaskCheck, responses=responses.errors(404, 409))
async def check_task(context: Reader, id: ResourceId) -> Response:  # noqa: A002
    """Say what a task would do if it were started now: people, numbers, duration, warnings. Calls nobody."""
    found = await context.ask(
        CheckTask(actor=context.actor, id=id), timeout=context.deps.settings.upload_timeout
    )
    return json_answer(found)


@router.post(
    "/{id}/test-call",
    name="test_call",
    response_model=TaskStart,
    responses=_STARTED | responses.errors(404, 409, 413, 415),
    openapi_extra=request_body(json_content(TestCallBody)),
)
async def call_for_a_test(
    context: Runner,
    id: ResourceId,  # noqa: A002
    key: IdempotencyKey = None,
) -> Response:
    """Call one number with the message and the settings of a task: once, at any hour, before everyone else.

    It is an execution of the task with `test: true`; while it is in progress the task cannot be started.
    """
    body, digest = await context.body(TestCallBody)
    command = CallTester(actor=context.actor, id=id, number=body.number)
    return await context.carry_out(command, _unchanged, key=key, digest=digest, slow=True)


@router.get("", response_model=Tasks)
async def list_tasks(
    context: Reader, limit: Limit = 100, cursor: Cursor = None, name: NamePart = None
) -> Response:
    """List tasks."""
    found = await context.ask(ListTasks(actor=context.actor, name=name, limit=limit, cursor=cursor))
    items = [TaskView.of(task) for task in found.items]
    return json_answer(Tasks(items=items, next_cursor=found.next_cursor))


@router.get(
    "/{id}",
    response_model=TaskView,
    responses=responses.read_once() | responses.errors(404),
    dependencies=[IF_NONE_MATCH],
)
async def get_task(context: Reader, id: ResourceId) -> Response:  # noqa: A002
    """Get a task."""
    task = await context.ask(GetTask(actor=context.actor, id=id))
    return context.show(task, TaskView.of(task))


@router.delete("/{id}", status_code=204, responses=responses.errors(404, 409, 412))
async def remove_task(
    context: Writer,
    id: ResourceId,  # noqa: A002
    if_version: WantedVersions,
) -> Response:
    """Remove a task that is not being executed."""
    return await context.remove(RemoveTask(actor=context.actor, id=id, if_version=if_version))
