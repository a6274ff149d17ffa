"""The port of the pacing rules."""

from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from cato_contracts.errors import CatoError
from cato_dialer.dial.domain.permission.pacing import AHEAD, Pace
from cato_dialer.dial.ports.dial import StartSlot


class HeldBackError(CatoError):
    """A rule of pacing or of contacts allows no call now. The job returns to the queue for `delay_s`."""

    def __init__(self, delay_s: float) -> None:
        super().__init__(f"a rule allows no call for {delay_s:.1f} s")
        self.delay_s = delay_s


class Pacing(Protocol):
    """The pacing rules as last read, and the starts that they allow over all replicas."""

    async def open(self) -> None:
        """Read the rules, then follow their changes.

        Raises:
            BrokerError: if the rules cannot be read.

        """
        ...

    def pace_for(self, number: str, station_id: UUID) -> Pace | None:
        """Return what applies to a call, from memory; None if no rule concerns it."""
        ...

    async def reserve(self, pace: Pace, not_before: datetime, within: timedelta = AHEAD) -> StartSlot:
        """Reserve the next start of a rule with a bound on starts.

        Raises:
            HeldBackError: if it is further ahead than `within`.
            BrokerError: if none can be reserved in time.

        """
        ...

    async def close(self) -> None: ...


class NoPacing:
    """No rules."""

    async def open(self) -> None:
        return None

    def pace_for(self, number: str, station_id: UUID) -> Pace | None:  # noqa: ARG002 - of the port
        return None

    async def reserve(
        self,
        pace: Pace,  # noqa: ARG002 - of the port
        not_before: datetime,
        within: timedelta = AHEAD,  # noqa: ARG002 - of the port
    ) -> StartSlot:
        return StartSlot(not_before, None, delayed=False)

    async def close(self) -> None:
        return None
