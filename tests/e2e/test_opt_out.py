"""A called person presses the key to opt out, over HTTP and SIP: nobody calls the number any more."""

import uuid

from tests.support.tones import tone

NUMBER = "110931"
"""The exchange presses 1 after 0.8 s."""


def events_of(document):
    (person,) = document["subscribers"]
    return [
        event["name"] for phone in person["phones"] for call in phone["calls"] for event in call["events"]
    ]


def test_who_presses_the_key_is_on_the_list_and_is_not_called_by_another_run(client, exchange):
    prompt = client.add_prompt(f"tone-{uuid.uuid4().hex}", tone(2.5))["id"]
    bye = client.add_prompt(f"bye-{uuid.uuid4().hex}", tone(0.5))["id"]
    name = f"opt-out {uuid.uuid4().hex}"
    keys = {"optOutKey": "1", "optOutList": name, "optOutFile": bye}
    person = {"fullName": "Ivan Potapov", "phones": [NUMBER, "100931"]}
    task = client.make_task([person], files=[prompt], attemptCount=2, **keys)
    document = client.finished(client.start(task))
    report = document["report"]
    assert (report["subscriberFailed"], report["subscriberFailedByRule"]) == (1, {"opted-out": 1})
    assert (report["callsTotal"], report["waveCurrent"]) == (1, 2)
    told = events_of(document)
    assert told[told.index("DTMF") :] == ["DTMF", "OPTED_OUT", "CallEnded"]

    (made,) = client.call("GET", "/exclusion-lists", params={"name": name})["items"]
    try:
        (entry,) = client.call("GET", f"/exclusion-lists/{made['id']}/numbers")["items"]
        (call,) = client.call("GET", "/calls", params={"number": NUMBER})["items"]
        assert (entry["number"], entry["callId"]) == (NUMBER, call["id"])
        again = client.make_task([{"fullName": "Ivan P.", "phones": [NUMBER]}], files=[prompt])
        report = client.finished(client.start(again))["report"]
        assert (report["callsTotal"], report["subscriberFailedByRule"]) == (0, {"excluded": 1})
    finally:
        client.call("DELETE", f"/exclusion-lists/{made['id']}", 204)
    (record,) = exchange.records({NUMBER, "100931"})
    # 0.8 s of the message, then the other file to its end.
    assert 1.1 <= len(exchange.audio(record)) / 8000 <= 2.4
