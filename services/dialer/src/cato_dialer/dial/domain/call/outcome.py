"""Classify the outcome of a call: a reason for any SIP code, timeout or fault, and whether to fail over.

Codes: RFC 3261, 21, and the registry of extensions. Another station is tried if this one has failed, not if
the person, the number or the network has given an answer.
"""

from dataclasses import dataclass
from enum import StrEnum

from cato_contracts.api.reasons import Reason


@dataclass(frozen=True, slots=True)
class Outcome:
    """The same reason always has the same `retry_other_station`."""

    reason: Reason
    retry_other_station: bool = False


class Success(StrEnum):
    """The kinds of success."""

    ANSWERED = Reason.ANSWERED.value
    HEARD_ENOUGH = Reason.HEARD_ENOUGH.value
    HEARD_ALL = Reason.HEARD_TO_THE_END.value
    CONFIRMED = Reason.CONFIRMED.value


class Cause(StrEnum):
    """The ends of a call without a SIP code."""

    SETUP_TIMEOUT = "setup-timeout"
    """No ringing within the station's limit."""
    ANSWER_TIMEOUT = "answer-timeout"
    """Ringing, but no answer within the limit."""
    DURATION_EXCEEDED = "duration-exceeded"
    NOT_CONFIRMED = "not-confirmed"
    """The prompt was played, the code was not keyed."""
    OPTED_OUT = "opted-out"
    """The person pressed the key that asks not to be called again."""
    REMOTE_HANGUP = "remote-hangup"
    LOCAL_HANGUP = "local-hangup"
    """Hung up by order of the operator or at a shutdown."""
    NO_RESPONSE = "no-response"
    """The station did not respond, or could not be reached."""
    NO_MEDIA = "no-media"
    """The station answered without audio that we can send to: the person heard nothing."""
    NO_COMMON_CODEC = "no-common-codec"
    """The station answered without a codec that we offered: the person heard nothing."""
    FAULT = "fault"
    """The engine, its process or our own process was lost during the call."""


OPTED_OUT = Reason.OPTED_OUT
"""The reason of a call in which the person asked not to be called again: no number of theirs is."""

CANCELLED = Reason.CANCELLED
"""The reason of a call that we ended for reasons of the system: the number is called again."""

STATION_DOWN = Reason.STATION_DOWN
"""The reason of a call that failed because its station was down: the number is called again."""

_CAUSES: dict[Cause, Outcome] = {
    Cause.SETUP_TIMEOUT: Outcome(Reason.NO_RINGING, retry_other_station=True),
    Cause.ANSWER_TIMEOUT: Outcome(Reason.NO_ANSWER),
    Cause.DURATION_EXCEEDED: Outcome(Reason.DURATION_EXCEEDED),
    Cause.NOT_CONFIRMED: Outcome(Reason.NOT_CONFIRMED),
    Cause.OPTED_OUT: Outcome(Reason.OPTED_OUT),
    Cause.REMOTE_HANGUP: Outcome(Reason.HUNG_UP_EARLY),
    Cause.LOCAL_HANGUP: Outcome(CANCELLED),
    Cause.NO_RESPONSE: Outcome(Reason.NO_RESPONSE, retry_other_station=True),
    Cause.NO_MEDIA: Outcome(Reason.NO_MEDIA),
    Cause.NO_COMMON_CODEC: Outcome(Reason.NO_COMMON_CODEC),
    Cause.FAULT: Outcome(Reason.INTERRUPTED),
}

CODES: dict[int, Outcome] = {
    # The engines follow at most redirections within the station: any other one is the carrier's answer.
    300: Outcome(Reason.REDIRECTED),
    301: Outcome(Reason.MOVED),
    302: Outcome(Reason.MOVED),
    305: Outcome(Reason.REDIRECTED),
    380: Outcome(Reason.REDIRECTED),
    400: Outcome(Reason.BAD_REQUEST),
    # A challenge that our credentials do not satisfy concerns this station only.
    401: Outcome(Reason.AUTHENTICATION_FAILED, retry_other_station=True),
    402: Outcome(Reason.PAYMENT_REQUIRED),
    403: Outcome(Reason.FORBIDDEN),
    404: Outcome(Reason.NOT_FOUND),
    405: Outcome(Reason.NOT_ALLOWED),
    406: Outcome(Reason.NOT_ACCEPTABLE),
    407: Outcome(Reason.AUTHENTICATION_FAILED, retry_other_station=True),
    408: Outcome(Reason.REQUEST_TIMEOUT, retry_other_station=True),
    410: Outcome(Reason.GONE),
    412: Outcome(Reason.CONDITION_FAILED),
    413: Outcome(Reason.REQUEST_TOO_LARGE),
    414: Outcome(Reason.URI_TOO_LONG),
    415: Outcome(Reason.UNSUPPORTED_MEDIA),
    416: Outcome(Reason.UNSUPPORTED_URI),
    417: Outcome(Reason.UNKNOWN_PRIORITY),
    420: Outcome(Reason.BAD_EXTENSION),
    421: Outcome(Reason.EXTENSION_REQUIRED),
    422: Outcome(Reason.SESSION_INTERVAL_TOO_SMALL),
    423: Outcome(Reason.INTERVAL_TOO_BRIEF),
    424: Outcome(Reason.BAD_LOCATION),
    428: Outcome(Reason.IDENTITY_REQUIRED),
    429: Outcome(Reason.REFERRER_REQUIRED),
    430: Outcome(Reason.FLOW_FAILED),
    433: Outcome(Reason.ANONYMITY_DISALLOWED),
    436: Outcome(Reason.BAD_IDENTITY),
    437: Outcome(Reason.BAD_IDENTITY),
    438: Outcome(Reason.BAD_IDENTITY),
    439: Outcome(Reason.NO_OUTBOUND_SUPPORT),
    440: Outcome(Reason.TOO_MANY_HOPS),
    469: Outcome(Reason.BAD_PACKAGE),
    470: Outcome(Reason.CONSENT_NEEDED),
    480: Outcome(Reason.UNAVAILABLE),
    481: Outcome(Reason.NO_SUCH_CALL),
    482: Outcome(Reason.LOOP_DETECTED),
    483: Outcome(Reason.TOO_MANY_HOPS),
    484: Outcome(Reason.ADDRESS_INCOMPLETE),
    485: Outcome(Reason.AMBIGUOUS),
    486: Outcome(Reason.BUSY),
    487: Outcome(Reason.REQUEST_TERMINATED),
    488: Outcome(Reason.NOT_ACCEPTABLE),
    489: Outcome(Reason.BAD_EVENT),
    491: Outcome(Reason.REQUEST_PENDING),
    493: Outcome(Reason.UNDECIPHERABLE),
    494: Outcome(Reason.SECURITY_AGREEMENT_REQUIRED),
    500: Outcome(Reason.SERVER_ERROR, retry_other_station=True),
    501: Outcome(Reason.NOT_IMPLEMENTED),
    502: Outcome(Reason.BAD_GATEWAY, retry_other_station=True),
    503: Outcome(Reason.SERVICE_UNAVAILABLE, retry_other_station=True),
    504: Outcome(Reason.SERVER_TIMEOUT, retry_other_station=True),
    505: Outcome(Reason.VERSION_NOT_SUPPORTED),
    513: Outcome(Reason.MESSAGE_TOO_LARGE),
    555: Outcome(Reason.PUSH_NOT_SUPPORTED),
    580: Outcome(Reason.PRECONDITION_FAILURE),
    600: Outcome(Reason.BUSY_EVERYWHERE),
    603: Outcome(Reason.DECLINED),
    604: Outcome(Reason.DOES_NOT_EXIST),
    606: Outcome(Reason.NOT_ACCEPTABLE),
    607: Outcome(Reason.UNWANTED),
    608: Outcome(Reason.REJECTED_BY_NETWORK),
}
"""Every final code of RFC 3261 but 2xx, and the common ones of its extensions."""

_CLASSES: dict[int, Outcome] = {
    3: CODES[300],
    4: CODES[400],
    5: CODES[500],
    6: CODES[603],
}
"""An unknown code is treated as its class (RFC 3261, 8.1.3.2)."""

NO_FINAL_CODE = Outcome(Reason.PROTOCOL_ERROR, retry_other_station=True)


def classify(what: int | Cause) -> Outcome:
    """Return the outcome of a failed call. Every integer has one."""
    if isinstance(what, Cause):
        return _CAUSES[what]
    return CODES.get(what) or _CLASSES.get(what // 100, NO_FINAL_CODE)


_WITHOUT_RESPONSE = frozenset(_CAUSES[cause].reason for cause in (Cause.SETUP_TIMEOUT, Cause.NO_RESPONSE))

_RETRIED = frozenset(
    outcome.reason
    for outcome in (*CODES.values(), *_CAUSES.values(), NO_FINAL_CODE)
    if outcome.retry_other_station
)


def may_mean_station_down(reason: str | None, sip_code: int | None) -> bool:
    """Tell whether a call that ended so says nothing about the person if the station is down.

    It did not ring, or it broke off without a response; an answered call, and one whose CANCEL the station
    has confirmed, have a code.
    """
    return sip_code is None and reason in _WITHOUT_RESPONSE


def worth_another_station(reason: str) -> bool:
    """Tell whether a call with this recorded reason is tried through another station."""
    return reason in _RETRIED
