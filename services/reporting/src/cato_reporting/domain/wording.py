"""How the status document words the events of a call (manual, 3.6).

An event in the document is `{time, name, status, data}`. Only this module has these words: events carry
fields, and the tables store the words that this module derives from them.
"""

from pydantic import JsonValue

from cato_contracts.messages.calls import CallEvent, CallEventKind

_NAMES: dict[CallEventKind, str] = {
    CallEventKind.STARTED: "CallStarted",
    CallEventKind.STATION_CHOSEN: "CS defined",
    CallEventKind.TRYING: "Trying",
    CallEventKind.RINGING: "Ringing",
    CallEventKind.SESSION_PROGRESS: "Session Progress",
    CallEventKind.ANSWERED: "OK",
    CallEventKind.PLAYBACK_STARTED: "AUDIO_DATA_STARTED",
    CallEventKind.DIGIT: "DTMF",
    CallEventKind.CONFIRMED: "CONFIRMED",
    CallEventKind.OPTED_OUT: "OPTED_OUT",
    CallEventKind.REPEATED: "REPEATED",
    CallEventKind.PLAYBACK_FINISHED: "AUDIO_DATA_FINISHED",
    CallEventKind.ANSWER_TIMEOUT: "ANSWER_TIMEOUT",
    CallEventKind.DURATION_EXCEEDED: "CALL_DURATION_EXCEEDED",
    CallEventKind.REMOTE_HANGUP: "REMOTE_HANGUP",
    CallEventKind.ENDED: "CallEnded",
    CallEventKind.INTERRUPTED: "INTERRUPTED",
}
"""A rejection has no name of its own: it is named by its SIP reason phrase."""

_STATUSES: dict[CallEventKind, str] = {
    CallEventKind.STARTED: "STARTED",
    CallEventKind.STATION_CHOSEN: "CS_DEFINED",
    CallEventKind.TRYING: "TRYING",
    CallEventKind.RINGING: "RINGING",
    CallEventKind.SESSION_PROGRESS: "RINGING",
    CallEventKind.ANSWERED: "TALKING",
    CallEventKind.PLAYBACK_STARTED: "TALKING",
    CallEventKind.DIGIT: "TALKING",
    CallEventKind.CONFIRMED: "NEED_TO_ABORT",
    CallEventKind.OPTED_OUT: "NEED_TO_ABORT",
    CallEventKind.REPEATED: "TALKING",
    CallEventKind.PLAYBACK_FINISHED: "NEED_TO_ABORT",
    CallEventKind.ANSWER_TIMEOUT: "NEED_TO_ABORT",
    CallEventKind.DURATION_EXCEEDED: "NEED_TO_ABORT",
    CallEventKind.REJECTED: "FAILED",
    CallEventKind.REMOTE_HANGUP: "FINISHED",
    CallEventKind.ENDED: "FINISHED",
    CallEventKind.INTERRUPTED: "FAILED",
}

_RESPONSES = frozenset(
    {
        CallEventKind.TRYING,
        CallEventKind.RINGING,
        CallEventKind.SESSION_PROGRESS,
        CallEventKind.ANSWERED,
        CallEventKind.REJECTED,
    }
)
"""Events that are a SIP response: the document shows the code of these, and of no other event."""


def event_name(event: CallEvent) -> str:
    """Return the event's `name`."""
    return _NAMES.get(event.kind) or event.reason_phrase or f"SIP {event.sip_code}"


def event_status(event: CallEvent) -> str:
    """Return the event's `status`: the state of the call after the event."""
    return _STATUSES[event.kind]


def event_data(event: CallEvent) -> JsonValue:
    """Return the event's `data`: the contact, the station, `SIP_CODE:486`, `DIGIT:1`, or None."""
    match event.kind:
        case kind if kind in _RESPONSES and event.sip_code is not None:
            return f"SIP_CODE:{event.sip_code}"
        case CallEventKind.STARTED if event.contact is not None:
            return event.contact.model_dump(mode="json", by_alias=True)
        case CallEventKind.STATION_CHOSEN if event.station_id is not None:
            return str(event.station_id)
        case CallEventKind.DIGIT if event.digit is not None:
            return f"DIGIT:{event.digit}"
    return None
