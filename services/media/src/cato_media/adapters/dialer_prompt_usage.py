"""Asks the dialer, which owns the tasks."""

from collections.abc import Sequence
from uuid import UUID

from cato_contracts.errors import NotAvailableYetError, UnavailableError
from cato_contracts.messages.campaign_commands import FindTasksUsingFile
from cato_contracts.requests import Actor
from cato_runtime.requests import Requester

_TIMEOUT_S = 3.0


class DialerPromptUsage:
    def __init__(self, requester: Requester) -> None:
        self._requester = requester

    async def tasks_using(self, file_id: UUID, actor: Actor) -> Sequence[UUID]:
        # As an administrator: tasks of other users count, too.
        administrator = Actor(user_id=actor.user_id, admin=True)
        question = FindTasksUsingFile(actor=administrator, file_id=file_id)
        try:
            return await self._requester.ask(question, timeout=_TIMEOUT_S)
        except (UnavailableError, NotAvailableYetError) as error:
            raise UnavailableError(
                "it is not known now whether a task uses the file, so it is kept; try again"
            ) from error
