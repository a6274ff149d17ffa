"""Which calls count for the network."""

import pytest

from cato_reporting.domain.effectiveness import SERVED, SERVED_IF_IT_RANG, network_served


@pytest.mark.parametrize(
    "reason", ["busy", "busy-everywhere", "no-answer", "unavailable", "declined", "unwanted"]
)
def test_what_the_person_or_their_phone_did_is_no_failure_of_the_network(reason):
    assert network_served(answered=False, rang=False, reason=reason)


@pytest.mark.parametrize("reason", ["request-timeout", "request-terminated", "cancelled", "interrupted"])
def test_where_the_reason_says_nothing_ringing_does(reason):
    assert network_served(answered=False, rang=True, reason=reason)
    assert not network_served(answered=False, rang=False, reason=reason)


@pytest.mark.parametrize(
    "reason",
    ["forbidden", "not-found", "service-unavailable", "no-response", "no-ringing", "rejected-by-network", ""],
)
def test_what_did_not_come_through_is_a_failure_even_if_it_rang(reason):
    assert not network_served(answered=False, rang=True, reason=reason)


@pytest.mark.parametrize("reason", ["not-found", "hung-up-early", "interrupted"])
def test_an_answered_call_always_counts(reason):
    assert network_served(answered=True, rang=False, reason=reason)


def test_no_reason_is_in_both_lists():
    assert not SERVED & SERVED_IF_IT_RANG
