"""The number plan: rules that map called numbers to behaviours."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Seconds = Annotated[float, Field(ge=0, le=86_400)]
FinalCode = Annotated[int, Field(ge=300, le=699)]
KeyedBy = Literal["rfc4733", "info", "dtmf-relay", "dtmf", "inband"]


class PlanError(ValueError):
    """The plan file cannot be read, is not YAML, or is not a valid plan."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Digits(_Strict):
    """Digits that the callee presses.

    `by`: `rfc4733` telephone events in RTP, `info` or `dtmf-relay` SIP INFO with
    `application/dtmf-relay`, `dtmf` SIP INFO with `application/dtmf`, `inband` tones in the audio.
    """

    after_s: Seconds = 1.0
    "Counted from the caller's ACK."
    digits: str = Field(pattern=r"^[0-9A-D*#]+$")
    by: KeyedBy = "rfc4733"

    @field_validator("digits", mode="before")
    @classmethod
    def _accept_integer(cls, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Challenge(_Strict):
    """Digest authentication (RFC 8760) that is required before the behaviour starts."""

    status: Literal[401, 407] = 401
    algorithm: Literal["MD5", "SHA-256"] = "MD5"
    realm: str = "exchange"
    username: str
    password: str


class _Behaviour(_Strict):
    delay_s: Seconds = 0.0
    "Between the INVITE (and its 100) and the next response."
    ring_s: Seconds = 0.0
    "Ringing time before the final response."


class _Refusal(_Behaviour):
    """Rings only when `ring_s` is above zero."""


class _Answerable(_Behaviour):
    ringing: bool = True
    "Whether 180 is sent."
    hang_up_after_s: Seconds | None = None
    "Counted from the caller's ACK; absent: the caller hangs up."
    immediate_bye: bool = False
    "Send BYE as soon as the 200 is acknowledged."
    never_bye: bool = False
    "Do not send BYE and do not answer the caller's BYE."
    digits: tuple[Digits, ...] = ()
    talk: bool = False
    "Send a tone at 50 packets a second during the whole call."
    no_rtp: bool = False
    "Send no RTP, not even ringback; without `talk` only digits are sent anyway."
    reinvite_after_s: Seconds | None = None
    hold: Literal["sendonly", "inactive"] = "sendonly"
    resume_after_s: Seconds | None = 1.0
    "From hold to the re-INVITE that resumes the call; absent: never."
    session_expires: Annotated[int, Field(ge=1)] | None = None
    "Session interval in seconds (RFC 4028); the caller refreshes if it supports that, else the exchange."
    refresher: Literal["caller", "exchange"] | None = None
    "The side that refreshes, regardless of what the caller supports."
    refresh_after_s: Seconds | None = None
    "When the exchange refreshes; absent: after half of the interval."
    refresh_by: Literal["INVITE", "UPDATE"] = "INVITE"
    no_refresh: bool = False
    "The exchange has to refresh and does not."

    @model_validator(mode="after")
    def _check_exclusions(self) -> Self:
        if self.never_bye and (self.immediate_bye or self.hang_up_after_s is not None):
            raise ValueError("never_bye excludes immediate_bye and hang_up_after_s")
        if self.no_rtp and (self.talk or any(d.by in {"rfc4733", "inband"} for d in self.digits)):
            raise ValueError("no_rtp excludes talk and digits keyed in RTP")
        return self


class Answer(_Answerable):
    behaviour: Literal["answer"] = "answer"


class EarlyMedia(_Answerable):
    """183 with SDP and a ringback tone in RTP; then the call is answered, refused, or left ringing."""

    behaviour: Literal["early_media"] = "early_media"
    answer_after_s: Seconds | None = None
    reject_after_s: Seconds | None = None
    code: FinalCode = 480

    @model_validator(mode="after")
    def _check_single_end(self) -> Self:
        if self.answer_after_s is not None and self.reject_after_s is not None:
            raise ValueError("early media is either answered or rejected")
        return self


class CancelCrossing(_Answerable):
    """Rings, and answers when the CANCEL arrives: both cross on the way."""

    behaviour: Literal["cancel_crossing"] = "cancel_crossing"


class Busy(_Refusal):
    behaviour: Literal["busy"] = "busy"


class NotFound(_Refusal):
    behaviour: Literal["not_found"] = "not_found"


class Reject(_Refusal):
    behaviour: Literal["reject"] = "reject"
    code: FinalCode
    reason: str | None = None
    retry_after_s: Annotated[int, Field(ge=0)] | None = None


class Redirect(_Refusal):
    behaviour: Literal["redirect"] = "redirect"
    contacts: tuple[str, ...] = Field(min_length=1)
    code: Annotated[int, Field(ge=300, le=399)] = 302


class NoAnswer(_Behaviour):
    """Rings until the caller cancels."""

    behaviour: Literal["no_answer"] = "no_answer"
    ringing: bool = True


class NoReply(_Behaviour):
    """Sends no response, not even 100."""

    behaviour: Literal["no_reply"] = "no_reply"


Behaviour = Annotated[
    Answer | EarlyMedia | CancelCrossing | Busy | NotFound | Reject | Redirect | NoAnswer | NoReply,
    Field(discriminator="behaviour"),
]


class Rule(_Strict):
    """A number or a pattern, and its behaviour.

    In YAML the keys of the behaviour are on the same level as those of the rule:
    `{number: "7001", behaviour: answer, ring_s: 1}`.
    """

    number: str | None = None
    match: re.Pattern[str] | None = None
    "Must match the whole user part of the Request-URI."
    label: str = ""
    no_trying: bool = False
    challenge: Challenge | None = None
    min_se: Annotated[int, Field(ge=1)] | None = None
    "422 to an INVITE whose session interval is shorter than this, in seconds (RFC 4028)."
    no_timers: bool = False
    "RFC 4028 is not supported: 420 to an INVITE that requires it."
    answer_on_attempt: Annotated[int, Field(ge=1)] = 1
    "Earlier calls to a number get the behaviour `before`."
    before: Behaviour = Busy()
    does: Behaviour

    @model_validator(mode="before")
    @classmethod
    def _collect_behaviour(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "does" in data:
            return data
        if "behaviour" not in data:
            raise ValueError("a rule needs a behaviour")
        own = {key: value for key, value in data.items() if key in cls.model_fields}
        own["does"] = {key: value for key, value in data.items() if key not in cls.model_fields}
        return own

    @field_validator("before", mode="before")
    @classmethod
    def _accept_behaviour_name(cls, value: object) -> object:
        return {"behaviour": value} if isinstance(value, str) else value

    def applies_to(self, number: str) -> bool:
        if self.match is not None:
            return self.match.fullmatch(number) is not None
        return self.number == number

    def on_attempt(self, attempt: int) -> Behaviour:
        return self.does if attempt >= self.answer_on_attempt else self.before


class Plan(_Strict):
    rules: tuple[Rule, ...] = ()
    default: Rule = Rule(does=NotFound())
    max_calls: Annotated[int, Field(ge=0)] | None = None
    "More concurrent calls than this get 503."
    registration: Challenge | None = None
    "Credentials that REGISTER needs; absent: no authentication."

    @field_validator("rules")
    @classmethod
    def _check_rule_numbers(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        for position, rule in enumerate(rules):
            if (rule.number is None) == (rule.match is None):
                raise ValueError(f"rule {position} needs either a number or a match")
        return rules

    @field_validator("default")
    @classmethod
    def _check_default(cls, default: Rule) -> Rule:
        if default.number is not None or default.match is not None:
            raise ValueError("the default rule has neither a number nor a match")
        return default

    def rule_for(self, number: str) -> Rule:
        return next((rule for rule in self.rules if rule.applies_to(number)), self.default)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises: PlanError."""
        try:
            return cls.model_validate(yaml.safe_load(text) or {})
        except (yaml.YAMLError, ValueError) as error:
            raise PlanError(str(error)) from error

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises: PlanError."""
        try:
            return cls.parse(path.read_text(encoding="utf-8"))
        except (OSError, PlanError, UnicodeDecodeError) as error:
            raise PlanError(f"{path}: {error}") from error
