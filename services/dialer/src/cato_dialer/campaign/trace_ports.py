"""The port to SIP traces."""

from typing import NamedTuple, Protocol
from uuid import UUID

from cato_contracts.messages.sip_traces import StoredTrace


class Recorded(NamedTuple):
    """What dialers have recorded for a SIP trace; `cut`: one of them as much as it may."""

    messages: int = 0
    cut: bool = False


class SipTraces(Protocol):
    """The SIP traces, and what dialers have recorded for them. All methods raise BrokerError."""

    async def put(self, trace: StoredTrace) -> None:
        """Store a trace, in place of the one with its name."""
        ...

    async def remove(self, name: str) -> None:
        """Remove the trace with a name. A repeated call is no error."""
        ...

    async def get(self, name: str) -> StoredTrace | None: ...

    async def all(self) -> list[StoredTrace]: ...

    async def recorded(self, trace_id: UUID) -> Recorded: ...

    async def clear(self, trace_id: UUID) -> None:
        """Remove what was recorded for a trace."""
        ...


class MemorySipTraces:
    """Traces in memory, for which nothing is recorded."""

    def __init__(self) -> None:
        self.traces: dict[str, StoredTrace] = {}
        self.cleared: list[UUID] = []

    async def put(self, trace: StoredTrace) -> None:
        self.traces[trace.name] = trace

    async def remove(self, name: str) -> None:
        self.traces.pop(name, None)

    async def get(self, name: str) -> StoredTrace | None:
        return self.traces.get(name)

    async def all(self) -> list[StoredTrace]:
        return list(self.traces.values())

    async def recorded(self, trace_id: UUID) -> Recorded:  # noqa: ARG002 - of the port
        return Recorded()

    async def clear(self, trace_id: UUID) -> None:
        self.cleared.append(trace_id)
