"""A simulated telephone exchange: SIP and RTP that behave as a number plan says."""

from cato_exchange.exchange import Exchange
from cato_exchange.plan import (
    Answer,
    Busy,
    CancelCrossing,
    Challenge,
    Digits,
    EarlyMedia,
    NoAnswer,
    NoReply,
    NotFound,
    Plan,
    PlanError,
    Redirect,
    Reject,
    Rule,
)
from cato_exchange.record import CallRecord

__all__ = [
    "Answer",
    "Busy",
    "CallRecord",
    "CancelCrossing",
    "Challenge",
    "Digits",
    "EarlyMedia",
    "Exchange",
    "NoAnswer",
    "NoReply",
    "NotFound",
    "Plan",
    "PlanError",
    "Redirect",
    "Reject",
    "Rule",
]
