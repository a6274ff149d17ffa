"""Step 4: look at everything once more, call oneself, and start by typing the number of people.

The check of a large list takes seconds. The page does not wait for it: the numbers follow, and the form for
the start with them. The form says which check the person has seen; a start after a change is refused.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from starlette.responses import Response

from cato_client import ConflictError, InvalidError, operations
from cato_client.models import NewTask, TaskStart
from cato_client.operation import Operation
from cato_console.http.visits import Visit, words
from cato_console.live.checks import CheckSource, CheckState
from cato_console.live.event_stream import Stream, event_stream
from cato_console.live.parts import Part
from cato_console.pages.ids import id_of
from cato_console.pages.notification.checked_task import CheckedTask, read_task
from cato_console.pages.notification.plan import Plan, plan_of
from cato_console.pages.once import new_key, once
from cato_console.views.checks import CHANGED, WARNINGS
from cato_console.views.rules_text import details_text, rules_text

_BAD = 400
_PARTS = ("people", "duration", "warnings", "start")


async def show(visit: Visit) -> Response:
    return await _page(visit, plan_of(visit))


async def live(visit: Visit) -> Response:
    """Send the numbers, the warnings and the form for the start when the check is done."""
    plan = plan_of(visit)
    if plan.task is None:
        return visit.go(plan.address("check"))
    checked = await read_task(visit, plan.task)
    version = checked.version
    source = CheckSource(lambda: visit.deps.checks.of(visit.uploads, checked.task.id, version))
    shared = _context(plan, checked, name=visit.query("name"))

    def parts(state: CheckState) -> Sequence[Part]:
        shown = {**shared, "check": state.check, "check_fault": state.fault}
        return [Part(f"check-{name}", repr(state), partial(text, name, shown)) for name in _PARTS]

    def text(name: str, shown: dict[str, Any]) -> str:
        return visit.deps.renderer.text(f"new/check_{name}.html", visit.language, {"visit": visit, **shown})

    key = ("check", visit.token, str(checked.task.id), version)
    stream = Stream(key, source, parts, visit.still_signed_in, reload=False)
    return event_stream(visit.deps.feeds, stream)


async def start(visit: Visit) -> Response:
    """Call one number to hear the message, or start if the number of people was typed."""
    form = await visit.form()
    plan = plan_of(visit)
    if plan.task is None:
        return visit.go(plan.address("rules"))
    key, name = words(form, "once"), words(form, "name")
    if number := words(form, "number"):
        return await _begin(visit, plan, once(operations.test_call(plan.task, number), key), tests=True)
    checked = await read_task(visit, plan.task)
    people = checked.people_seen(words(form, "seen"))
    if people is None:
        return await _page(visit, plan, fault=visit.language.gettext(CHANGED), name=name)
    typed = "".join(char for char in words(form, "people") if not char.isspace() and char not in ".,'")
    if typed != str(people):
        said = visit.language.gettext("Type %(n)s to start: the number of people.", n=people)
        return await _page(visit, plan, fault=said, name=name)
    task = checked.task
    if name not in {"", task.name}:
        # A task that was made over the API may have fields that no page shows.
        new = NewTask.model_validate(
            {each: getattr(task, each) for each in NewTask.model_fields} | {"name": name}
        )
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
    checked, stations = await asyncio.gather(
        read_task(visit, plan.task), visit.api.do(operations.list_stations())
    )
    check = await visit.deps.checks.soon(visit.uploads, checked.task.id, checked.version)
    return visit.page(
        "new/check.html",
        status=_BAD if fault else 200,
        step="check",
        audio=checked.audio,
        settings=checked.settings,
        rules=rules_text(visit.language, checked.settings),
        stations=stations.items,
        details=details_text(visit.language, checked.task),
        check=check,
        check_fault=None,
        live=f"/live{plan.address('check', name=name or None)}",
        tested=id_of(visit.query("tested")),
        fault=fault,
        **_context(plan, checked, name=name),
    )


def _context(plan: Plan, checked: CheckedTask, *, name: str) -> dict[str, Any]:
    """Return what the parts of the page that follow the check need besides the check."""
    return {
        "plan": plan,
        "checked": checked,
        "groups": checked.groups,
        "warnings": WARNINGS,
        "name": name or checked.task.name,
        "once": new_key(),
    }
