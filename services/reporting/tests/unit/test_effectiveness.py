"""Which calls count for the network."""

import pytest

from cato_reporting.domain.effectiveness import SERVED, SERVED_IF_IT_RANG, network_served


@pytest.mark.parametrize(
    "reason", ["busy", "busy-everywhere", "no-answer", "unavailable", "declined", "unwanted"]
)
def test_reasons_of_the_callee_count_as_served_by_the_network(reason):
    assert network_served(answered=False, rang=False, reason=reason)


@pytest.mark.parametrize("reason", ["request-timeout", "request-terminated", "cancelled", "interrupted"])
def test_a_reason_without_information_counts_as_served_if_the_phone_rang(reason):
    assert network_served(answered=False, rang=True, reason=reason)
    assert not network_served(answered=False, rang=False, reason=reason)


@pytest.mark.parametrize(
    "reason",
    ["forbidden", "not-found", "service-unavailable", "no-response", "no-ringing", "rejected-by-network", ""],
)
def test_a_network_failure_counts_as_failure_even_if_the_phone_rang(reason):
    assert not network_served(answered=False, rang=True, reason=reason)


@pytest.mark.parametrize("reason", ["not-found", "hung-up-early", "interrupted"])
def test_an_answered_call_always_counts_as_served(reason):
    assert network_served(answered=True, rang=False, reason=reason)


def test_no_reason_is_in_both_lists():
    assert not SERVED & SERVED_IF_IT_RANG
