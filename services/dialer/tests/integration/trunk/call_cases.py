"""The outcomes of calls by the behaviour of the far end: a table for `test_call_cases`."""

from dataclasses import dataclass
from uuid import UUID, uuid5

from cato_contracts.api.resources import SuccessCondition
from cato_contracts.messages.calls import CallEventKind

PROMPT_MS = 1_500
WHOLE = range(PROMPT_MS, PROMPT_MS + 1)
NOTHING = range(1)
AT_ONCE = range(200)
LIMIT_S = 50

FULL = SuccessCondition.PICKUP_AND_LISTEN_FULL
SOME = SuccessCondition.PICKUP_AND_LISTEN_SOME
CODE = SuccessCondition.PICKUP_AND_CONFIRM
"The code is 12; of `SOME`, 1 s has to be heard."

SECRET = "username: cato, password: secret"
SPACE = UUID("4b6f6f6b-0000-4000-8000-000000000000")
FIRST, SECOND = uuid5(SPACE, "first"), uuid5(SPACE, "second")


@dataclass(frozen=True)
class Case:
    """A row: the behaviour of the stations, and the expected record.

    `calls`: the reason of each call; the last one decides. `code` and `heard` are of the last call. `final`
    and `by`: the final response to the INVITE and the party that ended the call, as the exchange recorded it.
    """

    name: str
    does: str
    calls: tuple[str, ...]
    code: int | None
    heard: range = NOTHING
    final: int | None = None
    by: str = "exchange"
    wants: SuccessCondition = FULL
    digits: str = ""
    kinds: tuple[CallEventKind, ...] = ()
    never: tuple[CallEventKind, ...] = ()
    then: str = "behaviour: not_found"
    "The behaviour of the second station."


_TRYING, _ANSWERED = CallEventKind.TRYING, CallEventKind.ANSWERED
_ALL = ("heard-to-the-end",)
_EARLY = ("hung-up-early",)

CASES = (
    Case("busy", "behaviour: busy", ("busy",), 486, final=486, kinds=(_TRYING,)),
    Case("busy after ringing", "behaviour: busy, ring_s: 0.5", ("busy",), 486, final=486),
    Case("not found", "behaviour: not_found", ("not-found",), 404, final=404),
    Case("declined", "behaviour: reject, code: 603, ring_s: 0.3", ("declined",), 603, final=603),
    Case("moved", "behaviour: redirect, contacts: ['sip:2@127.0.0.1:9']", ("moved",), 302, final=302),
    Case("no answer", "behaviour: no_answer", ("no-answer",), None, final=487, by="caller"),
    Case(
        "503 and failover",
        "behaviour: reject, code: 503",
        ("service-unavailable", *_ALL),
        200,
        WHOLE,
        final=200,
        by="caller",
        then="behaviour: answer",
    ),
    Case(
        "503 everywhere",
        "behaviour: reject, code: 503",
        ("service-unavailable", "service-unavailable"),
        503,
        final=503,
        then="behaviour: reject, code: 503",
    ),
    *(
        Case(
            f"{status} with {algorithm}",
            f"behaviour: answer, challenge: {{status: {status}, algorithm: {algorithm}, {SECRET}}}",
            _ALL,
            200,
            WHOLE,
            final=200,
            by="caller",
        )
        for status, algorithm in ((401, "MD5"), (407, "MD5"), (401, "SHA-256"), (407, "SHA-256"))
    ),
    Case(
        "credentials refused, and failover",
        "behaviour: answer, challenge: {username: cato, password: other}",
        ("authentication-failed", "not-found"),
        404,
        final=404,
    ),
    Case(
        "early media without answer",
        "behaviour: early_media",
        ("no-answer",),
        None,
        final=487,
        by="caller",
        kinds=(CallEventKind.SESSION_PROGRESS,),
        never=(_ANSWERED, CallEventKind.PLAYBACK_STARTED),
    ),
    Case(
        "early media, then refused",
        "behaviour: early_media, reject_after_s: 0.6",
        ("unavailable",),
        480,
        final=480,
        never=(_ANSWERED,),
    ),
    Case(
        "early media, then answered",
        "behaviour: early_media, answer_after_s: 0.6",
        _ALL,
        200,
        WHOLE,
        final=200,
        by="caller",
    ),
    Case(
        "immediate BYE",
        "behaviour: answer, immediate_bye: true",
        _EARLY,
        200,
        AT_ONCE,
        final=200,
        kinds=(CallEventKind.REMOTE_HANGUP,),
        never=(CallEventKind.PLAYBACK_FINISHED,),
    ),
    Case(
        "BYE in the middle of the prompt",
        "behaviour: answer, hang_up_after_s: 0.7",
        _EARLY,
        200,
        range(500, 900),
        final=200,
        kinds=(CallEventKind.REMOTE_HANGUP,),
    ),
    Case(
        "BYE after enough was heard",
        "behaviour: answer, hang_up_after_s: 1.25",
        ("heard-enough",),
        200,
        range(1_000, 1_450),
        final=200,
        wants=SOME,
    ),
    Case(
        "code during the prompt",
        "behaviour: answer, digits: [{digits: '12', after_s: 0.3}]",
        ("confirmed",),
        200,
        range(300, 1_300),
        final=200,
        by="caller",
        wants=CODE,
        digits="12",
        kinds=(CallEventKind.CONFIRMED,),
    ),
    Case(
        "code after the prompt",
        "behaviour: answer, digits: [{digits: '12', after_s: 2.0}]",
        ("confirmed",),
        200,
        WHOLE,
        final=200,
        by="caller",
        wants=CODE,
        digits="12",
        kinds=(CallEventKind.PLAYBACK_FINISHED, CallEventKind.CONFIRMED),
    ),
    Case(
        "wrong code, then right code",
        "behaviour: answer, digits: [{digits: '9*', after_s: 0.2}, {digits: '12', after_s: 1.0}]",
        ("confirmed",),
        200,
        range(900, PROMPT_MS + 1),
        final=200,
        by="caller",
        wants=CODE,
        digits="9*12",
    ),
    Case(
        "wrong code, then BYE",
        "behaviour: answer, digits: [{digits: '21', after_s: 0.2}], hang_up_after_s: 1.2",
        _EARLY,
        200,
        range(900, 1_450),
        final=200,
        wants=CODE,
        digits="21",
        never=(CallEventKind.CONFIRMED,),
    ),
    *(
        Case(
            f"code by INFO, {kind}",
            f"behaviour: answer, digits: [{{digits: '12', by: {kind}, after_s: 0.3}}]",
            ("confirmed",),
            200,
            range(300, 1_300),
            final=200,
            by="caller",
            wants=CODE,
            digits="12",
        )
        for kind in ("dtmf-relay", "dtmf")
    ),
    *(
        Case(
            f"code by tones, {beside}",
            f"behaviour: answer, {beside}, digits: [{{digits: '712', by: inband, after_s: 0.2}}]",
            ("confirmed",),
            200,
            range(300, PROMPT_MS),
            final=200,
            by="caller",
            wants=CODE,
            digits="712",
        )
        for beside in ("talk: false", "talk: true")
    ),
    Case(
        "no 100 at all",
        "behaviour: answer, no_trying: true, ring_s: 0.2",
        _ALL,
        200,
        WHOLE,
        final=200,
        by="caller",
        never=(_TRYING,),
    ),
    Case(
        "neither 100 nor 180",
        "behaviour: answer, no_trying: true, ringing: false, delay_s: 0.7",
        _ALL,
        200,
        WHOLE,
        final=200,
        by="caller",
        never=(_TRYING, CallEventKind.RINGING),
    ),
    Case(
        "no word at all, and failover",
        "behaviour: no_reply",
        ("no-ringing", *_ALL),
        200,
        WHOLE,
        final=200,
        by="caller",
        then="behaviour: answer",
    ),
    Case(
        "CANCEL crossing 200",
        "behaviour: cancel_crossing",
        ("no-answer",),
        None,
        final=200,
        by="caller",
        kinds=(CallEventKind.ANSWER_TIMEOUT,),
        never=(CallEventKind.PLAYBACK_STARTED,),
    ),
    Case(
        "hold in the middle of the prompt",
        "behaviour: answer, reinvite_after_s: 0.4, resume_after_s: 0.4",
        _ALL,
        200,
        WHOLE,
        final=200,
        by="caller",
    ),
    Case(
        "hold by inactive, and BYE on hold",
        "behaviour: answer, reinvite_after_s: 0.4, hold: inactive, resume_after_s: null, hang_up_after_s: 1",
        _EARLY,
        200,
        range(300, 700),
        final=200,
    ),
    Case(
        "never BYE, nor an answer to ours",
        "behaviour: answer, never_bye: true",
        _ALL,
        200,
        WHOLE,
        final=200,
        by="caller",
    ),
    Case("RTP never received", "behaviour: answer, no_rtp: true", _ALL, 200, WHOLE, final=200, by="caller"),
    Case("a person who talks", "behaviour: answer, talk: true", _ALL, 200, WHOLE, final=200, by="caller"),
)
