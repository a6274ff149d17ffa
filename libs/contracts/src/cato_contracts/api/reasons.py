"""Every word that `reason` has: in calls, in results of subscribers, and of stations.

`docs/reasons.md` and the description in the OpenAPI document are generated from here.
"""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field
from typing_extensions import TypeAliasType


class Group(StrEnum):
    """Who or what decided; the value is the heading in documents."""

    REACHED = "The subscriber was reached"
    PERSON = "The person, or the telephone, decided"
    NUMBER = "The number, or the network, decided"
    STATION = "The station failed"
    REQUEST = "The station does not accept the request"
    RULE = "A rule of the user decided, without a call"
    SYSTEM = "CATO decided"


class Reason(StrEnum):
    """A word of `reason`; `meaning` is a sentence for people."""

    group: Group
    meaning: str

    def __new__(cls, word: str, group: Group, meaning: str) -> Self:
        reason = str.__new__(cls, word)
        reason._value_ = word
        reason.group = group
        reason.meaning = meaning
        return reason

    ANSWERED = "answered", Group.REACHED, "The call was answered (`PICKUP_PHONE`)."
    HEARD_ENOUGH = (
        "heard-enough",
        Group.REACHED,
        "As much of the message as the settings require was sent (`PICKUP_AND_LISTEN_SOME`).",
    )
    HEARD_TO_THE_END = (
        "heard-to-the-end",
        Group.REACHED,
        "The whole message was sent (`PICKUP_AND_LISTEN_FULL`).",
    )
    CONFIRMED = "confirmed", Group.REACHED, "The code was keyed (`PICKUP_AND_CONFIRM`)."
    NO_ANSWER = "no-answer", Group.PERSON, "It rang until the limit without an answer."
    BUSY = "busy", Group.PERSON, "The number is busy."
    BUSY_EVERYWHERE = "busy-everywhere", Group.PERSON, "Every device of the person is busy."
    UNAVAILABLE = (
        "unavailable",
        Group.PERSON,
        "The person cannot be reached now: switched off, not registered, does not answer.",
    )
    DECLINED = "declined", Group.PERSON, "The person has declined the call."
    UNWANTED = "unwanted", Group.PERSON, "The person has marked the call as unwanted (RFC 8197)."
    HUNG_UP_EARLY = "hung-up-early", Group.PERSON, "The person hung up before the success condition was met."
    NOT_CONFIRMED = (
        "not-confirmed",
        Group.PERSON,
        "The message was played, and the code was not keyed in time.",
    )
    OPTED_OUT = (
        "opted-out",
        Group.PERSON,
        "The person has pressed `optOutKey`: the number is excluded, and the person is not called again.",
    )
    DURATION_EXCEEDED = "duration-exceeded", Group.PERSON, "The call lasted longer than `maxCallDurationS`."
    NOT_FOUND = "not-found", Group.NUMBER, "There is no such number at the station."
    GONE = "gone", Group.NUMBER, "The number is no longer in use."
    DOES_NOT_EXIST = "does-not-exist", Group.NUMBER, "The number does not exist anywhere."
    ADDRESS_INCOMPLETE = "address-incomplete", Group.NUMBER, "The number is incomplete."
    AMBIGUOUS = "ambiguous", Group.NUMBER, "The number is ambiguous."
    MOVED = "moved", Group.NUMBER, "The number has another address, which was not followed."
    REDIRECTED = (
        "redirected",
        Group.NUMBER,
        "The call was redirected, or diverted to another service, which was not followed.",
    )
    FORBIDDEN = "forbidden", Group.NUMBER, "The station or the carrier does not allow the call."
    REJECTED_BY_NETWORK = (
        "rejected-by-network",
        Group.NUMBER,
        "The network has rejected the call in place of the person (RFC 8688).",
    )
    PAYMENT_REQUIRED = "payment-required", Group.NUMBER, "The account has no credit."
    NO_SUCH_CALL = "no-such-call", Group.NUMBER, "The station does not know the call."
    REQUEST_TERMINATED = (
        "request-terminated",
        Group.NUMBER,
        "The station ended the call before the answer; CATO had not asked for that.",
    )
    LOOP_DETECTED = "loop-detected", Group.NUMBER, "The call came back to a station that it had passed."
    TOO_MANY_HOPS = "too-many-hops", Group.NUMBER, "The call passed too many stations."
    STATION_DOWN = (
        "station-down",
        Group.STATION,
        "The station was down. As the reason of a result: no station responded while the run waited.",
    )
    NO_RESPONSE = "no-response", Group.STATION, "The station did not respond, or could not be reached."
    NO_RINGING = "no-ringing", Group.STATION, "Nothing rang within the station's `maxSetupDelayS`."
    REQUEST_TIMEOUT = (
        "request-timeout",
        Group.STATION,
        "The station gave up: no answer came from the other side in time.",
    )
    AUTHENTICATION_FAILED = (
        "authentication-failed",
        Group.STATION,
        "The station does not accept the credentials, or wants some.",
    )
    SERVICE_UNAVAILABLE = (
        "service-unavailable",
        Group.STATION,
        "The station is overloaded, or under maintenance.",
    )
    SERVER_ERROR = "server-error", Group.STATION, "The station has an internal error."
    BAD_GATEWAY = "bad-gateway", Group.STATION, "The station got an invalid response from the other side."
    SERVER_TIMEOUT = (
        "server-timeout",
        Group.STATION,
        "The station got no response from a server that it asked.",
    )
    PROTOCOL_ERROR = "protocol-error", Group.STATION, "The final response has a code that SIP does not know."
    NO_MEDIA = (
        "no-media",
        Group.STATION,
        "The station answered without audio that can be sent to: the person heard nothing.",
    )
    NO_COMMON_CODEC = (
        "no-common-codec",
        Group.STATION,
        "The station answered without a codec that was offered: the person heard nothing.",
    )
    OPTIONS_UNANSWERED = (
        "options-unanswered",
        Group.STATION,
        "The station has not responded to OPTIONS. Only in `GET /stations`.",
    )
    REGISTRATION_FAILED = (
        "registration-failed",
        Group.STATION,
        "The station has refused the registration, or has not responded to it. Only in `GET /stations`.",
    )
    BAD_REQUEST = "bad-request", Group.REQUEST, "The station does not understand the request."
    NOT_ALLOWED = "not-allowed", Group.REQUEST, "The station does not accept calls of this kind."
    NOT_ACCEPTABLE = (
        "not-acceptable",
        Group.REQUEST,
        "The station accepts none of the offered kinds of audio.",
    )
    NOT_IMPLEMENTED = "not-implemented", Group.REQUEST, "The station does not support calls."
    CONDITION_FAILED = "condition-failed", Group.REQUEST, "A condition of the request is not met."
    REQUEST_TOO_LARGE = "request-too-large", Group.REQUEST, "The request is too large for the station."
    MESSAGE_TOO_LARGE = "message-too-large", Group.REQUEST, "The message is too large for the station."
    URI_TOO_LONG = "uri-too-long", Group.REQUEST, "The address is too long for the station."
    UNSUPPORTED_MEDIA = (
        "unsupported-media",
        Group.REQUEST,
        "The station does not support the description of the audio.",
    )
    UNSUPPORTED_URI = "unsupported-uri", Group.REQUEST, "The station does not support addresses of this kind."
    UNKNOWN_PRIORITY = (
        "unknown-priority",
        Group.REQUEST,
        "The station does not know the priority of the resource.",
    )
    BAD_EXTENSION = (
        "bad-extension",
        Group.REQUEST,
        "The station does not support an extension that the request requires.",
    )
    EXTENSION_REQUIRED = (
        "extension-required",
        Group.REQUEST,
        "The station requires an extension that the request does not have.",
    )
    SESSION_INTERVAL_TOO_SMALL = (
        "session-interval-too-small",
        Group.REQUEST,
        "The session timer is too short for the station (`sessionExpiresS`).",
    )
    INTERVAL_TOO_BRIEF = "interval-too-brief", Group.REQUEST, "A time to live is too short for the station."
    BAD_LOCATION = "bad-location", Group.REQUEST, "The station does not accept the location in the request."
    IDENTITY_REQUIRED = "identity-required", Group.REQUEST, "The station requires a signed caller id."
    BAD_IDENTITY = (
        "bad-identity",
        Group.REQUEST,
        "The station does not accept the signature of the caller id.",
    )
    REFERRER_REQUIRED = "referrer-required", Group.REQUEST, "The station requires a referrer."
    FLOW_FAILED = "flow-failed", Group.REQUEST, "A connection on the way to the other side is lost."
    ANONYMITY_DISALLOWED = (
        "anonymity-disallowed",
        Group.REQUEST,
        "The station does not accept anonymous calls.",
    )
    NO_OUTBOUND_SUPPORT = (
        "no-outbound-support",
        Group.REQUEST,
        "The first station does not support outbound connections.",
    )
    BAD_PACKAGE = "bad-package", Group.REQUEST, "The station does not support the package of an INFO."
    BAD_EVENT = "bad-event", Group.REQUEST, "The station does not support the package of an event."
    CONSENT_NEEDED = "consent-needed", Group.REQUEST, "The station requires the consent of the called person."
    REQUEST_PENDING = (
        "request-pending",
        Group.REQUEST,
        "The station is busy with another request of the call.",
    )
    UNDECIPHERABLE = "undecipherable", Group.REQUEST, "The station cannot decipher the request."
    SECURITY_AGREEMENT_REQUIRED = (
        "security-agreement-required",
        Group.REQUEST,
        "The station requires an agreement on security.",
    )
    VERSION_NOT_SUPPORTED = (
        "version-not-supported",
        Group.REQUEST,
        "The station does not support this version of SIP.",
    )
    PUSH_NOT_SUPPORTED = "push-not-supported", Group.REQUEST, "The station does not support the push service."
    PRECONDITION_FAILURE = (
        "precondition-failure",
        Group.REQUEST,
        "The station does not meet a precondition of the call.",
    )
    CANCELLED = (
        "cancelled",
        Group.SYSTEM,
        "CATO ended the call by an order or at a shutdown: the number is called again.",
    )
    INTERRUPTED = (
        "interrupted",
        Group.SYSTEM,
        "CATO lost the call: its engine, its process or its machine failed. It is repeated a few times.",
    )
    FAULT = (
        "fault",
        Group.SYSTEM,
        "The subscriber was not reached for reasons of CATO, which repeats did not overcome.",
    )
    PROMPT_MISSING = "prompt-missing", Group.SYSTEM, "The audio of the message is no longer stored."
    JOB_TOO_LARGE = (
        "job-too-large",
        Group.SYSTEM,
        "The message about the subscriber is too large for the broker.",
    )
    NO_NUMBER_LEFT = (
        "no-number-left",
        Group.RULE,
        "No number was left to call: `skipHopeless` or retry rules leave out every number of the subscriber.",
    )
    EXCLUDED = (
        "excluded",
        Group.RULE,
        "Every number of the subscriber that was left to call is on an exclusion list.",
    )
    LIMIT_REACHED = (
        "limit-reached",
        Group.RULE,
        "Every number of the subscriber that was left to call has had its calls (limits of contacts).",
    )
    NO_TIME_ZONE = (
        "no-time-zone",
        Group.RULE,
        "The subscriber has no time zone, and the settings do not call such subscribers (`localTime`).",
    )
    RETRY_STOPPED = (
        "retry-stopped",
        Group.RULE,
        "A retry rule has ended the attempts to reach the subscriber in an earlier wave.",
    )
    NOT_APPROVED = (
        "not-approved",
        Group.RULE,
        "The execution needed the approval of a second user and was rejected, or not approved in time.",
    )
    EXPIRED = "expired", Group.SYSTEM, "`expiresAt` passed before the subscriber was reached."
    STOPPED = "stopped", Group.SYSTEM, "The execution was stopped before the subscriber was reached."


COUNTED_APART = (*(reason for reason in Reason if reason.group is Group.RULE), Reason.OPTED_OUT)
"""The reasons of subscribers who were not reached that a report counts apart (`subscriberFailedByRule`)."""


class EndReason(StrEnum):
    """Why an execution ended before its work was done."""

    meaning: str

    def __new__(cls, word: str, meaning: str) -> Self:
        reason = str.__new__(cls, word)
        reason._value_ = word
        reason.meaning = meaning
        return reason

    STOPPED = "STOPPED", "A user has stopped it."
    EXPIRED = "EXPIRED", "`expiresAt` has passed."
    STATION_DOWN = "STATION_DOWN", "No station has responded for `dialing.stationDownWaitS`."
    REJECTED = "REJECTED", "A second user has rejected it before its first call."
    APPROVAL_EXPIRED = "APPROVAL_EXPIRED", "No second user has approved it in time."


def _described() -> str:
    groups = (
        f"{group}: {', '.join(f'`{reason}`' for reason in Reason if reason.group is group)}."
        for group in Group
    )
    return f"A word for the reason. More words may come. {' '.join(groups)}"


ReasonWord = TypeAliasType("ReasonWord", Annotated[str, Field(description=_described())])
"""A reason in the API: text, so that clients accept words that are newer than they are."""
