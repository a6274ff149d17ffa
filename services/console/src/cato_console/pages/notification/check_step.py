"""Step 4: look at everything once more, and start by typing the number of people."""

import asyncio
from datetime import datetime
from pathlib import PurePath
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.responses import Response

from cato_client import ConflictError, InvalidError, operations
from cato_client.models import AudioFile, NewTask, NotificationSettings, SubscriberGroup
from cato_console.http.visits import Visit, words
from cato_console.pages.notification.plan import Plan, plan_of
from cato_console.pages.once import new_key, once
from cato_console.views.estimate import estimate

_BAD = 400
_MILLISECONDS = 1000
_RINGING_S = 30


async def show(visit: Visit) -> Response:
    return await _page(visit, plan_of(visit))


async def start(visit: Visit) -> Response:
    """Start the notification if the number of people was typed."""
    form = await visit.form()
    plan = plan_of(visit)
    if plan.audio is None or plan.group is None or plan.settings is None:
        return visit.go("/new/message")
    group = await visit.api.do(operations.get_subscriber_group(plan.group))
    typed = "".join(char for char in words(form, "people") if not char.isspace() and char not in ".,'")
    name = words(form, "name") or group.name
    if typed != str(group.subscriber_count):
        said = visit.language.gettext(
            "Type %(n)s to start: the number of people on the list.", n=group.subscriber_count
        )
        return await _page(visit, plan, fault=said, name=name)
    task = NewTask(name=name, settings=plan.settings, files=[plan.audio], groups=[plan.group])
    try:
        run_id = await _start(visit, task, words(form, "once"))
    except (InvalidError, ConflictError) as error:
        return await _page(visit, plan, fault=error.message, name=name)
    if run_id is None:
        said = visit.language.gettext("There are no channels: the operator has to configure a station.")
        return await _page(visit, plan, fault=said, name=name)
    return visit.go(f"/runs/{run_id}", notice="started")


async def _start(visit: Visit, task: NewTask, key: str) -> UUID | None:
    """Add and start the task; a form that is sent twice starts it once."""
    stored = await visit.api.do(once(operations.add_task(task), key))
    return (await visit.uploads.do(once(operations.start_task(stored.id), key))).task_exec_id


async def _page(visit: Visit, plan: Plan, *, fault: str | None = None, name: str | None = None) -> Response:
    if plan.audio is None:
        return visit.go(plan.address("message"))
    if plan.group is None:
        return visit.go(plan.address("people"))
    if plan.settings is None:
        return visit.go(plan.address("rules"))
    api = visit.api
    audio: AudioFile
    group: SubscriberGroup
    settings: NotificationSettings
    audio, group, settings, stations = await asyncio.gather(
        api.do(operations.get_audio_file(plan.audio)),
        api.do(operations.get_subscriber_group(plan.group)),
        api.do(operations.get_notification_settings(plan.settings)),
        api.do(operations.list_stations()),
    )
    usable = [station for station in stations.items if station.state != "DOWN"]
    at = datetime.now(ZoneInfo(visit.deps.settings.time_zone))
    guess = estimate(
        people=group.subscriber_count,
        channels=sum(station.channels for station in usable),
        message_s=audio.duration_ms / _MILLISECONDS * (settings.repeat_count or 1),
        ringing_s=settings.max_answer_delay_s or _RINGING_S,
        waves=settings.attempt_count,
        delay_s=settings.attempt_delay_s or 0,
    )
    return visit.page(
        "new/check.html",
        status=_BAD if fault else 200,
        plan=plan,
        step="check",
        audio=audio,
        group=group,
        settings=settings,
        stations=stations.items,
        estimate=guess,
        name=name if name is not None else f"{PurePath(audio.name).stem} {at:%Y-%m-%d %H.%M}",
        once=new_key(),
        fault=fault,
    )
