"""All channels of a station are used and never more, by one dialer, by two, and after one has died."""

import time
from collections import Counter

import pytest

from tests.e2e.channels.conftest import CHANNELS
from tests.e2e.channels.exchange_view import load, peak
from tests.e2e.channels.people import calls_of, numbers_of, people

DEAD_S = 5
USED_AGAIN_S = 10
"How long a dead replica's channels are its own."


def test_500_subscribers_use_all_channels_and_never_more(client, exchange, prompt):
    town = people("1000", 500)
    run = client.start(client.make_task(town, files=[prompt]))
    report = client.finished(run)["report"]
    assert (report["callsTotal"], report["callsSucceeded"], report["callsDelayed"]) == (500, 500, 0)

    records = exchange.records(numbers_of(town))
    assert len(records) == 500
    assert peak(records) == CHANNELS


def test_two_replicas_share_the_channels_and_report_their_calls(client, exchange, prompt, start_replica):
    replica = start_replica()
    town = people("1001", 400)
    run = client.start(client.make_task(town, files=[prompt]))
    document = client.finished(run)
    assert document["report"]["callsTotal"] == document["report"]["subscriberNotified"] == 400

    records = exchange.records(numbers_of(town))
    assert len(records) == 400
    assert peak(records) == CHANNELS
    calls = Counter(record["from_number"] for record in records)
    assert set(calls) == {"776400", "776402"}
    assert min(calls.values()) > 100, calls

    told = replica.metrics()
    at_station = ("station", "exchange")
    assert told["cato_calls_started_total", frozenset({at_station})] == calls["776402"]
    assert told["cato_sip_responses_total", frozenset({at_station, ("code", "200")})] == calls["776402"]
    assert told["cato_call_talk_seconds_count", frozenset({at_station})] == calls["776402"]
    assert told["cato_calls_in_progress", frozenset({at_station, ("phase", "talking")})] == 0
    assert told["cato_channels", frozenset({at_station, ("state", "configured")})] == CHANNELS
    assert told["cato_channels", frozenset({at_station, ("state", "in-use")})] == 0
    assert told["cato_station_up", frozenset({at_station})] == 1


@pytest.mark.timeout(180)
def test_channels_of_a_killed_replica_are_used_again_once_it_is_restarted(
    client, exchange, prompt, start_replica
):
    replica = start_replica()
    town = people("1002", 1000)
    run = client.start(client.make_task(town, files=[prompt]))
    deadline = time.monotonic() + 60
    # The calls of a replica keep step: kill it when many of them are up.
    talking = ("cato_calls_in_progress", frozenset({("station", "exchange"), ("phase", "talking")}))
    while client.report(run)["callsSucceeded"] < 150 or replica.metrics()[talking] < CHANNELS // 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    killed_ms = time.time() * 1000
    replica.kill()
    time.sleep(DEAD_S)  # nothing happens: the calls of a replica that is only cut off would be up
    replica.start()
    restarted_ms = time.time() * 1000
    document = client.finished(run, timeout_s=120)

    report = document["report"]
    assert (report["subscriberNotified"], report["subscriberFailed"]) == (1000, 0)
    for status in document["subscribers"]:
        calls = [call for phone in status["phones"] for call in phone["calls"]]
        assert sum(call["success"] for call in calls) == 1, status["subscriber"]["fullName"]

    records = exchange.records(numbers_of(town))
    assert peak(records) == CHANNELS
    up = load(records)
    share_of_the_dead = sum(
        record["invite_ms"] < killed_ms < record["end_ms"] and record["from_number"] == "776402"
        for record in records
    )
    assert share_of_the_dead >= 5
    while_dead = [count for moment, count in up if killed_ms + 1500 < moment < killed_ms + DEAD_S * 1000]
    assert max(while_dead) <= CHANNELS - share_of_the_dead
    full_again_ms = next(moment for moment, count in up if moment > restarted_ms and count == CHANNELS)
    assert full_again_ms - restarted_ms < USED_AGAIN_S * 1000
    assert len(calls_of(document)) == report["callsTotal"]
