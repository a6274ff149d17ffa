"""One person in one execution: every call with its events, in plain words."""

import asyncio
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import Response

from cato_client import operations
from cato_client.models import CallFilter
from cato_console.http.visits import Visit
from cato_console.views.timeline import timeline

_MOST_CALLS = 40
_NOT_FOUND = 404


async def show(visit: Visit) -> Response:
    """Show the person with the number in the address."""
    run_id: UUID = visit.request.path_params["id"]
    number, subscriber = visit.query("number"), visit.query("subscriber")
    if not number:
        raise HTTPException(_NOT_FOUND)
    api = visit.api
    where = CallFilter(task_exec_id=run_id, number=number)
    document, found = await asyncio.gather(
        api.do(operations.get_status(run_id, subscribers="none")),
        api.do(operations.list_calls(where, limit=_MOST_CALLS)),
    )
    # The same number may belong to several people.
    people = [
        each
        for each in found.subscribers or ()
        if each.task_exec_id == run_id and subscriber in {"", str(each.subscriber_id)}
    ]
    if not people:
        raise HTTPException(_NOT_FOUND)
    person = people[0]
    others = [other for other in person.phones if other != number][:5]
    more = await asyncio.gather(
        *(
            api.do(operations.list_calls(CallFilter(task_exec_id=run_id, number=other), limit=_MOST_CALLS))
            for other in others
        )
    )
    calls = {call.id: call for page in (found, *more) for call in page.items}
    # Calls that are shared are those of the first of the people who share them.
    called = person.household or person.subscriber_id
    own = [call for call in calls.values() if call.subscriber_id in {None, called}]
    own.sort(key=lambda call: call.started_at)
    details = await asyncio.gather(*(api.do(operations.get_call(call.id)) for call in own[-_MOST_CALLS:]))
    return visit.page(
        "person.html",
        run=document,
        person=person,
        calls=[timeline(visit.language, call) for call in details],
    )
