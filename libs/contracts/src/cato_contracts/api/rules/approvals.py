"""The approval of an execution by a second person."""

from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AfterValidator, Field

from cato_contracts.model import ENCODABLE, Instant, Resource
from cato_contracts.requests import Command

MAX_COMMENT = 500
_SERVICE = "dialer"


def _not_blank(text: str | None) -> str | None:
    return text if text and text.strip() else None


ApprovalComment = Annotated[
    Annotated[str, Field(max_length=MAX_COMMENT), ENCODABLE] | None, AfterValidator(_not_blank)
]
"""What the deciding user says about it."""


class ApprovalState(StrEnum):
    """What has become of the approval of an execution."""

    WAITING = "WAITING"
    """No user has decided yet: no call begins."""
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    """No user has decided before `until`."""
    WITHDRAWN = "WITHDRAWN"
    """The execution was stopped, or its `expiresAt` passed, before a user had decided."""


class Approval(Resource):
    """The approval that an execution needs before its first call."""

    state: ApprovalState = Field(examples=["WAITING"])
    """`WAITING`, `APPROVED`, `REJECTED`, `EXPIRED` (no decision before `until`) or `WITHDRAWN` (the execution
    ended before a decision)."""

    requested_by: str = Field(examples=["user"])
    """The user who has started the execution, and who cannot approve it."""

    until: Instant = Field(examples=["2024-03-25T08:30:00Z"])
    """When it ends if no user has decided."""

    by: str | None = Field(default=None, exclude_if=lambda user: user is None, examples=["head of shift"])
    """The user who has approved or rejected it; absent: none has."""

    at: Instant | None = Field(
        default=None, exclude_if=lambda at: at is None, examples=["2024-03-24T08:31:00Z"]
    )
    """When that was."""

    comment: str | None = Field(
        default=None, exclude_if=lambda comment: comment is None, examples=["Agreed with the city"]
    )
    """What that user has said about it; absent: nothing."""


class ApproveRun(Command[Approval]):
    """Let a run begin that waits for an approval. Another user must have started it."""

    service: ClassVar[str] = _SERVICE
    id: UUID
    comment: ApprovalComment = None


class RejectRun(Command[Approval]):
    """End a run that waits for an approval, without a call. Another user must have started it."""

    service: ClassVar[str] = _SERVICE
    id: UUID
    comment: ApprovalComment = None
