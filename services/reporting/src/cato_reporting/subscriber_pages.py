"""The port of the subscribers of a run, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from cato_contracts.api.exports import SubscriberRecord
from cato_contracts.api.status import SubscriberFilter


@dataclass(frozen=True, slots=True)
class SubscriberSelection:
    """Subscribers of a run that meet every condition; `wave` is the current one, for FAILED.

    `numbers` are the forms of one number, empty without one.
    """

    run_id: UUID
    which: SubscriberFilter = SubscriberFilter.ALL
    wave: int = 0
    name: str | None = None
    numbers: tuple[str, ...] = ()
    reason: str | None = None


class SubscriberPages(Protocol):
    """The subscribers of known runs. Raises ReadModelAwayError."""

    async def subscriber_page(
        self, selection: SubscriberSelection, *, after: int, limit: int
    ) -> Sequence[tuple[int, SubscriberRecord]]:
        """Return up to `limit` subscribers after the one with number `after`, each with its number."""
        ...
