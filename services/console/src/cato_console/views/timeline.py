"""The events of a call in plain words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cato_client.models import CallDetail, CallEvent
from cato_console.language.languages import Language, mark
from cato_console.views.reasons import reason_text

_MILLISECONDS = 1000
_TEXTS = {
    "CallStarted": mark("The call begins"),
    "CS defined": mark("It goes through the station"),
    "Trying": mark("The station is trying to connect"),
    "Ringing": mark("The telephone rings"),
    "Session Progress": mark("The network sends a tone or an announcement"),
    "OK": mark("The call is answered"),
    "AUDIO_DATA_STARTED": mark("The message is played"),
    "CONFIRMED": mark("The person has confirmed"),
    "OPTED_OUT": mark("The person has asked not to be called again"),
    "REPEATED": mark("The message is played again"),
    "AUDIO_DATA_FINISHED": mark("The message was played to the end"),
    "ANSWER_TIMEOUT": mark("It rang long enough without an answer"),
    "CALL_DURATION_EXCEEDED": mark("The longest duration of a call is reached"),
    "REMOTE_HANGUP": mark("The person hangs up"),
    "CallEnded": mark("The call is over"),
    "INTERRUPTED": mark("The call was interrupted by a failure of the system; it is repeated"),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """An event: when, what, and for those who know SIP, the code."""

    at: datetime
    text: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class ShownCall:
    """A call, its result in words, and its events."""

    call: CallDetail
    result: str
    moments: Sequence[Moment]


def timeline(language: Language, call: CallDetail) -> ShownCall:
    in_progress = call.ended_at is None
    result = language.gettext("in progress") if in_progress else reason_text(language, call.reason)
    return ShownCall(call, result, [_moment(language.gettext, event) for event in call.events])


def _moment(gettext: Callable[..., str], event: CallEvent) -> Moment:
    at = datetime.fromtimestamp(event.time / _MILLISECONDS, UTC)
    data = event.data if isinstance(event.data, str) else ""
    code = data.removeprefix("SIP_CODE:") if data.startswith("SIP_CODE:") else ""
    if event.name == "DTMF":
        digit = data.removeprefix("DIGIT:")
        return Moment(at, gettext("The person presses the key %(digit)s", digit=digit))
    known = _TEXTS.get(event.name)
    if known is not None:
        return Moment(at, gettext(known), code)
    return Moment(at, gettext("The station says: %(words)s", words=event.name), code)
