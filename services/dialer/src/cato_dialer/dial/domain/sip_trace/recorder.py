"""Which messages belong to which trace, and how many of them a dialer may record."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from cato_contracts.messages.sip_traces import (
    MAX_MESSAGES,
    MAX_TRACE_BYTES,
    StoredTrace,
    TraceBatch,
    TracedMessage,
)
from cato_dialer.dial.domain.sip_trace.masking import masked, without_credentials
from cato_dialer.dial.domain.station import Station

_CALL_ID = re.compile(rb"(?im)^(?:call-id|i)[ \t]*:[ \t]*([^\r\n]*?)[ \t]*\r?$")
_REMEMBERED_CALLS = 20_000
_BATCH_BYTES = 200_000
"A batch is one message of the broker, which takes 1 MB: a byte can take six in JSON."


@dataclass(frozen=True, slots=True)
class Party:
    """The station and the number that a call is made to; `number` in any form."""

    station_id: UUID
    number: str


@dataclass(frozen=True, slots=True)
class SeenMessage:
    """A message that has passed an engine; addresses are IP addresses with a port."""

    at_us: int
    sent: bool
    transport: str
    local: tuple[str, int]
    remote: tuple[str, int]
    data: bytes


@dataclass(slots=True)
class _Recording:
    order: StoredTrace
    number: str | None
    pending: list[TracedMessage] = field(default_factory=list)
    recorded: int = 0
    recorded_bytes: int = 0
    cut: bool = False
    told_cut: bool = False

    def add(self, message: SeenMessage) -> None:
        size = len(message.data)
        if self.recorded >= MAX_MESSAGES or self.recorded_bytes + size > MAX_TRACE_BYTES:
            self.cut = True
            return
        self.recorded += 1
        self.recorded_bytes += size
        data = masked(message.data) if self.order.masked else without_credentials(message.data)
        self.pending.append(
            TracedMessage(
                at_us=message.at_us,
                sent=message.sent,
                transport=message.transport,
                local=_written(message.local),
                remote=_written(message.remote),
                text=data.decode("latin-1"),
            )
        )


class TraceRecorder:
    """Takes messages for the traces that run now.

    A message belongs to the call with its Call-ID. One without a call, such as a registration, belongs to the
    stations with the address that it was exchanged with.
    """

    def __init__(
        self, dialer: str, stations: Callable[[], Sequence[Station]], canonical: Callable[[str], str]
    ) -> None:
        """`stations`: those of now; `canonical`: the form by which numbers are compared."""
        self._dialer = dialer
        self._stations = stations
        self._canonical = canonical
        self._recordings: dict[UUID, _Recording] = {}
        self._ended: list[_Recording] = []
        self._calls: dict[bytes, Party] = {}
        self._remotes: dict[tuple[str, int], set[UUID]] = {}

    @property
    def running(self) -> bool:
        return bool(self._recordings)

    def use(self, orders: Iterable[StoredTrace], now: datetime) -> None:
        """Record for these traces from now on, as far as they have not ended."""
        wanted = {order.id: order for order in orders if order.ends_at > now}
        self._end(trace_id for trace_id in list(self._recordings) if trace_id not in wanted)
        for trace_id, order in wanted.items():
            if trace_id not in self._recordings:
                number = None if order.number is None else self._canonical(order.number)
                self._recordings[trace_id] = _Recording(order, number)

    def end_due(self, now: datetime) -> None:
        """End the traces whose time has passed."""
        self._end(key for key, each in list(self._recordings.items()) if each.order.ends_at <= now)

    def _end(self, trace_ids: Iterable[UUID]) -> None:
        for trace_id in trace_ids:
            self._ended.append(self._recordings.pop(trace_id))
        if not self._recordings:
            self._calls.clear()
            self._remotes.clear()

    def take(self, message: SeenMessage, party_of: Callable[[str], Party | None]) -> None:
        """Record a message. `party_of` returns the party of the call with a Call-ID, None without one."""
        party = self._party(message, party_of)
        stations = {party.station_id} if party is not None else self._stations_at(message.remote)
        number = None if party is None else self._canonical(party.number)
        for recording in self._recordings.values():
            order = recording.order
            if order.station_id is not None and order.station_id not in stations:
                continue
            if recording.number is not None and recording.number != number:
                continue
            recording.add(message)

    def batches(self) -> list[tuple[UUID, TraceBatch]]:
        """Return what was recorded since the last call, by the id of the trace."""
        found: list[tuple[UUID, TraceBatch]] = []
        for recording in [*self._ended, *self._recordings.values()]:
            found += [(recording.order.id, batch) for batch in self._batches(recording)]
        self._ended.clear()
        return found

    def _batches(self, recording: _Recording) -> list[TraceBatch]:
        pending, recording.pending = recording.pending, []
        if not pending and recording.cut == recording.told_cut:
            return []
        recording.told_cut = recording.cut
        parts: list[list[TracedMessage]] = [[]]
        size = 0
        for message in pending:
            size += len(message.text)
            if parts[-1] and size > _BATCH_BYTES:
                parts.append([])
                size = len(message.text)
            parts[-1].append(message)
        before = recording.recorded - len(pending)
        batches = []
        for part in parts:
            before += len(part)
            batches.append(TraceBatch(dialer=self._dialer, messages=part, recorded=before, cut=recording.cut))
        return batches

    def _party(self, message: SeenMessage, party_of: Callable[[str], Party | None]) -> Party | None:
        found = _CALL_ID.search(message.data)
        if found is None:
            return None
        call_id = found[1]
        party = self._calls.get(call_id) or party_of(call_id.decode("latin-1"))
        if party is not None:
            if len(self._calls) >= _REMEMBERED_CALLS:
                self._calls.pop(next(iter(self._calls)))
            # Kept: the last messages of a call come when the dialer has no call any more.
            self._calls[call_id] = party
            self._remotes.setdefault(message.remote, set()).add(party.station_id)
        return party

    def _stations_at(self, remote: tuple[str, int]) -> set[UUID]:
        configured = {each.id for each in self._stations() if (each.host, each.port) == remote}
        return configured | self._remotes.get(remote, set())


def _written(address: tuple[str, int]) -> str:
    host, port = address
    try:
        bracketed = ipaddress.ip_address(host).version == 6  # noqa: PLR2004 - IPv6
    except ValueError:
        bracketed = False
    return f"[{host}]:{port}" if bracketed else f"{host}:{port}"
