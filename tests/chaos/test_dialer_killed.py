"""A dialer killed during a run loses no subscriber and calls no notified subscriber again."""

import itertools
import time
import uuid

import pytest

from tests.support.live_system import assert_consistent
from tests.support.tones import tone

PEOPLE = 24


@pytest.mark.timeout(240)
@pytest.mark.parametrize("calls_before_the_kill", [3, 12])
def test_run_ends_correctly_after_a_kill_of_the_dialer(stack, exchange, calls_before_the_kill):
    client = stack.client()
    prompt = client.add_prompt(f"tone-{uuid.uuid4().hex}", tone(2))
    numbers = [f"10{n:04}" for n in range(PEOPLE)]
    busy = [f"20{n:04}" for n in range(4)]
    people = [{"fullName": f"P{number}", "phones": number, "emails": ""} for number in numbers + busy]
    run = client.start(client.make_task(people, files=[prompt["id"]], attemptCount=2))

    deadline = time.monotonic() + 30
    while client.report(run)["callsSucceeded"] + client.report(run)["callsTalking"] < calls_before_the_kill:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    killed = stack.kill("dialer")
    notified_before = {
        status["subscriber"]["fullName"]
        for status in client.call("GET", f"/task-execs/{run}")["subscribers"]
        if status["notified"]
    }
    document = client.finished(run, timeout_s=150)
    assert stack.pid("dialer") != killed

    report = document["report"]
    assert_consistent(report)
    assert report["activePhase"] is False
    assert (report["subscriberNotified"], report["subscriberFailed"]) == (PEOPLE, len(busy))
    assert report["callsInProgress"] == 0
    for status in document["subscribers"]:
        calls = [call for phone in status["phones"] for call in phone["calls"]]
        name = status["subscriber"]["fullName"]
        assert sum(call["success"] for call in calls) == (1 if status["notified"] else 0), name
        assert all(call["callEnd"] is not None for call in calls), name
        starts = sorted((call["callStart"], call["callEnd"]) for call in calls)
        assert all(first[1] <= second[0] for first, second in itertools.pairwise(starts)), name
        if name in notified_before:
            assert calls[-1]["success"], f"{name} was called again after having been reached"
    invites = exchange.records(set(numbers))
    for number in numbers:
        status = next(s for s in document["subscribers"] if s["subscriber"]["phones"] == [number])
        calls = [call for phone in status["phones"] for call in phone["calls"]]
        # A logged call may have ended before its INVITE, but no INVITE may be missing in the log.
        assert len([r for r in invites if r["number"] == number]) <= len(calls)
    client.http.close()
