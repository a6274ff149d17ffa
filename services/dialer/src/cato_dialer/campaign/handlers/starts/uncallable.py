"""How many subscribers would not be called now, because of exclusion lists and limits of contacts."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from cato_contracts.api.resources import SettingsSpec
from cato_contracts.api.rules.exclusions import ExclusionChoice
from cato_dialer.campaign.domain.catalog.task import Task
from cato_dialer.campaign.domain.lists.list_numbers import ListNumbers
from cato_dialer.campaign.handlers.deps import Deps
from cato_dialer.campaign.handlers.exclusions.opt_out_list import find_opt_out_list
from cato_dialer.campaign.handlers.starts.start_task import exclusion_choice, group_lists, group_refs
from cato_dialer.contacts import Allowed, AppliedLimits, LimitsInForce, NumberRecord, contact_decision

_MOST_RECORDS = 100_000
"""About so many numbers what is kept is read, which takes a few seconds."""


class Uncallable(NamedTuple):
    """Subscribers whose numbers are all excluded; those who have no other numbers but limited ones.

    `limited` is None if too many numbers have been called lately to tell.
    """

    excluded: int = 0
    limited: int | None = 0


async def uncallable(deps: Deps, task: Task, spec: SettingsSpec, now: datetime) -> Uncallable:
    """Count the subscribers of the task. Raises ConflictError if a list is gone, and BrokerError."""
    limits = await _limits(deps, task, spec)
    await deps.excluded.catch_up()
    heeds_exclusions = not (deps.excluded.book.empty or task.spec.ignore_exclusions)
    if not limits and not heeds_exclusions:
        return Uncallable()
    numbers = await _numbers(deps, task)
    choice = await _choice(deps, task, spec)
    excluded = deps.excluded.book.excluded_among(numbers.numbers, choice, now.timestamp())
    without = numbers.without_any_but(excluded)
    if not limits:
        return Uncallable(without)
    records = await deps.contact_limits.records(_MOST_RECORDS)
    if records is None:
        return Uncallable(without, None)
    limited = await asyncio.to_thread(_limited, records, limits, task.id, now)
    return Uncallable(without, numbers.without_any_but(excluded | numbers.among(limited)) - without)


async def _limits(deps: Deps, task: Task, spec: SettingsSpec) -> tuple[AppliedLimits, ...]:
    if task.spec.ignore_contact_limits:
        return ()
    stored = [await deps.contact_limits.get(user_id) for user_id in (None, task.user_id)]
    in_force = LimitsInForce(limits for limits in stored if limits is not None)
    return in_force.limits_for(task.user_id, spec.contact_limits)


async def _numbers(deps: Deps, task: Task) -> ListNumbers:
    if (kept := deps.list_numbers.get(await group_refs(deps, task))) is not None:
        return kept
    refs, lists = await group_lists(deps, task)
    numbers = await asyncio.to_thread(ListNumbers.of, lists, deps.excluded.book.canonical)
    deps.list_numbers.keep(numbers, refs)
    return numbers


async def _choice(deps: Deps, task: Task, spec: SettingsSpec) -> ExclusionChoice:
    own = None if spec.opt_out_key is None else await find_opt_out_list(deps, task.user_id, spec)
    return exclusion_choice(task, own)


def _limited(
    records: Mapping[str, NumberRecord], limits: Sequence[AppliedLimits], task_id: UUID, now: datetime
) -> list[str]:
    return [
        number
        for number, record in records.items()
        if not isinstance(contact_decision(record, limits, task_id, now), Allowed)
    ]
