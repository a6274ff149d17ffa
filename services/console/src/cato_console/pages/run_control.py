"""Pause, resume and stop an execution, and call those again who were not reached."""

from uuid import UUID

from starlette.responses import Response

from cato_client import ConflictError, Operation, operations
from cato_console.http.visits import Visit, words
from cato_console.pages.once import once

_CONFLICT = 409


async def pause(visit: Visit) -> Response:
    return await _control(visit, operations.pause(_id(visit)), "paused")


async def resume(visit: Visit) -> Response:
    return await _control(visit, operations.resume(_id(visit)), "resumed")


async def ask_to_stop(visit: Visit) -> Response:
    """Ask before an execution is ended for good."""
    document = await visit.api.do(operations.get_status(_id(visit), subscribers="none"))
    return visit.page("stop.html", run=document)


async def stop(visit: Visit) -> Response:
    form = await visit.form()
    operation = operations.stop(_id(visit), hangup=words(form, "hangup") == "yes")
    return await _carry_out(visit, operation, "stopping", f"/runs/{_id(visit)}")


async def ask_to_repeat(visit: Visit) -> Response:
    """Say whom the repetition calls, before it starts."""
    document = await visit.api.do(operations.get_status(_id(visit), subscribers="none"))
    return visit.page("repeat.html", run=document, fault=None)


async def repeat(visit: Visit) -> Response:
    """Start a new execution for those who were not reached."""
    form = await visit.form()
    document = await visit.api.do(operations.get_status(_id(visit), subscribers="none"))
    operation = once(operations.repeat_unreached(document.task_id, document.id), words(form, "once"))
    try:
        started = await visit.uploads.do(operation)
    except ConflictError as error:
        return visit.page("repeat.html", status=_CONFLICT, run=document, fault=error.message)
    if started.task_exec_id is None:
        said = visit.language.gettext("There are no channels: the operator has to configure a station.")
        return visit.page("repeat.html", status=_CONFLICT, run=document, fault=said)
    return visit.go(f"/runs/{started.task_exec_id}", notice="started")


def _id(visit: Visit) -> UUID:
    run_id: UUID = visit.request.path_params["id"]
    return run_id


async def _control(visit: Visit, operation: Operation[None], notice: str) -> Response:
    form = await visit.form()
    target = "/" if words(form, "from") == "board" else f"/runs/{_id(visit)}"
    return await _carry_out(visit, operation, notice, target)


async def _carry_out(visit: Visit, operation: Operation[None], notice: str, target: str) -> Response:
    try:
        await visit.api.do(operation)
    except ConflictError:
        # Somebody else was faster, or it has ended: the page shows the present state.
        return visit.go(target, notice="changed")
    return visit.go(target, notice=notice)
