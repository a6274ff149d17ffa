"""The ports of the gateway."""

from collections.abc import AsyncGenerator
from typing import NamedTuple, Protocol, TypeVar
from uuid import UUID

from cato_contracts.envelope import Envelope
from cato_contracts.messages.audit import ChangeMade
from cato_contracts.messages.sip_traces import TracedMessage
from cato_contracts.model import Frozen
from cato_contracts.objects import ObjectRef
from cato_contracts.requests import Request

R = TypeVar("R")


class Asker(Protocol):
    """Sends requests to services."""

    async def ask(
        self,
        request: Request[R],
        *,
        command_id: str | None = None,
        correlation_id: str | None = None,
        timeout: float = 10.0,
        wait: float | None = None,
    ) -> R:
        """Return the answer; `wait` is for how long it is of use, if the request will be repeated.

        Raises:
            RefusedError: the subclass of the error code in the answer.

        """
        ...


class KeptAnswer(Frozen):
    """A successful answer that is kept for repeated requests."""

    status: int
    media_type: str | None
    body: str
    etag: str | None = None


class LedgerEntry(Frozen):
    """The state of an idempotency key.

    `digest` identifies the first request, `command_id` its command; `answer` is set when there is one. An
    entry whose request was refused is `free`: the next request may have another body.
    """

    digest: str
    command_id: str
    free: bool = False
    answer: KeptAnswer | None = None


class AnswerLedger(Protocol):
    """Keeps the answer to every idempotency key for 24 hours."""

    async def reserve(self, key: str, entry: LedgerEntry) -> LedgerEntry:
        """Write `entry` unless the key has one that is not free; return the entry that the key has then.

        Raises:
            BrokerError: if the ledger does not answer.

        """
        ...

    async def settle(self, key: str, entry: LedgerEntry) -> None:
        """Replace the entry by one with an answer, or by a free one. Raises the same errors as `reserve`."""
        ...


class AuditPage(NamedTuple):
    """Changes, the newest first; `before`: the position of the next page, None on the last one."""

    changes: list[Envelope[ChangeMade]]
    before: int | None


class AuditLog(Protocol):
    """The changes that users have made. All methods raise BrokerError."""

    async def append(self, change: Envelope[ChangeMade]) -> None:
        """Store a change. A repeated call with its event id within minutes is the same one."""
        ...

    async def page(self, *, before: int | None, limit: int) -> AuditPage:
        """Return up to `limit` changes before a position, by default the newest ones."""
        ...


class RecordedMessage(NamedTuple):
    """A message of SIP, and the dialer that has recorded it."""

    dialer: str
    message: TracedMessage


class SipTraces(Protocol):
    """What dialers have recorded for SIP traces."""

    def messages(self, trace_id: UUID) -> AsyncGenerator[RecordedMessage, None]:
        """Yield the messages of all dialers until now, in order of time. Raises BrokerError."""
        ...


class Lists(Protocol):
    """Lists of subscribers, readable from any offset."""

    def pieces(self, ref: ObjectRef, offset: int) -> AsyncGenerator[bytes, None]:
        """Yield the list from a byte offset on.

        Raises:
            ObjectMissingError: if the list does not exist or was replaced.
            BrokerError: if the store does not answer.

        """
        ...


class ServiceProbe(Protocol):
    """Checks whether services can take requests."""

    async def states(self) -> dict[str, bool]:
        """Return for each service by name whether it is ready."""
        ...

    def storage_fault(self) -> str | None:
        """Return why the broker stores no messages, None if it does."""
        ...

    def broker_closed(self) -> bool:
        """Return whether the broker client is closed; a closed client never connects again."""
        ...
