"""Why a person was reached or not, in words for dispatchers. `docs/reasons.md` has the full meaning."""

from cato_console.language.languages import Language, mark
from cato_console.views.run import RunCharts

_TEXTS = {
    "answered": mark("answered"),
    "heard-enough": mark("heard enough of the message"),
    "heard-to-the-end": mark("heard the whole message"),
    "confirmed": mark("confirmed by key"),
    "no-answer": mark("did not answer"),
    "busy": mark("busy"),
    "busy-everywhere": mark("busy on all devices"),
    "unavailable": mark("telephone switched off or out of reach"),
    "declined": mark("declined the call"),
    "unwanted": mark("marked the call as unwanted"),
    "hung-up-early": mark("hung up too early"),
    "not-confirmed": mark("listened, but did not press the key"),
    "opted-out": mark("asked not to be called again"),
    "duration-exceeded": mark("the call took too long"),
    "not-found": mark("no such number"),
    "gone": mark("number no longer in use"),
    "does-not-exist": mark("no such number anywhere"),
    "address-incomplete": mark("number incomplete"),
    "ambiguous": mark("number ambiguous"),
    "moved": mark("number has moved"),
    "redirected": mark("call was diverted"),
    "forbidden": mark("the exchange does not allow the call"),
    "rejected-by-network": mark("rejected by the network"),
    "payment-required": mark("the account has no credit"),
    "station-down": mark("no station responded"),
    "no-response": mark("the station did not respond"),
    "no-ringing": mark("nothing rang"),
    "request-timeout": mark("the station gave up waiting"),
    "authentication-failed": mark("the station does not accept our password"),
    "service-unavailable": mark("the station is overloaded"),
    "server-error": mark("the station has an internal error"),
    "bad-gateway": mark("the station got a bad response"),
    "server-timeout": mark("the station got no response"),
    "no-media": mark("connected without sound"),
    "no-common-codec": mark("connected without sound"),
    "cancelled": mark("call was cancelled"),
    "interrupted": mark("call was interrupted, will be repeated"),
    "fault": mark("internal fault"),
    "prompt-missing": mark("the message is no longer stored"),
    "expired": mark("time was up before the call"),
    "stopped": mark("the notification was stopped before"),
    "no-such-call": mark("the station lost the call"),
    "request-terminated": mark("the station ended the call"),
    "loop-detected": mark("the call went round in circles"),
    "too-many-hops": mark("the call went round in circles"),
    "protocol-error": mark("the station sent an invalid response"),
    "options-unanswered": mark("the station did not respond"),
    "registration-failed": mark("the station refuses our registration"),
    "no-number-left": mark("no number was left to call"),
    "limit-reached": mark("called often enough"),
    "excluded": mark("on an exclusion list"),
    "not-approved": mark("the notification was not approved"),
    "no-time-zone": mark("time zone not known"),
    "retry-stopped": mark("not called again after an earlier result"),
    "job-too-large": mark("too much is on the list about this person"),
}
_NOT_ACCEPTED = mark("the station does not accept the call")
_TEXTS |= dict.fromkeys(
    (
        *("bad-request", "not-allowed", "not-acceptable", "not-implemented", "condition-failed"),
        *("request-too-large", "message-too-large", "uri-too-long", "unsupported-media", "unsupported-uri"),
        *("unknown-priority", "bad-extension", "extension-required", "session-interval-too-small"),
        *("interval-too-brief", "bad-location", "identity-required", "bad-identity", "referrer-required"),
        *("flow-failed", "anonymity-disallowed", "no-outbound-support", "bad-package", "bad-event"),
        *("consent-needed", "request-pending", "undecipherable", "security-agreement-required"),
        *("version-not-supported", "push-not-supported", "precondition-failure"),
    ),
    _NOT_ACCEPTED,
)


def reason_text(language: Language, word: str | None) -> str:
    """Return the reason in words; a word that the console does not know is shown as it is."""
    if word is None:
        return language.gettext("not called yet")
    text = _TEXTS.get(word)
    return language.gettext(text) if text else word


def unreached_reasons(charts: RunCharts) -> list[str]:
    """Return the reasons for which calls of an execution have failed, the most frequent first."""
    return [outcome.reason for outcome in charts.outcomes if not outcome.good]
