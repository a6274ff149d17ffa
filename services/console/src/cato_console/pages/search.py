"""Was this person called, when, and what happened? Over all executions."""

from starlette.responses import Response

from cato_client import InvalidError, operations
from cato_client.models import CallFilter, CallPage
from cato_console.http.visits import Visit

_PAGE = 50
_BAD = 400


async def show(visit: Visit) -> Response:
    """Search by a telephone number in any form, or by a part of the name."""
    text = visit.query("q")
    if not text:
        return _found(visit, text, None)
    digits = sum(char.isdigit() for char in text)
    where = CallFilter(number=text) if digits > len(text) / 2 else CallFilter(name=text)
    cursor = visit.query("cursor") or None
    try:
        found = await visit.api.do(operations.list_calls(where, limit=_PAGE, cursor=cursor))
    except InvalidError as error:
        return _found(visit, text, None, fault=error.message)
    return _found(visit, text, found)


def _found(visit: Visit, text: str, found: CallPage | None, *, fault: str | None = None) -> Response:
    return visit.page(
        "search.html",
        status=_BAD if fault else 200,
        text=text,
        found=found,
        people=found.subscribers or [] if found else [],
        fault=fault,
    )
