"""Step 3: how people are called, what counts as reached, and the time and the number of this notification."""

import asyncio
from collections.abc import Mapping
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
from cato_console.pages.ids import id_of
from cato_console.pages.notification.plan import Plan, plan_of
from cato_console.views import details_form, rules_form
from cato_console.views.presets import PRESETS, Preset, preset_of

_SHOWN = 30
_BAD = 400


async def show(visit: Visit) -> Response:
    plan = plan_of(visit)
    task = await visit.api.do(operations.get_task(plan.task)) if plan.task is not None else None
    preset = preset_of(visit.query("preset"))
    values = rules_form.values_of(preset.rules) | details_form.values_of(visit.language, task)
    return await _page(visit, preset, values)


async def choose(visit: Visit) -> Response:
    """Take rules that are stored, or store those of the form: equal rules are stored once."""
    form = await visit.form()
    rules = {name: words(form, name) for name in rules_form.FIELDS}
    details = {name: words(form, name) for name in details_form.FIELDS}
    try:
        fields = details_form.fields_of(visit.language, details)
        settings = id_of(words(form, "chosen")) or await _settings(visit, rules)
        return await _planned(visit, replace(plan_of(visit), settings=settings), fields)
    except RefusedError as error:
        fault = str(error)
    except InvalidError as error:
        fault = error.message
    return await _page(visit, preset_of(rules["preset"]), rules | details, fault=fault)


async def _settings(visit: Visit, rules: Mapping[str, str]) -> UUID:
    wanted = rules_form.settings_of(visit.language, rules)
    same = next((each.id for each in await _stored(visit) if rules_form.equal(each, wanted)), None)
    return same or (await visit.api.do(operations.add_notification_settings(wanted))).id


async def _planned(visit: Visit, plan: Plan, fields: Mapping[str, object]) -> Response:
    """Make a task of what was chosen, and go on to its check; nobody is called yet."""
    if plan.audio is None or plan.group is None or plan.settings is None:
        return visit.go(replace(plan, task=None).address("check"))
    audio = await visit.api.do(operations.get_audio_file(plan.audio))
    at = datetime.now(ZoneInfo(visit.deps.settings.time_zone))
    name = f"{PurePath(audio.name).stem} {at:%Y-%m-%d %H.%M}"
    parts = {"settings": plan.settings, "files": [plan.audio], "groups": [plan.group]}
    task = await visit.api.do(operations.add_task(NewTask.model_validate({"name": name, **parts, **fields})))
    return visit.go(replace(plan, task=task.id).address("check"))


async def _stored(visit: Visit) -> list[NotificationSettings]:
    return (await visit.api.do(operations.list_notification_settings(limit=_SHOWN))).items


async def _page(
    visit: Visit, preset: Preset, values: Mapping[str, str], *, fault: str | None = None
) -> Response:
    stored, stations = await asyncio.gather(_stored(visit), visit.api.do(operations.list_stations()))
    return visit.page(
        "new/rules.html",
        status=_BAD if fault else 200,
        plan=plan_of(visit),
        step="rules",
        stored=stored,
        presets=PRESETS,
        preset=preset,
        values=values,
        caller_ids=details_form.caller_ids(stations.items, values["caller_id"]),
        weekdays=rules_form.WEEKDAYS,
        numbers=rules_form.NUMBERS,
        fault=fault,
    )
