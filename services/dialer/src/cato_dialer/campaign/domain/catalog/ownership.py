"""Whose a resource is, and what a repeated command means."""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from cato_contracts.errors import ConflictError, ForbiddenError, NotFoundError, PreconditionFailedError
from cato_contracts.objects import ObjectRef
from cato_contracts.requests import Actor, Command

_REMEMBERED_COMMANDS = 16


def owner_for(actor: Actor, wanted: str | None) -> str:
    """Return the user that a new resource belongs to.

    Raises:
        ForbiddenError: if that is somebody else, and the actor no administrator.

    """
    if wanted is None or wanted == actor.user_id:
        return actor.user_id
    if not actor.admin:
        raise ForbiddenError(f"userId: only an administrator may act for {wanted!r}")
    return wanted


def command_digest(command: Command[Any], upload: ObjectRef | None = None) -> str:
    """Return what tells two commands with one id apart: who asks for what.

    An upload counts by its content: a repeated request puts the same bytes under another name.
    """
    content = command.model_dump_json(exclude={"actor": {"admin"}, "upload": True})
    of_upload = f"{upload.size}:{upload.sha256}" if upload else ""
    return hashlib.sha256(f"{type(command).__name__}\n{content}\n{of_upload}".encode()).hexdigest()


class Owned:
    """What the aggregates of the catalog have in common: an owner, an end, a memory of commands.

    `digests` are the latest commands and the digests of what they said.
    """

    WHAT = "resource"

    id: UUID
    created_on: datetime
    user_id: str
    removed: bool
    version: int
    digests: dict[str, str]

    def check_visible(self, actor: Actor) -> None:
        """Raise NotFoundError if there is no such resource for this actor."""
        if self.removed or not actor.may_see(self.user_id):
            raise unknown(self.WHAT, self.id)

    def check_version(self, wanted: list[int] | None) -> None:
        """Raise PreconditionFailedError if the change is meant for other versions than this one."""
        if wanted is not None and self.version not in wanted:
            raise PreconditionFailedError(
                f"the {self.WHAT} was changed in the meantime: read it again", resource_id=str(self.id)
            )

    def check_same_command(self, command_id: str, digest: str) -> None:
        """Raise ConflictError if this command's id has come with other content."""
        if self.digests.get(command_id, digest) != digest:
            raise ConflictError(
                "the idempotency key has been used for another request", resource_id=str(self.id)
            )

    def _remember(self, command_id: str, digest: str) -> None:
        self.digests[command_id] = digest
        for oldest in list(self.digests)[:-_REMEMBERED_COMMANDS]:
            del self.digests[oldest]


def unknown(what: str, resource_id: UUID) -> NotFoundError:
    return NotFoundError(f"there is no {what} {resource_id}", resource_id=str(resource_id))
