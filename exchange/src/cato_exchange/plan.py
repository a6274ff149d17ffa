"""The number plan: what happens on a call to which number."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Seconds = Annotated[float, Field(ge=0, le=86_400)]
FinalCode = Annotated[int, Field(ge=300, le=699)]
KeyedBy = Literal["rfc4733", "info", "dtmf-relay", "dtmf", "inband"]


class PlanError(ValueError):
    """The plan file can't be read, isn't YAML, or says something that no plan can say."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Digits(_Strict):
    """Keys that the called person presses.

    `by`: `rfc4733` telephone events in RTP, `info` or `dtmf-relay` SIP INFO with
    `application/dtmf-relay`, `dtmf` SIP INFO with `application/dtmf`, `inband` tones in the audio.
    """

    after_s: Seconds = 1.0
    "Counted from the caller's ACK."
    digits: str = Field(pattern=r"^[0-9A-D*#]+$")
    by: KeyedBy = "rfc4733"

    @field_validator("digits", mode="before")
    @classmethod
    def _yaml_reads_digits_as_a_number(cls, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Challenge(_Strict):
    """Digest authentication (RFC 8760) asked for before anything else happens."""

    status: Literal[401, 407] = 401
    algorithm: Literal["MD5", "SHA-256"] = "MD5"
    realm: str = "exchange"
    username: str
    password: str


class _Behaviour(_Strict):
    delay_s: Seconds = 0.0
    "Between the INVITE (and its 100) and the first answer of any other kind."
    ring_s: Seconds = 0.0
    "How long it rings before the final answer."


class _Refusal(_Behaviour):
    """Rings only when `ring_s` is above zero."""


class _Talk(_Behaviour):
    ringing: bool = True
    "Whether 180 is sent at all."
    hang_up_after_s: Seconds | None = None
    "Counted from the caller's ACK; absent: the caller hangs up."
    immediate_bye: bool = False
    "BYE as soon as the answer is acknowledged."
    never_bye: bool = False
    "Neither sends a BYE nor answers the caller's."
    digits: tuple[Digits, ...] = ()
    talk: bool = False
    "Send a tone at 50 packets a second during the whole call."
    no_rtp: bool = False
    "Send no RTP whatever else is planned; without `talk` only keyed digits are sent anyway."
    reinvite_after_s: Seconds | None = None
    hold: Literal["sendonly", "inactive"] = "sendonly"
    resume_after_s: Seconds | None = 1.0
    "From hold to the re-INVITE that resumes the call; absent: never."
    session_expires: Annotated[int, Field(ge=1)] | None = None
    "Seconds, RFC 4028; the caller refreshes if it supports that, the exchange otherwise."
    refresher: Literal["caller", "exchange"] | None = None
    "Who refreshes, whatever the caller supports."
    refresh_after_s: Seconds | None = None
    "When the exchange does; absent: after half of the interval."
    refresh_by: Literal["INVITE", "UPDATE"] = "INVITE"
    no_refresh: bool = False
    "The exchange is to refresh, and does not."

    @model_validator(mode="after")
    def _nothing_contradicts(self) -> Self:
        if self.never_bye and (self.immediate_bye or self.hang_up_after_s is not None):
            raise ValueError("never_bye excludes immediate_bye and hang_up_after_s")
        if self.no_rtp and (self.talk or any(d.by in {"rfc4733", "inband"} for d in self.digits)):
            raise ValueError("no_rtp excludes talk and digits keyed in RTP")
        return self


class Answer(_Talk):
    behaviour: Literal["answer"] = "answer"


class EarlyMedia(_Talk):
    """183 with SDP and a ringback tone in RTP; then answered, refused, or neither."""

    behaviour: Literal["early_media"] = "early_media"
    answer_after_s: Seconds | None = None
    reject_after_s: Seconds | None = None
    code: FinalCode = 480

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if self.answer_after_s is not None and self.reject_after_s is not None:
            raise ValueError("early media is either answered or rejected")
        return self


class CancelCrossing(_Talk):
    """Rings, and answers the call at the moment when its CANCEL comes."""

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
    """Rings until the caller gives up."""

    behaviour: Literal["no_answer"] = "no_answer"
    ringing: bool = True


class NoReply(_Behaviour):
    """Not a single answer, not even 100."""

    behaviour: Literal["no_reply"] = "no_reply"


Behaviour = Annotated[
    Answer | EarlyMedia | CancelCrossing | Busy | NotFound | Reject | Redirect | NoAnswer | NoReply,
    Field(discriminator="behaviour"),
]


class Rule(_Strict):
    """A number or a pattern, and what happens there.

    In YAML the keys of the behaviour stand beside those of the rule:
    `{number: "7001", behaviour: answer, ring_s: 1}`.
    """

    number: str | None = None
    match: re.Pattern[str] | None = None
    "Must match the whole user part of the Request-URI."
    label: str = ""
    no_trying: bool = False
    challenge: Challenge | None = None
    min_se: Annotated[int, Field(ge=1)] | None = None
    "422 to an INVITE that asks for less than so many seconds between refreshes (RFC 4028)."
    no_timers: bool = False
    "Knows nothing of RFC 4028: 420 to who requires it."
    answer_on_attempt: Annotated[int, Field(ge=1)] = 1
    "On the calls to a number before this one, `before` happens instead."
    before: Behaviour = Busy()
    does: Behaviour

    @model_validator(mode="before")
    @classmethod
    def _gather_the_behaviour(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "does" in data:
            return data
        if "behaviour" not in data:
            raise ValueError("a rule needs a behaviour")
        own = {key: value for key, value in data.items() if key in cls.model_fields}
        own["does"] = {key: value for key, value in data.items() if key not in cls.model_fields}
        return own

    @field_validator("before", mode="before")
    @classmethod
    def _a_bare_name_will_do(cls, value: object) -> object:
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
    "Above this many calls at once: 503."
    registration: Challenge | None = None
    "Credentials that REGISTER needs; absent: everybody may register."

    @field_validator("rules")
    @classmethod
    def _each_rule_has_numbers(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        for position, rule in enumerate(rules):
            if (rule.number is None) == (rule.match is None):
                raise ValueError(f"rule {position} needs either a number or a match")
        return rules

    @field_validator("default")
    @classmethod
    def _the_default_is_for_the_rest(cls, default: Rule) -> Rule:
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
