"""Retry rules and skipHopeless over HTTP and SIP: what is called again, and what the answers say about it."""

import time
import uuid

import pytest

from tests.support.tones import tone


@pytest.fixture
def prompt(client):
    return client.add_prompt(f"tone-{uuid.uuid4().hex}", tone(0.3))["id"]


def test_numbers_are_called_again_by_rule_and_hopeless_ones_never(client, exchange, prompt):
    people = [
        {"fullName": "Busy once", "phones": ["230101"]},
        {"fullName": "Unknown", "phones": ["220101"]},
        {"fullName": "Unknown and busy", "phones": ["220102", "200101"]},
    ]
    rules = [{"outcomes": ["BUSY"], "afterS": 2, "maxAttempts": 2}]
    task = client.make_task(people, files=[prompt], attemptCount=2, retryRules=rules, skipHopeless=True)
    run = client.start(task)
    document = client.finished(run)
    called = {
        (one["subscriber"]["fullName"], phone["number"]): [call["callStart"] for call in phone["calls"]]
        for one in document["subscribers"]
        for phone in one["phones"]
    }
    assert {who: len(calls) for who, calls in called.items()} == {
        ("Busy once", "230101"): 2,
        ("Unknown", "220101"): 1,
        ("Unknown and busy", "220102"): 1,
        ("Unknown and busy", "200101"): 4,
    }
    first, second = called["Busy once", "230101"]
    assert second - first >= 2000
    report = document["report"]
    assert (report["subscriberNotified"], report["subscriberFailed"]) == (1, 2)
    assert report["subscriberFailedByRule"] == {"no-number-left": 1}
    invalid = client.call("GET", f"/task-execs/{run}/invalid-numbers")["items"]
    assert [(one["fullName"], one["number"], one["sipCode"]) for one in invalid] == [
        ("Unknown", "220101", 404),
        ("Unknown and busy", "220102", 404),
    ]
    assert len(exchange.records({"220101", "220102", "200101", "230101"})) == 8


def test_a_planned_call_is_shown_until_the_run_is_stopped(client, prompt):
    rules = [{"outcomes": ["BUSY"], "afterS": 600, "maxAttempts": 2}]
    people = [{"fullName": "Busy", "phones": ["200102"]}]
    run = client.start(client.make_task(people, files=[prompt], retryRules=rules))
    deadline = time.monotonic() + 60
    planned = None
    while planned is None:
        assert time.monotonic() < deadline
        document = client.call("GET", f"/task-execs/{run}", params={"events": "false"})
        planned = next((one.get("nextAttemptAt") for one in document["subscribers"]), None)
    assert planned > time.time() * 1000
    client.call("PUT", f"/task-execs/{run}/stop")
    document = client.finished(run)
    assert "nextAttemptAt" not in document["subscribers"][0]
    assert document["report"]["callsTotal"] == 1
