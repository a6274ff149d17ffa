"""Classify the outcome of a call: a reason for any SIP code, timeout or fault, and whether to fail over.

Codes: RFC 3261, 21, and the registry of extensions. Another station is tried if this one has failed, not if
the person, the number or the network has given an answer.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Outcome:
    """`reason` is kebab-case; the same reason always has the same `retry_other_station`."""

    reason: str
    retry_other_station: bool = False


class Success(StrEnum):
    """The kinds of success."""

    ANSWERED = "answered"
    HEARD_ENOUGH = "heard-enough"
    HEARD_ALL = "heard-to-the-end"
    CONFIRMED = "confirmed"


class Cause(StrEnum):
    """The ends of a call without a SIP code."""

    SETUP_TIMEOUT = "setup-timeout"
    """No ringing within the station's limit."""
    ANSWER_TIMEOUT = "answer-timeout"
    """Ringing, but no answer within the limit."""
    DURATION_EXCEEDED = "duration-exceeded"
    NOT_CONFIRMED = "not-confirmed"
    """The prompt was played, the code was not keyed."""
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


CANCELLED = "cancelled"
"""The reason of a call that we ended for reasons of the system: the number is called again."""

STATION_DOWN = "station-down"
"""The reason of a call that failed because its station was down: the number is called again."""

_CAUSES: dict[Cause, Outcome] = {
    Cause.SETUP_TIMEOUT: Outcome("no-ringing", retry_other_station=True),
    Cause.ANSWER_TIMEOUT: Outcome("no-answer"),
    Cause.DURATION_EXCEEDED: Outcome("duration-exceeded"),
    Cause.NOT_CONFIRMED: Outcome("not-confirmed"),
    Cause.REMOTE_HANGUP: Outcome("hung-up-early"),
    Cause.LOCAL_HANGUP: Outcome(CANCELLED),
    Cause.NO_RESPONSE: Outcome("no-response", retry_other_station=True),
    Cause.NO_MEDIA: Outcome("no-media"),
    Cause.NO_COMMON_CODEC: Outcome("no-common-codec"),
    Cause.FAULT: Outcome("interrupted"),
}

CODES: dict[int, Outcome] = {
    # The engines follow at most redirections within the station: any other one is the carrier's answer.
    300: Outcome("redirected"),
    301: Outcome("moved"),
    302: Outcome("moved"),
    305: Outcome("redirected"),
    380: Outcome("redirected"),
    400: Outcome("bad-request"),
    # A challenge that our credentials do not satisfy concerns this station only.
    401: Outcome("authentication-failed", retry_other_station=True),
    402: Outcome("payment-required"),
    403: Outcome("forbidden"),
    404: Outcome("not-found"),
    405: Outcome("not-allowed"),
    406: Outcome("not-acceptable"),
    407: Outcome("authentication-failed", retry_other_station=True),
    408: Outcome("request-timeout", retry_other_station=True),
    410: Outcome("gone"),
    412: Outcome("condition-failed"),
    413: Outcome("request-too-large"),
    414: Outcome("uri-too-long"),
    415: Outcome("unsupported-media"),
    416: Outcome("unsupported-uri"),
    417: Outcome("unknown-priority"),
    420: Outcome("bad-extension"),
    421: Outcome("extension-required"),
    422: Outcome("session-interval-too-small"),
    423: Outcome("interval-too-brief"),
    424: Outcome("bad-location"),
    428: Outcome("identity-required"),
    429: Outcome("referrer-required"),
    430: Outcome("flow-failed"),
    433: Outcome("anonymity-disallowed"),
    436: Outcome("bad-identity"),
    437: Outcome("bad-identity"),
    438: Outcome("bad-identity"),
    439: Outcome("no-outbound-support"),
    440: Outcome("too-many-hops"),
    469: Outcome("bad-package"),
    470: Outcome("consent-needed"),
    480: Outcome("unavailable"),
    481: Outcome("no-such-call"),
    482: Outcome("loop-detected"),
    483: Outcome("too-many-hops"),
    484: Outcome("address-incomplete"),
    485: Outcome("ambiguous"),
    486: Outcome("busy"),
    487: Outcome("request-terminated"),
    488: Outcome("not-acceptable"),
    489: Outcome("bad-event"),
    491: Outcome("request-pending"),
    493: Outcome("undecipherable"),
    494: Outcome("security-agreement-required"),
    500: Outcome("server-error", retry_other_station=True),
    501: Outcome("not-implemented"),
    502: Outcome("bad-gateway", retry_other_station=True),
    503: Outcome("service-unavailable", retry_other_station=True),
    504: Outcome("server-timeout", retry_other_station=True),
    505: Outcome("version-not-supported"),
    513: Outcome("message-too-large"),
    555: Outcome("push-not-supported"),
    580: Outcome("precondition-failure"),
    600: Outcome("busy-everywhere"),
    603: Outcome("declined"),
    604: Outcome("does-not-exist"),
    606: Outcome("not-acceptable"),
    607: Outcome("unwanted"),
    608: Outcome("rejected-by-network"),
}
"""Every final code of RFC 3261 but 2xx, and the common ones of its extensions."""

_CLASSES: dict[int, Outcome] = {
    3: CODES[300],
    4: CODES[400],
    5: CODES[500],
    6: CODES[603],
}
"""An unknown code is treated as its class (RFC 3261, 8.1.3.2)."""

_NO_ANSWER_AT_ALL = Outcome("protocol-error", retry_other_station=True)


def classify(what: int | Cause) -> Outcome:
    """Return the outcome of a failed call. Every integer has one."""
    if isinstance(what, Cause):
        return _CAUSES[what]
    return CODES.get(what) or _CLASSES.get(what // 100, _NO_ANSWER_AT_ALL)


_WITHOUT_RESPONSE = frozenset(_CAUSES[cause].reason for cause in (Cause.SETUP_TIMEOUT, Cause.NO_RESPONSE))

_RETRIED = frozenset(
    outcome.reason
    for outcome in (*CODES.values(), *_CAUSES.values(), _NO_ANSWER_AT_ALL)
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
