"""The outcome reasons that one service writes and another one reads."""

import re

from cato_contracts.api.reasons import EndReason, Group, Reason
from cato_contracts.messages.runs import RunEnding
from cato_dialer.campaign.handlers.coordinator.wave_jobs import JOB_TOO_LARGE
from cato_dialer.dial.domain.call.outcome import (
    CANCELLED,
    CODES,
    NO_FINAL_CODE,
    STATION_DOWN,
    Cause,
    Success,
    classify,
)
from cato_dialer.dial.domain.station_health import OPTIONS_UNANSWERED, REGISTRATION_FAILED
from cato_dialer.dial.domain.subscriber.call_gate import EXPIRED, STOPPED
from cato_dialer.dial.domain.subscriber.fault_limits import FAULT
from cato_dialer.dial.handlers.reach_subscriber import PROMPT_MISSING
from cato_dialer.entrypoints.reasons import glossary
from cato_reporting.domain.effectiveness import SERVED, SERVED_IF_IT_RANG
from tests.support.gateway.stack import MemoryStack


def test_network_reasons_are_reasons_of_the_classifier():
    words = {outcome.reason for outcome in CODES.values()} | {classify(cause).reason for cause in Cause}
    assert words | {CANCELLED} >= SERVED | SERVED_IF_IT_RANG


def test_refusals_are_counted_by_the_refusing_side():
    assert {classify(code).reason for code in (480, 486, 600, 603, 607)} <= SERVED
    assert {classify(code).reason for code in (408, 487)} <= SERVED_IF_IT_RANG
    assert not {classify(code).reason for code in (403, 404, 484, 488, 500, 503, 604, 608)} & SERVED


def test_the_glossary_has_exactly_the_reasons_that_the_dialer_gives():
    of_calls = {outcome.reason for outcome in CODES.values()} | {classify(cause).reason for cause in Cause}
    of_calls |= {NO_FINAL_CODE.reason, CANCELLED, STATION_DOWN, *Success}
    of_results = {FAULT, EXPIRED, STOPPED, PROMPT_MISSING, JOB_TOO_LARGE}
    of_stations = {OPTIONS_UNANSWERED, REGISTRATION_FAILED}
    by_rules = {reason for reason in Reason if reason.group is Group.RULE}
    assert of_calls | of_results | of_stations | by_rules == set(Reason)


def test_every_way_to_end_early_is_an_end_of_a_run():
    assert {ending.name for ending in RunEnding} == {"FINISHED", *EndReason}


def test_each_reason_is_a_kebab_case_word_with_a_sentence():
    for reason in Reason:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", reason)
        assert re.fullmatch(r"[A-Z`].*\.", reason.meaning), reason


def test_the_glossary_names_codes_and_next_steps():
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", glossary(), re.MULTILINE))
    assert set(rows) == set(Reason)
    assert rows["busy"].startswith("486 |  |")
    assert rows["service-unavailable"].startswith("503 | another station |")
    assert rows["station-down"].startswith(" | again |")


def test_the_api_describes_the_same_words():
    described = MemoryStack().app.openapi()["components"]["schemas"]["ReasonWord"]["description"]
    assert set(re.findall(r"`([a-z-]+)`", described)) == set(Reason)
