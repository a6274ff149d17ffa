"""`/tasks`: what is to be played to whom, and starting it (manual, 3.4 and 3.5)."""

from fastapi import APIRouter
from starlette.responses import Response

from cato_contracts.campaign_commands import AddTask, GetTask, ListTasks, RemoveTask, ReplaceTask, StartTask
from cato_contracts.resources import TaskStart
from cato_gateway.http.conditional import wanted_versions
from cato_gateway.http.request_context import API, Reader, ResourceId, Runner, Writer, json_answer
from cato_gateway.openapi import documented, examples
from cato_gateway.routes.parameters import Cursor, Limit, NamePart
from cato_gateway.routes.views import ReplacedTaskBody, TaskBody, Tasks, TaskView, same_id

router = APIRouter(prefix=f"{API}/tasks", tags=["tasks"])


def _as_it_is(start: TaskStart) -> TaskStart:
    return start


@router.post(
    "",
    response_model=TaskView,
    responses=documented.refusals(400, 409, 413, 415),
    openapi_extra=documented.json_body(TaskBody, examples.TASK),
)
async def add_task(call: Writer) -> Response:
    """Add a task: files in the order in which they are played, groups to call, settings to call with."""
    body, digest = await call.body(TaskBody)
    command = AddTask(actor=call.actor, owner=body.user_id, spec=body.spec())
    return await call.carry_out(command, TaskView.of, digest=digest)


@router.put(
    "/{id}",
    response_model=TaskView,
    responses=documented.refusals(400, 404, 409, 413, 415),
    openapi_extra=documented.json_body(ReplacedTaskBody, examples.TASK),
)
async def replace_task(call: Writer, id: ResourceId) -> Response:  # noqa: A002
    """Replace a task; a run that is under way goes on with what it began with."""
    body, digest = await call.body(ReplacedTaskBody)
    same_id(body.id, id)
    command = ReplaceTask(
        actor=call.actor,
        id=id,
        owner=body.user_id,
        spec=body.spec(),
        if_version=wanted_versions(call.request),
    )
    return await call.carry_out(command, TaskView.of, digest=digest)


@router.put("/{id}/start", response_model=TaskStart, responses=documented.refusals(400, 404, 409))
async def start_task(call: Runner, id: ResourceId) -> Response:  # noqa: A002
    """Start a task; 409 names the execution that is under way. Everything is taken as it is now."""
    return await call.carry_out(StartTask(actor=call.actor, id=id), _as_it_is, slow=True)


@router.get("", response_model=Tasks, responses=documented.refusals(400))
async def list_tasks(
    call: Reader, limit: Limit = 100, cursor: Cursor = None, name: NamePart = None
) -> Response:
    """List tasks."""
    found = await call.ask(ListTasks(actor=call.actor, name=name, limit=limit, cursor=cursor))
    items = [TaskView.of(task) for task in found.items]
    return json_answer(Tasks(items=items, next_cursor=found.next_cursor))


@router.get("/{id}", response_model=TaskView, responses=documented.refusals(404))
async def get_task(call: Reader, id: ResourceId) -> Response:  # noqa: A002
    """Get a task."""
    task = await call.ask(GetTask(actor=call.actor, id=id))
    return call.show(task, TaskView.of(task))


@router.delete("/{id}", status_code=204, responses=documented.refusals(404, 409))
async def remove_task(call: Writer, id: ResourceId) -> Response:  # noqa: A002
    """Remove a task that is not being executed."""
    return await call.remove(RemoveTask(actor=call.actor, id=id, if_version=wanted_versions(call.request)))
