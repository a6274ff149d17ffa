"""The aggregates of one kind: loaded, checked and changed, with errors for clients."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from eventsourcing.domain import CanMutateAggregate

from cato_contracts.api.resources import SettingsSpec, TaskSpec
from cato_contracts.api.rules.exclusions import ExclusionScope
from cato_contracts.errors import ConflictError, InvalidError, NotFoundError
from cato_contracts.messages.campaign_commands import (
    RemoveNotificationSettings,
    RemoveSubscriberGroup,
    RemoveTask,
    ReplaceNotificationSettings,
    ReplaceSubscriberGroup,
    ReplaceTask,
)
from cato_contracts.messages.exclusion_commands import ExcludeNumber, ReadmitNumber, RemoveExclusionList
from cato_contracts.messages.runs import RunEnding, RunSnapshot
from cato_contracts.objects import ObjectRef
from cato_contracts.requests import Actor
from cato_contracts.subjects import run_life
from cato_dialer.campaign.domain.catalog.exclusion_list import ExclusionList
from cato_dialer.campaign.domain.catalog.notification_settings import NotificationSettings
from cato_dialer.campaign.domain.catalog.ownership import not_found
from cato_dialer.campaign.domain.catalog.subscriber_group import SubscriberGroup
from cato_dialer.campaign.domain.catalog.task import Task
from cato_dialer.campaign.domain.run.run import Run
from cato_jetstream import (
    Commit,
    Conflict,
    EnumAsValue,
    Log,
    ModelAsDict,
    NotFound,
    Rejected,
    Repository,
)
from cato_runtime.clock import Clock
from cato_runtime.requests import RequestContext

_TRANSCODINGS = (
    ModelAsDict(SettingsSpec, "settings-spec"),
    ModelAsDict(TaskSpec, "task-spec"),
    ModelAsDict(ObjectRef, "object-ref"),
    ModelAsDict(RunSnapshot, "run-snapshot"),
    EnumAsValue(RunEnding, "run-ending"),
    EnumAsValue(ExclusionScope, "exclusion-scope"),
)

Change = (
    ReplaceSubscriberGroup
    | RemoveSubscriberGroup
    | ReplaceNotificationSettings
    | RemoveNotificationSettings
    | ReplaceTask
    | RemoveTask
    | RemoveExclusionList
    | ExcludeNumber
    | ReadmitNumber
)

R = TypeVar("R", SubscriberGroup, NotificationSettings, Task, ExclusionList)


class Resources(Generic[R]):
    """The resources of one kind of the catalog. All methods raise BrokerError if the broker fails."""

    def __init__(self, events: Log, kind: type[R], clock: Clock) -> None:
        self._repository: Repository[R] = Repository(
            events, kind, transcodings=_TRANSCODINGS, clock=clock.now
        )
        self._what = kind.WHAT

    async def add(self, new: R, context: RequestContext) -> R:
        """Store a new resource. If the same command has stored it before, return that resource."""
        with translate_log_errors(self._what, new.id):
            return await self._repository.create(new, command_id=context.command_id)

    async def find(self, resource_id: UUID) -> R | None:
        """Return the resource, removed or not, None if there is none."""
        try:
            with translate_log_errors(self._what, resource_id):
                return await self._repository.load(resource_id)
        except NotFoundError:
            return None

    async def load(self, resource_id: UUID, actor: Actor) -> R:
        """Return the resource.

        Raises:
            NotFoundError: if there is none for this actor.

        """
        with translate_log_errors(self._what, resource_id):
            found = await self._repository.load(resource_id)
        found.check_visible(actor)
        return found

    def has_carried_out(self, resource: R, context: RequestContext) -> bool:
        """Return whether the command is among the latest that changed this resource."""
        return self._repository.head(resource).knows(context.command_id)

    def sequence(self, resource: R) -> int:
        """Return the position in the log of the commit that this resource is based on."""
        return self._repository.head(resource).sequence

    async def change(self, command: Change, context: RequestContext, decide: Callable[[R], None]) -> R:
        """Let `decide` change the resource that the command names. A repeated command changes nothing.

        Raises:
            NotFoundError: if there is none for this actor.
            PreconditionFailedError: if the command is meant for another version.
            Exception: any that `decide` raises.

        """

        def decide_if_visible(resource: R) -> None:
            resource.check_visible(command.actor)
            resource.check_version(command.if_version)
            decide(resource)

        changed = await self.execute(command.id, context.command_id, decide_if_visible)
        if not command.actor.may_see(changed.user_id):
            raise not_found(self._what, command.id)
        return changed

    async def execute(self, resource_id: UUID, command_id: str, decide: Callable[[R], None]) -> R:
        """Let `decide` change the resource, once for this command; raises what `decide` raises."""
        with translate_log_errors(self._what, resource_id):
            return await self._repository.execute(resource_id, command_id, decide)

    async def forget_runs(self, task_id: UUID, *, before: datetime) -> None:
        """Remove from the log the commits before a time that only started or ended a run."""
        with translate_log_errors(self._what, task_id):
            await self._repository.forget(task_id, before=before, which=_concerns_a_run)

    def events(self, commit: Commit) -> tuple[CanMutateAggregate[UUID], ...]:
        """Return the events of a commit. Raises Corrupt."""
        return self._repository.events(commit)

    def restore(self, commit: Commit) -> R:
        """Return the resource as it was after a commit. Raises Corrupt."""
        return self._repository.restore(commit)


def run_repository(runs: Log, clock: Clock) -> Repository[Run]:
    """Return the repository of the runs, which have their own stream."""
    return Repository(runs, Run, subject=run_life, transcodings=_TRANSCODINGS, clock=clock.now)


def _concerns_a_run(commit: Commit) -> bool:
    return all(event.name in {Task.Started.TOPIC, Task.RunEnded.TOPIC} for event in commit.events)


@contextmanager
def translate_log_errors(what: str, resource_id: UUID) -> Iterator[None]:
    """Translate event-log exceptions into RefusedError. `Unavailable` stays: it is a BrokerError."""
    try:
        yield
    except NotFound as error:
        raise not_found(what, resource_id) from error
    except Conflict as error:
        raise ConflictError(
            f"the {what} is being changed by another request; try again", resource_id=str(resource_id)
        ) from error
    except Rejected as error:
        raise InvalidError(str(error)) from error
