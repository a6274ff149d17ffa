"""What the routes need from outside."""

from collections.abc import AsyncGenerator
from typing import Protocol, TypeVar

from cato_contracts.model import Frozen
from cato_contracts.objects import ObjectRef
from cato_contracts.requests import Request

R = TypeVar("R")


class Asker(Protocol):
    """Asks services."""

    async def ask(
        self,
        request: Request[R],
        *,
        command_id: str | None = None,
        correlation_id: str | None = None,
        timeout: float = 10.0,
    ) -> R:
        """Return the answer.

        Raises:
            RefusedError: the subclass that says why there is none.

        """
        ...


class KeptAnswer(Frozen):
    """A successful answer, to be given again."""

    status: int
    media_type: str | None
    body: str
    etag: str | None = None


class LedgerEntry(Frozen):
    """What is known of an idempotency key.

    `digest` is of the first request's body, `command_id` what its command carries, `answer` there as soon as
    there was one. An entry whose request was refused is `free`: the next request may have another body.
    """

    digest: str
    command_id: str
    free: bool = False
    answer: KeptAnswer | None = None


class AnswerLedger(Protocol):
    """Remembers for 24 hours what was answered to which key."""

    async def reserve(self, key: str, entry: LedgerEntry) -> LedgerEntry:
        """Write `entry` unless there is one that is not free; return the one that stands.

        Raises:
            BrokerError: if the ledger does not answer.

        """
        ...

    async def settle(self, key: str, entry: LedgerEntry) -> None:
        """Write the entry with its answer, or freed; errors as `reserve`."""
        ...


class Lists(Protocol):
    """Lists of subscribers, readable from any place."""

    def pieces(self, ref: ObjectRef, offset: int) -> AsyncGenerator[bytes, None]:
        """Yield the list from a byte on.

        Raises:
            ObjectMissingError: if it is not there (any more).
            BrokerError: if the store does not answer.

        """
        ...


class ServiceProbe(Protocol):
    """Looks whether services can take requests."""

    async def states(self) -> dict[str, bool]:
        """Return by name which services are ready."""
        ...

    def broker_closed(self) -> bool:
        """Tell whether the broker client is closed; it never connects again then."""
        ...
