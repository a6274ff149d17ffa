"""The main job over HTTP, SIP and RTP: the calls, the received audio, and the status document."""

import uuid

import pytest

from tests.support.tones import tone

AUDIBLE_S = 1.6


@pytest.fixture
def prompt(client):
    added = client.add_prompt(f"tone-{uuid.uuid4().hex}", tone(AUDIBLE_S))
    content = client.http.get(f"/audio-files/{added['id']}/content", params={"format": "alaw"})
    return added["id"], content.content


def person(name, *phones):
    return {"fullName": name, "phones": list(phones), "emails": ""}


def by_name(document):
    return {status["subscriber"]["fullName"]: status for status in document["subscribers"]}


def outcomes(status):
    return {phone["number"]: [call["success"] for call in phone["calls"]] for phone in status["phones"]}


def event_names(call):
    return [event["name"] for event in call["events"]]


def test_mixed_list_ends_as_the_number_plan_says(client, exchange, prompt):
    prompt_id, _alaw = prompt
    people = [
        person("Listener", "100001"),
        person("Hangs up", "130001"),
        person("Busy", "200001"),
        person("No answer", "210001"),
        person("Unknown", "220001"),
        person("Second number", "200002", "100002"),
        person("Second wave", "230001"),
    ]
    task = client.make_task(people, files=[prompt_id], attemptCount=2)
    document = client.finished(client.start(task))

    statuses = by_name(document)
    assert list(statuses) == [one["fullName"] for one in people]
    assert {name: status["notified"] for name, status in statuses.items()} == {
        "Listener": True,
        "Hangs up": False,
        "Busy": False,
        "No answer": False,
        "Unknown": False,
        "Second number": True,
        "Second wave": True,
    }
    assert outcomes(statuses["Listener"]) == {"100001": [True]}
    assert outcomes(statuses["Second number"]) == {"200002": [False], "100002": [True]}
    assert outcomes(statuses["Second wave"]) == {"230001": [False, True]}
    assert outcomes(statuses["Busy"]) == {"200001": [False, False]}
    report = document["report"]
    assert (report["subscriberNotified"], report["subscriberFailed"]) == (3, 4)
    assert (report["callsTotal"], report["callsSucceeded"], report["callsFailed"]) == (13, 3, 10)
    assert (report["waveCurrent"], report["waveTotal"], report["activePhase"]) == (2, 2, False)

    reached = statuses["Listener"]["phones"][0]["calls"][0]
    assert event_names(reached)[:3] == ["CallStarted", "CS defined", "Trying"]
    assert event_names(reached)[-2:] == ["AUDIO_DATA_FINISHED", "CallEnded"]
    times = [reached["callStart"], reached["callRingStart"], reached["callTalkingStart"], reached["callEnd"]]
    assert times == sorted(times)
    assert reached["csId"] == reached["events"][1]["data"]
    busy = statuses["Busy"]["phones"][0]["calls"][0]
    failed = next(event for event in busy["events"] if event["status"] == "FAILED")
    assert (failed["name"], failed["data"]) == ("Busy Here", "SIP_CODE:486")
    unanswered = statuses["No answer"]["phones"][0]["calls"][0]
    assert "ANSWER_TIMEOUT" in event_names(unanswered)
    assert unanswered["callTalkingStart"] is None

    records = exchange.records({phone for one in people for phone in one["phones"]})
    assert len(records) == report["callsTotal"]


def test_listener_receives_every_byte_in_order(client, exchange, prompt):
    prompt_id, alaw = prompt
    numbers = [f"10010{n}" for n in range(8)]
    task = client.make_task([person(f"P{number}", number) for number in numbers], files=[prompt_id])
    document = client.finished(client.start(task))
    assert document["report"]["subscriberNotified"] == len(numbers)
    for record in exchange.records(set(numbers)):
        heard = exchange.audio(record).strip(b"\xd5\x55")
        assert heard == alaw.strip(b"\xd5\x55")
        assert record["rtp"]["lost"] == 0
        assert record["rtp"]["packets_per_second"] == pytest.approx(50, abs=0.5)


def test_code_keyed_during_the_prompt_confirms(client, exchange, prompt):
    prompt_id, _ = prompt
    people = [person("By RTP", "110001"), person("By INFO", "120001"), person("No code", "100003")]
    task = client.make_task(
        people, files=[prompt_id], successCondition="PICKUP_AND_CONFIRM", maxCallDurationS=4
    )
    statuses = by_name(client.finished(client.start(task)))
    assert [statuses[one["fullName"]]["notified"] for one in people] == [True, True, False]
    for name in ("By RTP", "By INFO"):
        call = statuses[name]["phones"][0]["calls"][0]
        digit = next(event for event in call["events"] if event["name"] == "DTMF")
        assert (digit["status"], digit["data"]) == ("TALKING", "DIGIT:1")
        assert event_names(call)[-2:] == ["CONFIRMED", "CallEnded"]


@pytest.mark.parametrize(
    ("condition", "options", "notified"),
    [
        ("PICKUP_PHONE", {}, True),
        ("PICKUP_AND_LISTEN_SOME", {"successPlaybackDurationS": 0}, True),
        ("PICKUP_AND_LISTEN_SOME", {"successPlaybackDurationS": 1}, False),
        ("PICKUP_AND_LISTEN_FULL", {}, False),
    ],
)
def test_hangup_during_the_prompt_counts_by_the_condition(client, prompt, condition, options, notified):
    prompt_id, _ = prompt
    task = client.make_task(
        [person("Impatient", "130002")], files=[prompt_id], successCondition=condition, **options
    )
    document = client.finished(client.start(task))
    assert document["subscribers"][0]["notified"] is notified


def test_prompts_of_a_task_are_played_in_order(client, exchange, prompt):
    first_id, first = prompt
    second = client.add_prompt(f"second-{uuid.uuid4().hex}", tone(0.5, 700))
    content = client.http.get(f"/audio-files/{second['id']}/content", params={"format": "alaw"}).content
    task = client.make_task([person("Listener", "100200")], files=[first_id, second["id"]])
    assert client.finished(client.start(task))["report"]["subscriberNotified"] == 1
    (record,) = exchange.records({"100200"})
    assert (first + content).strip(b"\xd5\x55") in exchange.audio(record)


def test_second_start_during_a_run_is_refused(client, prompt):
    prompt_id, _ = prompt
    task = client.make_task([person("Listener", "100300")], files=[prompt_id])
    run = client.start(task)
    refused = client.call("PUT", f"/tasks/{task}/start", expected=409)
    assert refused["resourceId"] == run
    client.finished(run)
    assert client.start(task) != run
