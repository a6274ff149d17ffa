"""Checking a task before its start: counts, bounds and warnings; nothing is changed, nobody is called."""

import asyncio
from collections.abc import Iterator

from cato_contracts.api.checks import CheckCode, CheckTask, CheckWarning, TaskCheck
from cato_contracts.api.resources import AudioFile, SettingsSpec
from cato_contracts.api.rules.duplicates import ListDuplicates
from cato_contracts.api.rules.hours import LocalTime
from cato_contracts.api.stations import StationState
from cato_dialer.campaign.domain.catalog.task import Task
from cato_dialer.campaign.domain.forecast import ListCounts, count_list, duration_bounds
from cato_dialer.campaign.domain.hours_forecast import forecast_hours
from cato_dialer.campaign.domain.stations import no_station
from cato_dialer.campaign.handlers.deps import Deps
from cato_dialer.campaign.handlers.starts.approval import needs_approval
from cato_dialer.campaign.handlers.starts.start_task import (
    closed_dates,
    group_lists,
    group_refs,
    settings_and_files,
)
from cato_dialer.campaign.handlers.starts.uncallable import uncallable
from cato_dialer.campaign.handlers.stations import current_stations
from cato_runtime.requests import RequestContext

_APPROVAL = "after the start another user must approve the execution, because of its size"


async def check_task(deps: Deps, query: CheckTask, context: RequestContext) -> TaskCheck:
    """Say what the task would do if it were started now.

    Raises:
        NotFoundError: if the actor has no such task.
        ConflictError: if a resource that it uses is gone.

    """
    task = await deps.tasks.load(query.id, query.actor)
    stored, files = await settings_and_files(deps, task)
    closed = await closed_dates(deps, task, stored.spec, context.now)
    settings = stored.spec.model_copy(update={"excluded_dates": closed})
    counts = await _counts(deps, task, settings.local_time)
    message_ms = sum(file.duration_ms for file in files) * settings.repeat_count
    channels = deps.config.channels
    shortest = longest = None
    if channels:
        shortest, longest = duration_bounds(counts, settings, message_ms, channels)
    zone = settings.time_zone or deps.config.time_zone
    hours = await asyncio.to_thread(forecast_hours, settings, zone, counts.zones, context.now)
    stations = current_stations(deps)
    left_out = await uncallable(deps, task, settings, context.now)
    found = TaskCheck(
        subscribers=counts.subscribers,
        numbers=counts.numbers,
        duplicates=ListDuplicates(persons=counts.repeated, numbers=counts.shared),
        implausible_numbers=counts.implausible,
        excluded=left_out.excluded,
        limited=left_out.limited,
        channels=channels,
        stations_up=sum(each.state is StationState.UP and each.channels > 0 for each in stations),
        message_ms=message_ms,
        may_call_now=hours.may_call,
        next_change_at=hours.next_change_at,
        out_of_hours=hours.out_of_hours,
        without_time_zone=hours.skipped,
        shortest_s=shortest,
        longest_s=longest,
    )
    warnings = [
        *_of_task(task, found, context),
        *_of_channels(found, silent=no_station(stations) is True),
        *_of_list(found),
        *_of_message(found, settings, files),
    ]
    if needs_approval(deps.config.approval, query.actor, found.subscribers):
        warnings.append(_warning(CheckCode.NEEDS_APPROVAL, _APPROVAL))
    return found.model_copy(update={"warnings": warnings})


async def _counts(deps: Deps, task: Task, local: LocalTime | None) -> ListCounts:
    """Return the counts of the task's lists: each list is read once, and its counts are kept."""
    if (kept := deps.list_counts.get(await group_refs(deps, task), local)) is not None:
        return kept
    refs, lists = await group_lists(deps, task)
    counts = await asyncio.to_thread(count_list, lists, local, deps.calendars.zones_of)
    deps.list_counts.keep(counts, refs, local)
    return counts


def _of_task(task: Task, found: TaskCheck, context: RequestContext) -> Iterator[CheckWarning]:
    if task.running is not None:
        yield _warning(CheckCode.RUNNING, "the task is being executed; it cannot be started before that ends")
    expires = task.spec.expires_at
    start = max(context.now, task.spec.start_at or context.now)
    if expires is not None and expires <= context.now:
        yield _warning(CheckCode.EXPIRED, f"the task expired at {expires.isoformat()}")
    elif expires is not None and found.shortest_s is not None:
        left = (expires - start).total_seconds()
        if left < found.shortest_s:
            yield _warning(
                CheckCode.TOO_SHORT,
                f"the task expires {left:.0f} s after its start, and takes {found.shortest_s} s at least",
            )
    if not found.may_call_now and task.spec.start_at is None:
        until = f" until {found.next_change_at.isoformat()}" if found.next_change_at else ""
        yield _warning(CheckCode.OUT_OF_HOURS, f"the calling hours allow no calls{until}")
    elif found.out_of_hours and task.spec.start_at is None:
        closed = sum(each.subscribers for each in found.out_of_hours)
        yield _warning(
            CheckCode.SOME_OUT_OF_HOURS, f"{closed} subscribers are called later, in the hours of their zones"
        )
    if found.without_time_zone:
        yield _warning(
            CheckCode.NO_TIME_ZONE,
            f"{found.without_time_zone} subscribers are not called, as their time zone is not known",
        )


def _of_channels(found: TaskCheck, *, silent: bool) -> Iterator[CheckWarning]:
    if not found.channels:
        yield _warning(CheckCode.NO_CHANNELS, "no channels are configured or licensed")
    elif silent:
        yield _warning(CheckCode.NO_STATION, "no station responds; the execution would wait for one")


def _of_list(found: TaskCheck) -> Iterator[CheckWarning]:
    if found.duplicates.persons:
        yield _warning(
            CheckCode.REPEATED_PERSONS,
            f"{found.duplicates.persons} entries repeat the name and numbers of another one and are left out",
        )
    if found.duplicates.numbers:
        yield _warning(
            CheckCode.SHARED_NUMBERS, f"{found.duplicates.numbers} numbers belong to more than one person"
        )
    if found.implausible_numbers:
        yield _warning(
            CheckCode.IMPLAUSIBLE_NUMBERS,
            f"{found.implausible_numbers} numbers with a + have fewer than seven digits or begin with 0",
        )
    if found.excluded:
        yield _warning(
            CheckCode.EXCLUDED, f"{found.excluded} subscribers are not called: all their numbers are excluded"
        )
    if found.limited:
        yield _warning(
            CheckCode.LIMITED,
            f"{found.limited} subscribers cannot be called now because of limits of contacts",
        )
    elif found.limited is None:
        yield _warning(
            CheckCode.LIMITED,
            "so many numbers were called lately that those with too many calls are not counted",
        )


def _of_message(found: TaskCheck, settings: SettingsSpec, files: list[AudioFile]) -> Iterator[CheckWarning]:
    if found.message_ms > settings.max_call_duration_s * 1000:
        yield _warning(
            CheckCode.CALL_TOO_SHORT,
            f"the message lasts {found.message_ms / 1000:g} s, and a call ends after"
            f" {settings.max_call_duration_s} s (maxCallDurationS)",
        )
    for file in files:
        for warning in file.warnings:
            yield _warning(CheckCode.AUDIO, f"{file.name}: {warning.message}")


def _warning(code: CheckCode, message: str) -> CheckWarning:
    return CheckWarning(code=code, message=message)
