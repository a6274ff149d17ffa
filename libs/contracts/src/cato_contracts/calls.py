"""The events of a call, and how the status document words them (manual, 3.6)."""

from enum import StrEnum
from uuid import UUID

from pydantic import JsonValue

from cato_contracts.envelope import Message


class CallEventKind(StrEnum):
    """What can happen to a call, in the order of a long life."""

    STARTED = "started"
    STATION_CHOSEN = "station-chosen"
    TRYING = "trying"
    RINGING = "ringing"
    SESSION_PROGRESS = "session-progress"
    ANSWERED = "answered"
    PLAYBACK_STARTED = "playback-started"
    DIGIT = "digit"
    CONFIRMED = "confirmed"
    PLAYBACK_FINISHED = "playback-finished"
    ANSWER_TIMEOUT = "answer-timeout"
    DURATION_EXCEEDED = "duration-exceeded"
    REJECTED = "rejected"
    REMOTE_HANGUP = "remote-hangup"
    ENDED = "ended"
    INTERRUPTED = "interrupted"


WORDING: dict[CallEventKind, tuple[str, str]] = {
    CallEventKind.STARTED: ("CallStarted", "STARTED"),
    CallEventKind.STATION_CHOSEN: ("CS defined", "CS_DEFINED"),
    CallEventKind.TRYING: ("Trying", "TRYING"),
    CallEventKind.RINGING: ("Ringing", "RINGING"),
    CallEventKind.SESSION_PROGRESS: ("Session Progress", "RINGING"),
    CallEventKind.ANSWERED: ("OK", "TALKING"),
    CallEventKind.PLAYBACK_STARTED: ("AUDIO_DATA_STARTED", "TALKING"),
    CallEventKind.DIGIT: ("DTMF", "TALKING"),
    CallEventKind.CONFIRMED: ("CONFIRMED", "NEED_TO_ABORT"),
    CallEventKind.PLAYBACK_FINISHED: ("AUDIO_DATA_FINISHED", "NEED_TO_ABORT"),
    CallEventKind.ANSWER_TIMEOUT: ("ANSWER_TIMEOUT", "NEED_TO_ABORT"),
    CallEventKind.DURATION_EXCEEDED: ("CALL_DURATION_EXCEEDED", "NEED_TO_ABORT"),
    CallEventKind.REJECTED: ("", "FAILED"),
    CallEventKind.REMOTE_HANGUP: ("REMOTE_HANGUP", "FINISHED"),
    CallEventKind.ENDED: ("CallEnded", "FINISHED"),
    CallEventKind.INTERRUPTED: ("INTERRUPTED", "FAILED"),
}
"""Name and status of each kind; a rejection is named by the SIP reason phrase in `reason_phrase`."""

FINAL_KINDS = frozenset({CallEventKind.ENDED, CallEventKind.INTERRUPTED})
"""A call has exactly one of these, and nothing after it."""


class CallEvent(Message):
    """Something that happened to a call.

    `seq` counts the call's events from 0: `call_id` and `seq` identify the event. `phone_index` is the place
    of `number` among the subscriber's numbers. `data` is what the status document shows. `station_id` is
    known from STATION_CHOSEN on. With the final kinds go `success`, `heard_ms` (prompt sent, by RTP packets),
    `sip_code` (None if there was no final response) and `reason` (a kebab-case word of the classifier).
    `delayed`: the call had to wait for the station's minimum interval (from STATION_CHOSEN on).
    """

    run_id: UUID
    no: int
    wave: int
    call_id: UUID
    seq: int
    kind: CallEventKind
    number: str
    phone_index: int
    station_id: UUID | None = None
    delayed: bool = False
    sip_code: int | None = None
    reason_phrase: str | None = None
    reason: str | None = None
    heard_ms: int | None = None
    success: bool = False
    data: JsonValue = None

    @property
    def event_id(self) -> str:
        """The identity of the event, for its envelope: sent twice, it is the same event."""
        return f"{self.call_id}:{self.seq}"

    @property
    def name(self) -> str:
        return WORDING[self.kind][0] or self.reason_phrase or f"SIP {self.sip_code}"

    @property
    def status(self) -> str:
        return WORDING[self.kind][1]
