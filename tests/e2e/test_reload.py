"""Reload of the configuration during a run."""

import os
import signal

import pytest
import yaml

from tests.support.live_system import LiveStack
from tests.support.tones import tone

PEOPLE = 6


@pytest.fixture
def narrow_stack(tmp_path, exchange):
    live = LiveStack(tmp_path, exchange.port, channels=2)
    live.start()
    yield live
    live.stop()


def test_sighup_changes_the_caller_id_of_new_calls_and_loses_none(narrow_stack, exchange):
    client = narrow_stack.client()
    prompt = client.add_prompt("tone", tone(1.6))["id"]
    numbers = [f"10077{index}" for index in range(PEOPLE)]
    people = [{"fullName": number, "phones": [number], "emails": ""} for number in numbers]
    run = client.start(client.make_task(people, files=[prompt]))
    while client.report(run)["callsSucceeded"] < 1:
        assert client.report(run)["activePhase"]
    file = narrow_stack.directory / "cato.yaml"
    config = yaml.safe_load(file.read_text())
    config["stations"][0]["callerId"] = "555000"
    file.write_text(yaml.safe_dump(config))
    os.kill(narrow_stack.process.pid, signal.SIGHUP)
    document = client.finished(run)
    assert document["report"]["subscriberNotified"] == PEOPLE
    made = [record["from_number"] for record in exchange.records(set(numbers))]
    assert len(made) == PEOPLE
    assert set(made) == {"776400", "555000"}
    client.http.close()
