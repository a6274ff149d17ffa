"""The audit log: who has changed what through the API."""

from typing import Any

from pydantic import Field

from cato_contracts.envelope import Message


class ChangeMade(Message):
    """A change that a service has carried out for a user.

    The envelope has the time and, as its correlation id, the id of the HTTP request. `operation` is the
    command in snake case. `before` and `after` are the resource, None if there is none, without contents.
    """

    user_id: str
    admin: bool
    operation: str
    resource_id: str | None
    before: dict[str, Any] | None = Field(default=None)
    after: dict[str, Any] | None = Field(default=None)
