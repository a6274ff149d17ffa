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


def test_trace_of_a_number_has_the_messages_of_its_call_masked(stack, client):
    headers = {"Authorization": "Bearer plain:admin"}
    prompt = client.add_prompt(f"tone-{uuid.uuid4().hex}", tone(1.5))["id"]
    task = client.make_task([{"fullName": "Ivan Potapov", "phones": [NUMBER]}], files=[prompt])
    with httpx.Client(base_url=stack.url, headers=headers, timeout=30) as admin:
        order = {"number": f"+{NUMBER}", "forS": 600}
        assert admin.put(TRACE, json=order).json()["state"] == "RUNNING"
        deadline = time.monotonic() + FOLLOWED_S
        text = ""
        while not re.search(r"\nINVITE .*\nBYE ", text, re.DOTALL) and time.monotonic() < deadline:
            # A call that begins before the dialer has read the order is in the trace in part only.
            client.finished(client.start(task))
            text = admin.get(f"{TRACE}/file").text
        assert admin.delete(TRACE).status_code == 204
        assert admin.get(f"{TRACE}/file").status_code == 404
    calls = client.call("GET", "/calls", params={"number": NUMBER})["items"]
    blocks = [block for block in text.split("--- ") if block]
    ids = list(dict.fromkeys(re.findall(r"\nCall-ID: (\S+)", text)))
    whole = [block for block in blocks if f"Call-ID: {ids[-1]}\n" in block.replace("\r", "")]
    methods = [block.split("\n")[1].split(" ")[0] for block in whole]
    assert [each for each in methods if each != "SIP/2.0"] == ["INVITE", "ACK", "INFO", "BYE"]
    assert ids[-1] in {call["sipCallId"] for call in calls}
    assert NUMBER not in text
    assert re.search(r"Signal ?= ?x", text)
