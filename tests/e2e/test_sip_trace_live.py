"""A SIP trace of a number, over HTTP: the messages of its call, without the number."""

import re
import time
import uuid

import httpx

from tests.support.tones import tone

NUMBER = "120778"
"""The exchange sends an INFO with the key 1 after 0.8 s."""
TRACE = "/api/v1/sip-traces/live"
FOLLOWED_S = 60


def requests_by_call(text):
    """Return the methods of each call's requests, by its Call-ID."""
    found = {}
    for block in text.split("--- ")[1:]:
        method = block.split("\n")[1].split(" ")[0]
        call_id = re.search(r"\nCall-ID: (\S+)", block).group(1)
        found.setdefault(call_id, []).extend([method] if method != "SIP/2.0" else [])
    return found


def test_trace_of_a_number_has_the_messages_of_its_call_masked(stack, client):
    headers = {"Authorization": "Bearer plain:admin"}
    prompt = client.add_prompt(f"tone-{uuid.uuid4().hex}", tone(1.5))["id"]
    task = client.make_task([{"fullName": "Ivan Potapov", "phones": [NUMBER]}], files=[prompt])
    with httpx.Client(base_url=stack.url, headers=headers, timeout=30) as admin:
        order = {"number": f"+{NUMBER}", "forS": 600}
        assert admin.put(TRACE, json=order).json()["state"] == "RUNNING"
        deadline = time.monotonic() + FOLLOWED_S
        text, traced, whole = "", {}, []
        while not whole and time.monotonic() < deadline:
            # A call that begins before the dialer has read the order is in the trace in part only, and what
            # was recorded last comes half a second later.
            client.finished(client.start(task))
            text = admin.get(f"{TRACE}/file").text
            traced = requests_by_call(text)
            whole = [methods for methods in traced.values() if methods[:1] == ["INVITE"] and "BYE" in methods]
        assert admin.delete(TRACE).status_code == 204
        assert admin.get(f"{TRACE}/file").status_code == 404
    calls = client.call("GET", "/calls", params={"number": NUMBER})["items"]
    assert whole
    assert all(methods == ["INVITE", "ACK", "INFO", "BYE"] for methods in whole)
    assert traced.keys() <= {call["sipCallId"] for call in calls}
    assert NUMBER not in text
    assert re.search(r"Signal ?= ?x", text)
