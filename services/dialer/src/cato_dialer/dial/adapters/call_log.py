"""One log line for each call, at its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from cato_contracts.messages.calls import FINAL_KINDS, CallEvent, CallEventKind
from cato_contracts.messages.runs import SubscriberResult
from cato_dialer.dial.adapters.call_metrics import RINGING_KINDS, station_names
from cato_dialer.dial.domain.station import Station

log = structlog.get_logger()


@dataclass(slots=True)
class _Up:
    started_at: int
    rang_at: int | None = None
    answered_at: int | None = None


class CallLog:
    """A `CallObserver` that logs how each call ended, with its SIP `Call-ID`."""

    def __init__(self, stations: Sequence[Station]) -> None:
        self._names = station_names(stations)
        self._up: dict[UUID, _Up] = {}

    def note(self, event: CallEvent, at: int) -> None:
        """Note an event; log the call if it is the last one."""
        if event.kind is CallEventKind.STARTED:
            self._up[event.call_id] = _Up(at)
        elif event.kind in FINAL_KINDS:
            self._log(event, at)
        elif (call := self._up.get(event.call_id)) is not None and event.kind in RINGING_KINDS:
            if call.rang_at is None:
                call.rang_at = at
            if event.kind is CallEventKind.ANSWERED:
                call.answered_at = at

    def note_result(self, result: SubscriberResult) -> None:
        """Results are in the reports."""

    def note_audio(self, station_id: UUID, sent: int, lost: int | None) -> None:
        """Packets are in the metrics."""

    def _log(self, event: CallEvent, at: int) -> None:
        call = self._up.pop(event.call_id, None)
        times: dict[str, Any] = {}
        if call is not None:
            times = {
                "pdd_ms": None if call.rang_at is None else call.rang_at - call.started_at,
                "talk_ms": None if call.answered_at is None else at - call.answered_at,
            }
        log.info(
            "call ended" if event.kind is CallEventKind.ENDED else "call interrupted",
            call_id=str(event.call_id),
            sip_call_id=event.sip_call_id,
            run_id=str(event.run_id),
            subscriber=event.no,
            wave=event.wave,
            pii_number=event.number,
            station=self._names.get(event.station_id, "") if event.station_id else None,
            success=event.success,
            reason=event.reason,
            sip_code=event.sip_code,
            reason_header=event.reason_header,
            heard_ms=event.heard_ms,
            **times,
        )
