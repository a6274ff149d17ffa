"""Step 2: who is called. A list is checked before it is stored: columns, faults by line, duplicates."""

from dataclasses import replace
from datetime import datetime
from pathlib import PurePath
from zoneinfo import ZoneInfo

from starlette.datastructures import UploadFile
from starlette.responses import Response

from cato_client import InvalidError, operations
from cato_client.list_models import ListCheck
from cato_client.operation import CSV, XLSX
from cato_console.drafts import Draft
from cato_console.http.visits import Visit, words
from cato_console.pages.ids import id_of
from cato_console.pages.notification.plan import plan_of

MEANINGS = ("fullName", "phones", "emails", "timeZone", "consent")
_SHOWN = 12
_BAD = 400
_ZIP = b"PK\x03\x04"


async def show(visit: Visit) -> Response:
    """Offer an upload, and the lists that are there."""
    return await _page(visit)


async def upload(visit: Visit) -> Response:
    """Keep the list for the check, or take one that is there."""
    form = await visit.form()
    plan = plan_of(visit)
    if chosen := words(form, "chosen"):
        return visit.go(replace(plan, group=id_of(chosen)).address("rules"))
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return await _page(visit, fault=visit.language.gettext("Choose a list, or one of those below."))
    content = await file.read()
    media_type = XLSX if content.startswith(_ZIP) else CSV
    name = PurePath(file.filename).name
    draft = visit.deps.drafts.add(visit.session.id, name, media_type, content)
    return visit.go(plan.address(f"people/{draft}"))


async def show_draft(visit: Visit) -> Response:
    """Show what the list contains, and all its faults by line; nothing is stored."""
    draft = visit.deps.drafts.get(visit.session.id, visit.request.path_params["draft"])
    columns = visit.query("columns") or None
    try:
        check = await visit.uploads.do(
            operations.check_subscriber_list(draft.content(), draft.media_type, columns=columns)
        )
    except InvalidError as error:
        return _checked(visit, draft, None, fault=error.message)
    return _checked(visit, draft, check)


async def store(visit: Visit) -> Response:
    """Check again with other columns, or store the list."""
    form = await visit.form()
    draft_id: str = visit.request.path_params["draft"]
    draft = visit.deps.drafts.get(visit.session.id, draft_id)
    plan = plan_of(visit)
    if words(form, "do") == "columns":
        headers = form.getlist("header")
        meanings = form.getlist("meaning")
        chosen = [
            f"{meaning}:{header}"
            for header, meaning in zip(headers, meanings, strict=True)
            if isinstance(meaning, str) and meaning in MEANINGS
        ]
        return visit.go(plan.address(f"people/{draft_id}", columns=",".join(chosen) or None))
    name = words(form, "name") or PurePath(draft.name).stem
    at = datetime.now(ZoneInfo(visit.deps.settings.time_zone))
    columns = words(form, "columns") or None
    operation = operations.add_subscriber_list(
        f"{name} {at:%Y-%m-%d %H.%M}", draft.content(), draft.media_type, columns=columns
    )
    try:
        group = await visit.uploads.do(operation)
    except InvalidError as error:
        return _checked(visit, draft, None, fault=error.message)
    visit.deps.drafts.remove(draft_id)
    return visit.go(replace(plan, group=group.id).address("rules"))


def _checked(visit: Visit, draft: Draft, check: ListCheck | None, *, fault: str | None = None) -> Response:
    return visit.page(
        "new/list.html",
        status=_BAD if fault else 200,
        plan=plan_of(visit),
        step="people",
        draft=draft,
        draft_id=visit.request.path_params["draft"],
        check=check,
        columns=visit.query("columns"),
        meanings=MEANINGS,
        fault=fault,
    )


async def _page(visit: Visit, *, fault: str | None = None) -> Response:
    found = await visit.api.do(
        operations.list_subscriber_groups(limit=_SHOWN, name=visit.query("name") or None)
    )
    return visit.page(
        "new/people.html",
        status=_BAD if fault else 200,
        plan=plan_of(visit),
        step="people",
        groups=found.items,
        fault=fault,
    )
