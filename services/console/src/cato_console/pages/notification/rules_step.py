"""Step 3: how people are called, and what counts as reached."""

from dataclasses import replace
from datetime import datetime
from pathlib import PurePath
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.responses import Response

from cato_client import InvalidError, operations
from cato_client.models import NewTask, NotificationSettings
from cato_console.errors import RefusedError
from cato_console.http.visits import Visit, words
from cato_console.pages.notification.plan import Plan, plan_of
from cato_console.views import presets

_SHOWN = 30
_BAD = 400


async def show(visit: Visit) -> Response:
    return await _page(visit)


async def choose(visit: Visit) -> Response:
    """Take rules that are stored, or store those of the form: equal rules are stored once."""
    form = await visit.form()
    plan = plan_of(visit)
    if chosen := words(form, "chosen"):
        return await _planned(visit, replace(plan, settings=UUID(chosen)))
    try:
        wanted = presets.settings_of(visit.language, {name: words(form, name) for name in presets.FIELDS})
        known = await _stored(visit)
        same = next((each.id for each in known if presets.equal(each, wanted)), None)
        settings = same or (await visit.api.do(operations.add_notification_settings(wanted))).id
    except RefusedError as error:
        return await _page(visit, fault=str(error), given=dict(form))
    except InvalidError as error:
        return await _page(visit, fault=error.message, given=dict(form))
    return await _planned(visit, replace(plan, settings=settings))


async def _planned(visit: Visit, plan: Plan) -> Response:
    """Make a task of what was chosen, and go on to its check; nobody is called yet."""
    if plan.audio is None or plan.group is None or plan.settings is None:
        return visit.go(replace(plan, task=None).address("check"))
    audio = await visit.api.do(operations.get_audio_file(plan.audio))
    at = datetime.now(ZoneInfo(visit.deps.settings.time_zone))
    name = f"{PurePath(audio.name).stem} {at:%Y-%m-%d %H.%M}"
    new = NewTask(name=name, settings=plan.settings, files=[plan.audio], groups=[plan.group])
    task = await visit.api.do(operations.add_task(new))
    return visit.go(replace(plan, task=task.id).address("check"))


async def _stored(visit: Visit) -> list[NotificationSettings]:
    return (await visit.api.do(operations.list_notification_settings(limit=_SHOWN))).items


async def _page(
    visit: Visit, *, fault: str | None = None, given: dict[str, object] | None = None
) -> Response:
    asked = visit.query("preset")
    preset = next((each for each in presets.PRESETS if each.key == asked), presets.PRESETS[0])
    return visit.page(
        "new/rules.html",
        status=_BAD if fault else 200,
        plan=plan_of(visit),
        step="rules",
        stored=await _stored(visit),
        presets=presets.PRESETS,
        preset=preset,
        values=given or preset.values,
        fault=fault,
    )
