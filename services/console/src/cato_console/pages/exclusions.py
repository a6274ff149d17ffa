"""Numbers that are not called: is a number on a list, put it on one, take it off."""

import asyncio
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import Response

from cato_client import InvalidError, NotFoundError, operations
from cato_client.models import ExcludedNumber, ExclusionList
from cato_console.errors import RefusedError
from cato_console.http.visits import Visit, words
from cato_console.language.languages import mark
from cato_console.pages.ids import id_of
from cato_console.views.details_form import instant_of

NEW_LIST = mark("Do not call")
"""The name of the list that is made with the first number."""

_DAY_NEEDED = mark("A day is needed, such as 2030-05-09.")
_FIELDS = ("number", "list", "reason", "until")
_ADDRESS = "/exclusions"
_PAGE = 50
_BAD = 400


async def show(visit: Visit) -> Response:
    """Show the lists, and those that have the number that is asked for."""
    given = {"number": visit.query("number")}
    lists = await _lists(visit)
    try:
        entries = await _entries(visit, lists, given["number"]) if given["number"] else None
    except InvalidError as error:
        return await _page(visit, lists, given, fault=error.message)
    return await _page(visit, lists, given, entries=entries)


async def show_list(visit: Visit) -> Response:
    """Show the numbers of a list, in pages."""
    list_id: UUID = visit.request.path_params["id"]
    cursor = visit.query("cursor") or None
    numbers = operations.list_excluded_numbers(list_id, limit=_PAGE, cursor=cursor)
    shown, found = await asyncio.gather(
        visit.api.do(operations.get_exclusion_list(list_id)), visit.api.do(numbers)
    )
    return visit.page("exclusion_list.html", list=shown, found=found)


async def exclude(visit: Visit) -> Response:
    """Put a number on a list; once this is answered, no call to it begins any more."""
    form = await visit.form()
    given = {name: words(form, name) for name in _FIELDS}
    try:
        until = instant_of(visit.language, given["until"], _DAY_NEEDED)
        number, reason = given["number"], given["reason"] or None
        if list_id := id_of(given["list"]):
            await visit.api.do(operations.exclude_number(list_id, number, reason=reason, expires_at=until))
        else:
            entry = ExcludedNumber(number=number, reason=reason, expires_at=until)
            await visit.api.do(operations.add_exclusion_list(visit.language.gettext(NEW_LIST), [entry]))
        return visit.go(f"{_ADDRESS}?{urlencode({'number': number})}", notice="excluded")
    except RefusedError as error:
        fault = str(error)
    except InvalidError as error:
        fault = error.message
    return await _page(visit, await _lists(visit), given, fault=fault)


async def readmit(visit: Visit) -> Response:
    """Take a number off a list: it may be called again."""
    form = await visit.form()
    list_id: UUID = visit.request.path_params["id"]
    try:
        await visit.api.do(operations.readmit_number(list_id, words(form, "number")))
    except NotFoundError:
        return visit.go(_ADDRESS, notice="changed")
    return visit.go(_ADDRESS, notice="readmitted")


async def _lists(visit: Visit) -> list[ExclusionList]:
    pages = visit.api.each(lambda cursor: operations.list_exclusion_lists(cursor=cursor))
    return [each async for each in pages]


async def _entries(
    visit: Visit, lists: Sequence[ExclusionList], number: str
) -> list[tuple[ExclusionList, ExcludedNumber]]:
    """Return the entries of a number, with their lists."""
    found = await asyncio.gather(*(_entry(visit, each, number) for each in lists))
    return [(each, entry) for each, entry in zip(lists, found, strict=True) if entry is not None]


async def _entry(visit: Visit, of: ExclusionList, number: str) -> ExcludedNumber | None:
    try:
        return await visit.api.do(operations.get_excluded_number(of.id, number))
    except NotFoundError:
        return None


async def _page(
    visit: Visit,
    lists: Sequence[ExclusionList],
    given: Mapping[str, str],
    *,
    entries: Sequence[tuple[ExclusionList, ExcludedNumber]] | None = None,
    fault: str | None = None,
) -> Response:
    return visit.page(
        "exclusions.html",
        status=_BAD if fault else 200,
        lists=lists,
        own=[each for each in lists if each.scope == "USER"],
        new_list=NEW_LIST,
        entries=entries,
        values={**dict.fromkeys(_FIELDS, ""), **given},
        fault=fault,
    )
