"""The catalog's aggregates behind the commands: loaded, checked, changed, with refusals for people."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self, TypeVar
from uuid import UUID

from cato_contracts.campaign_commands import (
    RemoveNotificationSettings,
    RemoveSubscriberGroup,
    RemoveTask,
    ReplaceNotificationSettings,
    ReplaceSubscriberGroup,
    ReplaceTask,
)
from cato_contracts.errors import BrokerError, ConflictError, InvalidError, NotFoundError
from cato_contracts.objects import ObjectRef
from cato_contracts.requests import Actor
from cato_contracts.resources import SettingsSpec, TaskSpec
from cato_contracts.runs import RunEnding, RunSnapshot
from cato_contracts.subjects import run_life
from cato_dialer.campaign.domain.catalog.notification_settings import NotificationSettings
from cato_dialer.campaign.domain.catalog.ownership import command_digest, unknown
from cato_dialer.campaign.domain.catalog.subscriber_group import SubscriberGroup
from cato_dialer.campaign.domain.catalog.task import Task
from cato_dialer.campaign.domain.run.run import Run
from cato_jetstream import (
    Conflict,
    EnumAsValue,
    Log,
    ModelAsDict,
    NotFound,
    Rejected,
    Repository,
    Unavailable,
)
from cato_runtime.clock import Clock
from cato_runtime.requests import RequestContext

TRANSCODINGS = (
    ModelAsDict(SettingsSpec, "settings-spec"),
    ModelAsDict(TaskSpec, "task-spec"),
    ModelAsDict(ObjectRef, "object-ref"),
    ModelAsDict(RunSnapshot, "run-snapshot"),
    EnumAsValue(RunEnding, "run-ending"),
)


@dataclass(frozen=True, slots=True)
class Repositories:
    """Where the campaign role's aggregates are: the catalog in one stream, the runs in theirs."""

    groups: Repository[SubscriberGroup]
    settings: Repository[NotificationSettings]
    tasks: Repository[Task]
    runs: Repository[Run]

    @classmethod
    def on(cls, events: Log, runs: Log, clock: Clock) -> Self:
        return cls(
            groups=Repository(events, SubscriberGroup, transcodings=TRANSCODINGS, clock=clock.now),
            settings=Repository(events, NotificationSettings, transcodings=TRANSCODINGS, clock=clock.now),
            tasks=Repository(events, Task, transcodings=TRANSCODINGS, clock=clock.now),
            runs=Repository(runs, Run, subject=run_life, transcodings=TRANSCODINGS, clock=clock.now),
        )


@contextmanager
def translate_log_errors(what: str, resource_id: UUID) -> Iterator[None]:
    """Turn what the event log raises into refusals."""
    try:
        yield
    except NotFound as error:
        raise NotFoundError(f"there is no {what} {resource_id}", resource_id=str(resource_id)) from error
    except Conflict as error:
        raise ConflictError(
            f"the {what} is being changed by somebody else; try again", resource_id=str(resource_id)
        ) from error
    except Rejected as error:
        raise InvalidError(str(error)) from error
    except Unavailable as error:
        raise BrokerError(str(error)) from error


Change = (
    ReplaceSubscriberGroup
    | RemoveSubscriberGroup
    | ReplaceNotificationSettings
    | RemoveNotificationSettings
    | ReplaceTask
    | RemoveTask
)

O = TypeVar("O", SubscriberGroup, NotificationSettings, Task)  # noqa: E741 - of one of the owned ones


async def add(repository: Repository[O], new: O, context: RequestContext, digest: str) -> O:
    """Keep a new resource; a repeated command finds what it has made.

    Raises:
        ConflictError: if the command's id has come with other content.

    """
    with translate_log_errors(new.WHAT, new.id):
        kept = await repository.create(new, command_id=context.command_id)
    kept.check_same_command(context.command_id, digest)
    return kept


async def made_before(
    repository: Repository[O], what: str, resource_id: UUID, context: RequestContext, digest: str
) -> O | None:
    """Return what this command has made already, None if it has not; raises as `add`."""
    try:
        with translate_log_errors(what, resource_id):
            kept = await repository.load(resource_id)
    except NotFoundError:
        return None
    kept.check_same_command(context.command_id, digest)
    return kept


async def visible(repository: Repository[O], what: str, resource_id: UUID, actor: Actor) -> O:
    """Return the resource if there is one for this actor, else raise NotFoundError."""
    with translate_log_errors(what, resource_id):
        found = await repository.load(resource_id)
    found.check_visible(actor)
    return found


async def change(  # noqa: PLR0917 - in the order of the sentence
    repository: Repository[O],
    what: str,
    resource_id: UUID,
    command: Change,
    context: RequestContext,
    decide: Callable[[O, str], None],
    *,
    upload: ObjectRef | None = None,
) -> O:
    """Let `decide` change the resource (it is given the command's digest); repeated, nothing happens.

    Raises:
        NotFoundError: if there is none for this actor.
        PreconditionFailedError: if the command is meant for another version.
        ConflictError: if the command's id has come with other content.
        whatever `decide` raises

    """
    digest = command_digest(command, upload)

    def decide_if_visible(aggregate: O) -> None:
        aggregate.check_visible(command.actor)
        aggregate.check_version(command.if_version)
        decide(aggregate, digest)

    with translate_log_errors(what, resource_id):
        changed = await repository.execute(resource_id, context.command_id, decide_if_visible)
    if not command.actor.may_see(changed.user_id):
        raise unknown(what, resource_id)
    changed.check_same_command(context.command_id, digest)
    return changed
