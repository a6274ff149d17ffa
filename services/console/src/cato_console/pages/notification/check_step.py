"""Step 4: look at everything once more, call oneself, and start by typing the number of people."""

import asyncio
from uuid import UUID

from starlette.responses import Response

from cato_client import ConflictError, InvalidError, operations
from cato_client.list_models import TaskCheck
from cato_client.models import NewTask, Task, TaskStart
from cato_client.operation import Operation
from cato_console.http.visits import Visit, words
from cato_console.pages.notification.plan import Plan, plan_of
from cato_console.pages.once import new_key, once
from cato_console.views.checks import WARNINGS

_BAD = 400


async def show(visit: Visit) -> Response:
    return await _page(visit, plan_of(visit))


async def start(visit: Visit) -> Response:
    """Call one number to hear the message, or start if the number of people was typed."""
    form = await visit.form()
    plan = plan_of(visit)
    if plan.task is None:
        return visit.go(plan.address("rules"))
    key, name = words(form, "once"), words(form, "name")
    if number := words(form, "number"):
        return await _begin(visit, plan, once(operations.test_call(plan.task, number), key), tests=True)
    task, check = await asyncio.gather(
        visit.api.do(operations.get_task(plan.task)), visit.uploads.do(operations.check_task(plan.task))
    )
    typed = "".join(char for char in words(form, "people") if not char.isspace() and char not in ".,'")
    if typed != str(check.subscribers):
        said = visit.language.gettext("Type %(n)s to start: the number of people.", n=check.subscribers)
        return await _page(visit, plan, fault=said, name=name)
    if name not in {"", task.name}:
        new = NewTask(name=name, settings=task.settings, files=task.files, groups=task.groups)
        await visit.api.do(operations.replace_task(task.id, new))
    return await _begin(visit, plan, once(operations.start_task(task.id), key), name=name)


async def _begin(
    visit: Visit, plan: Plan, operation: Operation[TaskStart], *, name: str = "", tests: bool = False
) -> Response:
    """Start what was asked for; a form that is sent twice starts it once."""
    try:
        run_id = (await visit.uploads.do(operation)).task_exec_id
    except (InvalidError, ConflictError) as error:
        return await _page(visit, plan, fault=error.message, name=name)
    if run_id is None:
        return await _page(visit, plan, fault=visit.language.gettext(WARNINGS["no-channels"]), name=name)
    if tests:
        return visit.go(plan.address("check", tested=run_id))
    return visit.go(f"/runs/{run_id}", notice="started")


async def _page(visit: Visit, plan: Plan, *, fault: str | None = None, name: str = "") -> Response:
    if plan.task is None:
        return visit.go(plan.address("rules" if plan.group else "people" if plan.audio else "message"))
    api = visit.api
    task: Task
    check: TaskCheck
    task, check, stations = await asyncio.gather(
        api.do(operations.get_task(plan.task)),
        visit.uploads.do(operations.check_task(plan.task)),
        api.do(operations.list_stations()),
    )
    audio, groups, settings = await asyncio.gather(
        api.do(operations.get_audio_file(task.files[0])),
        asyncio.gather(*(api.do(operations.get_subscriber_group(group)) for group in task.groups)),
        api.do(operations.get_notification_settings(task.settings)),
    )
    return visit.page(
        "new/check.html",
        status=_BAD if fault else 200,
        plan=plan,
        step="check",
        audio=audio,
        groups=groups,
        settings=settings,
        stations=stations.items,
        check=check,
        warnings=WARNINGS,
        name=name or task.name,
        once=new_key(),
        tested=_id(visit.query("tested")),
        fault=fault,
    )


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
