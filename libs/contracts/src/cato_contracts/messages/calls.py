"""The events of a call."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field

from cato_contracts.api.resources import Contact
from cato_contracts.envelope import Message, upcaster
from cato_contracts.model import Frozen, Instant
from cato_contracts.subjects import run_call, run_opt_out


class CallEventKind(StrEnum):
    """The kinds of call events, in the order of a long call."""

    STARTED = "started"
    STATION_CHOSEN = "station-chosen"
    TRYING = "trying"
    RINGING = "ringing"
    SESSION_PROGRESS = "session-progress"
    ANSWERED = "answered"
    PLAYBACK_STARTED = "playback-started"
    DIGIT = "digit"
    CONFIRMED = "confirmed"
    OPTED_OUT = "opted-out"
    REPEATED = "repeated"
    PLAYBACK_FINISHED = "playback-finished"
    ANSWER_TIMEOUT = "answer-timeout"
    DURATION_EXCEEDED = "duration-exceeded"
    REJECTED = "rejected"
    REMOTE_HANGUP = "remote-hangup"
    ENDED = "ended"
    INTERRUPTED = "interrupted"


FINAL_KINDS = frozenset({CallEventKind.ENDED, CallEventKind.INTERRUPTED})
"""A call has exactly one of these, and nothing after it."""


class NumberVerdict(StrEnum):
    """What a retry rule decided about a number at the end of a call."""

    RETRY = "retry"
    """The number is called again in the wave, at `next_attempt_at`."""
    DROP = "drop"
    """The number is not called again in the run."""
    STOP = "stop"
    """No number of the subscriber is called again in the run."""


class CallOwner(Frozen):
    """The process that makes a call. A restarted process has the same name and a greater incarnation."""

    instance: str
    incarnation: int


class CallEvent(Message):
    """Something that happened to a call.

    `seq` counts the call's events from 0: `call_id` and `seq` identify the event. `phone_index` is the index
    of `number` among the subscriber's numbers. `station_id` is known from STATION_CHOSEN on, and so is
    `delayed`: the call had to wait for the station's minimum interval.

    - STARTED carries `contact`, the subscriber who is called; `owner`; and `ends_by`, the latest possible end
      of the call.
    - TRYING, RINGING, SESSION_PROGRESS, ANSWERED and REJECTED carry `sip_code` and the response's
      `reason_phrase`.
    - DIGIT carries `digit`, the key that was pressed. OPTED_OUT and REPEATED follow the one that asked not to
      be called again, or to hear the prompt again. OPTED_OUT has a subject of its own in the log: the number
      is put on an exclusion list, and the driver of the run must find it.
    - ENDED and INTERRUPTED carry `success`, `heard_ms` (prompt sent, by RTP packets), `sip_code` (None if
      there was no final response), `reason` (a kebab-case word of the classifier) and `reason_header` (what
      the station said about the reason, in `Reason` of RFC 3326 and `Warning`).
    - The first event after the INVITE, and ENDED and INTERRUPTED, carry `sip_call_id`, the `Call-ID` of its
      dialog. A call that is made again at another address of its station has a new one.

    The wording of the manual is not part of the event: reporting makes it (`cato_reporting.domain.wording`).
    """

    version = 2

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
    contact: Contact | None = None
    owner: CallOwner | None = Field(default=None, exclude_if=lambda owner: owner is None)
    ends_by: datetime | None = Field(default=None, exclude_if=lambda moment: moment is None)
    digit: str | None = None
    sip_code: int | None = None
    reason_phrase: str | None = None
    reason: str | None = None
    heard_ms: int | None = None
    success: bool = False
    reason_header: str | None = Field(default=None, exclude_if=lambda header: header is None)
    sip_call_id: str | None = Field(default=None, exclude_if=lambda call_id: call_id is None)
    verdict: NumberVerdict | None = Field(default=None, exclude_if=lambda verdict: verdict is None)
    next_attempt_at: Instant | None = Field(default=None, exclude_if=lambda moment: moment is None)

    @property
    def event_id(self) -> str:
        """The identity of the event, for its envelope: an event that is sent again carries the same one."""
        return f"{self.call_id}:{self.seq}"

    @property
    def log_subject(self) -> str:
        """The subject of the event in the log of the run."""
        subject = run_opt_out if self.kind is CallEventKind.OPTED_OUT else run_call
        return subject(self.run_id, self.no)


@upcaster("CallEvent", 1)
def read_wording(body: dict[str, Any]) -> dict[str, Any]:
    """Turn the `data` of version 1 into fields.

    It held what the status document shows: the contact, the station, `SIP_CODE:486` or `DIGIT:1`. What only
    repeats a field is dropped.
    """
    fields = {**body}
    data = fields.pop("data", None)
    if fields.get("kind") == CallEventKind.STARTED:
        fields["contact"] = data
    elif fields.get("kind") == CallEventKind.DIGIT:
        fields["digit"] = data.removeprefix("DIGIT:") if isinstance(data, str) else data
    elif isinstance(data, str) and data.startswith("SIP_CODE:"):
        fields["sip_code"] = data.removeprefix("SIP_CODE:")
    return fields
