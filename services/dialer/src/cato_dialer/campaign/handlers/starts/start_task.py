"""Starting a task: store everything that the run works with, then decide the start.

A run calls the subscribers of the task's groups, or those whom an earlier run has not reached.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import structlog

from cato_contracts.api.resources import AudioFile, SettingsSpec, StartResult, TaskStart
from cato_contracts.api.rules.exclusions import ExclusionChoice
from cato_contracts.errors import InvalidError, NotFoundError
from cato_contracts.ids import derived_id, time_ordered_id
from cato_contracts.messages.campaign_commands import CallTester, RepeatUnreached, StartTask
from cato_contracts.messages.runs import OptOut, RunSnapshot, RunSubscriber
from cato_contracts.objects import Bucket, ObjectRef
from cato_contracts.requests import Actor
from cato_contracts.subjects import run_result
from cato_dialer.campaign.domain.catalog.message import check_duration
from cato_dialer.campaign.domain.catalog.notification_settings import NotificationSettings
from cato_dialer.campaign.domain.catalog.ownership import not_found
from cato_dialer.campaign.domain.catalog.task import Task
from cato_dialer.campaign.domain.lists.snapshot_list import (
    snapshot_list,
    unreached_list,
    with_number_zones,
    with_shared_numbers,
    zones_in,
)
from cato_dialer.campaign.domain.run.households import with_households
from cato_dialer.campaign.domain.run.local_time import dates_without_calls, run_zones
from cato_dialer.campaign.domain.run.run import Run
from cato_dialer.campaign.handlers.catalog_view import RunningTask
from cato_dialer.campaign.handlers.coordinator.old_runs import archived_run
from cato_dialer.campaign.handlers.coordinator.run_results import result_of
from cato_dialer.campaign.handlers.deps import Deps
from cato_dialer.campaign.handlers.notification_settings import opt_out_files
from cato_dialer.campaign.handlers.resources import translate_log_errors
from cato_dialer.campaign.handlers.starts.approval import approval_order
from cato_dialer.campaign.handlers.starts.run_prompts import cannot_start, opt_out_of, store_prompt
from cato_runtime import tracing
from cato_runtime.objects import ObjectMissingError
from cato_runtime.requests import RequestContext

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RunList:
    """The list of a run: JSON lines of `RunSubscriber`; which run it repeats; whether it is a test call."""

    lines: bytes
    count: int
    repeats: UUID | None = None
    test: bool = False


ListSource = Callable[[Task], Awaitable[RunList]]

_SNAPSHOT_ATTEMPTS = 3
_TESTER = "Test call"
_FIRST = 10
"""The highest priority."""


async def start_task(deps: Deps, command: StartTask, context: RequestContext) -> TaskStart:
    """Start a run. A repeated command answers with the run that it has started.

    Raises:
        NotFoundError: if the actor has no such task.
        ConflictError: if a run is in progress, the task has expired, or a resource that it uses is gone.

    """
    return await _start(deps, command, context, lambda task: _group_list(deps, task))


async def repeat_unreached(deps: Deps, command: RepeatUnreached, context: RequestContext) -> TaskStart:
    """Start a run for those whom an earlier run of the task has not reached, with the task's current state.

    Raises:
        NotFoundError: if the actor has no such task, or the task no such run.
        ConflictError: as `start_task`, and if the task was never started or everyone was reached.

    """
    return await _start(deps, command, context, lambda task: _unreached_list(deps, task, command.run_id))


async def test_call(deps: Deps, command: CallTester, context: RequestContext) -> TaskStart:
    """Start a run that calls one number once, at any hour, with the message and settings of the task.

    Raises the same errors as `start_task`.
    """

    async def tester(_: Task) -> RunList:
        person = RunSubscriber(
            id=derived_id("test-call", context.command_id), full_name=_TESTER, phones=[command.number], no=0
        )
        return RunList(f"{person.model_dump_json()}\n".encode(), 1, test=True)

    return await _start(deps, command, context, tester)


async def _start(
    deps: Deps, command: StartTask | RepeatUnreached | CallTester, context: RequestContext, listed: ListSource
) -> TaskStart:
    task = await deps.tasks.load(command.id, command.actor)
    if context.command_id not in task.starts:
        task.check_startable(context.now)
        if deps.config.channels == 0:
            return TaskStart(task_exec_id=None, result=StartResult.FAIL_NO_CHANNELS)
        snapshot = await _snapshot(deps, task, context, command.actor, listed)

        def decide(task: Task) -> None:
            task.check_visible(command.actor)
            task.start(snapshot, command_id=context.command_id, timestamp=context.now)

        task = await deps.tasks.execute(command.id, context.command_id, decide)
    run_id = task.starts[context.command_id]
    # If the process dies here, the coordinator creates the run.
    if task.running is not None and task.started_at is not None and task.running.run_id == run_id:
        await ensure_run_created(deps, RunningTask(task.id, task.running, task.started_at))
    return TaskStart(task_exec_id=run_id, result=StartResult.SUCCESS)


async def ensure_run_created(deps: Deps, running: RunningTask) -> Run:
    """Return the run, created by this call or an earlier one: both make the same first commit.

    A run that has left the log must not begin again, though its task may still hold it for active.
    """
    if (archived := await archived_run(deps, running.snapshot.run_id)) is not None:
        return archived
    run = Run.begin(running.snapshot, timestamp=running.started_at)
    with translate_log_errors("taskExec", run.id):
        return await deps.runs.create(run, command_id=f"begin:{run.id}", messages=run.unpublished())


async def settings_and_files(deps: Deps, task: Task) -> tuple[NotificationSettings, list[AudioFile]]:
    """Return the settings and the audio files that the task names.

    Raises:
        ConflictError: if one is gone, or the message is too long.

    """
    # The references were checked against the actor when the task was stored. Here they only have to exist.
    owner = Actor(user_id=task.user_id, admin=True)
    try:
        settings = await deps.settings.load(task.spec.settings, owner)
        files = await deps.audio.files(owner, task.spec.files)
        # The settings or the limit may have changed since the task was stored.
        check_duration(files, settings.spec.repeat_count, max_seconds=deps.config.limits.audio_seconds)
        await opt_out_files(deps, owner, settings.spec)
    except (NotFoundError, InvalidError) as error:
        raise cannot_start(task, error.message) from error
    return settings, files


async def _snapshot(
    deps: Deps, task: Task, context: RequestContext, actor: Actor, listed: ListSource
) -> RunSnapshot:
    settings, files = await settings_and_files(deps, task)
    people = await listed(task)
    local, zone = settings.spec.local_time, settings.spec.time_zone or deps.config.time_zone
    lines = await asyncio.to_thread(with_number_zones, people.lines, local, deps.calendars.zones_of)
    canonical = deps.config.numbering.rule().canonical
    sharing = 0
    if task.spec.share_phone:
        lines, sharing = await asyncio.to_thread(with_households, lines, canonical, local)
    lines = await asyncio.to_thread(with_shared_numbers, lines, canonical)
    people = replace(people, lines=lines)
    closed = await closed_dates(deps, task, settings.spec, context.now)
    # Named after its content: a repeated start stores it under the same name.
    name = f"run/{hashlib.sha256(people.lines).hexdigest()}"
    zones = await asyncio.to_thread(zones_in, lines, local) if local is not None else ()
    opt_out = await opt_out_of(deps, task, settings.spec)
    snapshot = RunSnapshot(
        run_id=time_ordered_id(context.now),
        task_id=task.id,
        task_name=task.spec.name,
        user_id=task.user_id,
        settings=settings.view().model_copy(update={"excluded_dates": closed}),
        time_zone=zone,
        zones=run_zones(local, zones, zone),
        prompt=await store_prompt(deps, task, files, settings.spec.repeat_count),
        subscribers=await deps.objects.put(Bucket.LISTS, name, people.lines),
        subscriber_count=people.count,
        priority=task.spec.priority,
        start_at=task.spec.start_at,
        expires_at=task.spec.expires_at,
        repeats=people.repeats,
        caller_id=task.spec.caller_id,
        purpose=task.spec.purpose,
        traceparent=tracing.traceparent(),
        exclusions=_exclusions(task, settings, opt_out),
        opt_out=opt_out,
        approval=approval_order(deps.config.approval, actor, people.count, context.now),
        ignore_contact_limits=task.spec.ignore_contact_limits,
        sharing=sharing,
    )
    return _as_test(snapshot) if people.test else snapshot


async def closed_dates(deps: Deps, task: Task, spec: SettingsSpec, now: datetime) -> list[date]:
    """Return the dates on which the settings allow no calls: their own and holidays, of a year ahead.

    Raises:
        ConflictError: if there is no such calendar.

    """
    if spec.holidays is None:
        return spec.excluded_dates
    if not await asyncio.to_thread(deps.calendars.is_known, spec.holidays):
        raise cannot_start(task, f"there are no holidays of {spec.holidays}")
    years = (now.year, now.year + 1)
    holidays = await asyncio.to_thread(deps.calendars.holidays, spec.holidays, years)
    return dates_without_calls(spec.excluded_dates, holidays, now.date())


def exclusion_choice(task: Task, opt_out_list: UUID | None) -> ExclusionChoice:
    """Return which exclusion lists apply to a run of the task."""
    lists = task.spec.exclusion_lists
    if lists is not None and opt_out_list is not None:
        lists = [*lists, opt_out_list]
    return ExclusionChoice(user_id=task.user_id, lists=lists, ignore=task.spec.ignore_exclusions)


def _exclusions(task: Task, settings: NotificationSettings, opt_out: OptOut | None) -> ExclusionChoice | None:
    """Return which exclusion lists apply to the run; None stands for all of the settings' user."""
    chosen = exclusion_choice(task, None if opt_out is None else opt_out.list_id)
    return None if chosen == ExclusionChoice(user_id=settings.user_id) else chosen


def _as_test(snapshot: RunSnapshot) -> RunSnapshot:
    """Return the snapshot for one attempt, at once and before everyone else: no calling hours apply."""
    any_time: dict[str, Any] = {
        "time_restrictions": None,
        "weekdays": None,
        "excluded_dates": [],
        "holidays": None,
        "local_time": None,
    }
    once = {"attempt_count": 1, **any_time}
    return snapshot.model_copy(
        update={
            "test": True,
            "task_name": f"{snapshot.task_name} (test call)",
            "settings": snapshot.settings.model_copy(update=once),
            "zones": [],
            "start_at": None,
            "expires_at": None,
            "priority": _FIRST,
            "approval": None,
        }
    )


async def _group_list(deps: Deps, task: Task) -> RunList:
    """Return the subscribers of all groups."""
    _, lists = await group_lists(deps, task)
    lines, count = await asyncio.to_thread(snapshot_list, lists)
    if count == 0:
        raise cannot_start(task, "its groups have no subscribers")
    return RunList(lines, count)


async def _unreached_list(deps: Deps, task: Task, run_id: UUID | None) -> RunList:
    """Return the subscribers of an earlier run who have no successful result."""
    run = await (_latest_run(deps, task) if run_id is None else _find_run(deps, run_id))
    run_id = run.id
    if run.snapshot.task_id != task.id:
        raise not_found("task execution", run_id)
    reached = await _reached(deps, run_id)
    # It is in the archive before its results leave the log. Without them everyone would be called again.
    if await archived_run(deps, run_id) is not None:
        raise cannot_start(task, f"the execution {run_id} is older than what is kept in the log")
    content = await deps.objects.get(run.snapshot.subscribers)
    lines, count = await asyncio.to_thread(unreached_list, content, reached)
    if count == 0:
        raise cannot_start(task, f"the execution {run_id} has reached everyone")
    return RunList(lines, count, repeats=run_id)


async def _latest_run(deps: Deps, task: Task) -> Run:
    """Return the run of the task that began last and was no test call."""
    for run_id in reversed(task.starts.values()):
        run = await _find_run(deps, run_id)
        if not run.snapshot.test:
            return run
    raise cannot_start(task, "it has not been started yet, or too long ago, so nobody is unreached")


async def _find_run(deps: Deps, run_id: UUID) -> Run:
    """Return a run that is in the log or was archived."""
    if (archived := await archived_run(deps, run_id)) is not None:
        return archived
    with translate_log_errors("task execution", run_id):
        return await deps.runs.load(run_id)


async def _reached(deps: Deps, run_id: UUID) -> set[int]:
    """Return the numbers of the subscribers with a successful result."""
    subjects = [run_result(run_id, "*")]
    end = await deps.run_log.end(subjects)
    reached: set[int] = set()
    if end == 0:
        return reached
    async with aclosing(deps.run_log.read(subjects, after=0)) as records:
        async for record in records:
            if record is None:
                continue
            if (result := result_of(record)) is not None and result.notified:
                reached.update(result.nos)
            if record.sequence >= end:
                break
    return reached


async def group_refs(deps: Deps, task: Task) -> tuple[ObjectRef, ...]:
    """Return where the lists of the task's groups are; they are stored under new names when they change.

    Raises:
        ConflictError: if a group is gone.

    """
    owner = Actor(user_id=task.user_id, admin=True)
    try:
        return tuple([(await deps.groups.load(each, owner)).subscribers for each in task.spec.groups])
    except NotFoundError as error:
        raise cannot_start(task, error.message) from error


async def group_lists(deps: Deps, task: Task) -> tuple[tuple[ObjectRef, ...], list[bytes]]:
    """Return where the lists of the task's groups are, and their content."""
    attempt = 1
    while True:
        refs = await group_refs(deps, task)
        try:
            return refs, [await deps.objects.get(ref) for ref in refs]
        except ObjectMissingError as error:
            # The group was replaced between the two reads. The next attempt reads its new list.
            if attempt == _SNAPSHOT_ATTEMPTS:
                raise cannot_start(task, "the list of a group is missing") from error
            attempt += 1
