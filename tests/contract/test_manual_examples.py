"""Each command of the manual is answered as documented (sections 3.1 to 3.6)."""

import httpx
import pytest

from tests.contract.manual_examples import EXAMPLES, Example, follow_manual, parse_curl
from tests.support.gateway.stack import MemoryStack

SECTIONS = [pytest.param(example, id=example.section) for example in EXAMPLES]
REPORT = {
    "name",
    "subscriberCount",
    "subscriberNotYetNotified",
    "subscriberNotified",
    "subscriberFailed",
    "callsTotal",
    "callsSucceeded",
    "callsFailed",
    "callsInProgress",
    "callsDelayed",
    "callsRinging",
    "callsTalking",
    "waveCurrent",
    "waveTotal",
    "activePhase",
}


@pytest.fixture
async def answers() -> dict[str, httpx.Response]:
    async with MemoryStack().client(token=None) as client:
        return await follow_manual(client, audio=b"\xff\xfb" + bytes(1000))


@pytest.mark.parametrize("example", SECTIONS)
async def test_printed_command_is_answered_as_documented(answers, example: Example):
    answer = answers[example.section]
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert set(example.answer_fields) <= answer.json().keys()


async def test_settings_are_returned_with_the_field_names_of_the_manual(answers):
    settings = answers["3.3"].json()
    assert settings["attemptCount"] == 2
    assert settings["attemptDelayS"] == 60
    assert settings["successPlaybackDurationS"] == 5
    assert settings["maxCallDurationS"] == 90
    assert settings["maxAnswerDelayS"] == 30
    assert settings["timeRestrictions"] == {"fromMin": 30, "fromHour": 8, "tillMin": 30, "tillHour": 18}
    assert "attemptDelays" not in settings


async def test_single_file_is_returned_in_a_list(answers):
    task = answers["3.4"].json()
    assert task["files"] == [answers["3.1"].json()["id"]]
    assert task["groups"][0] == answers["3.2"].json()["id"]
    assert len(task["groups"]) == 2
    assert task["userId"] == "user"


async def test_status_document_has_the_structure_of_the_example(answers):
    document = answers["3.6"].json()
    assert document["id"] == answers["3.5"].json()["taskExecId"]
    assert document["report"].keys() >= REPORT
    assert document["report"]["subscriberCount"] == 4
    for subscriber in document["subscribers"]:
        assert subscriber.keys() == {"notified", "subscriber", "phones"}
        assert subscriber["subscriber"].keys() == {"fullName", "phones", "emails"}
        for phone in subscriber["phones"]:
            assert phone.keys() == {"number", "calls"}
            for call in phone["calls"]:
                assert call.keys() == {
                    "csId",
                    "callStart",
                    "callRingStart",
                    "callTalkingStart",
                    "callEnd",
                    "success",
                    "delayed",
                    "events",
                }
                assert all(event.keys() == {"time", "name", "status", "data"} for event in call["events"])


async def test_links_in_answers_are_valid(answers):
    async with MemoryStack().client(token=None) as client:
        again = await follow_manual(client, audio=b"\xff\xfb" + bytes(1000))
        headers = dict(EXAMPLES[-1].headers)
        audio = await client.get(again["3.1"].json()["url"], headers=headers)
        people = await client.get(again["3.2"].json()["url"], headers=headers)
    assert audio.headers["content-type"] == "audio/wav"
    assert [each["fullName"] for each in people.json()["items"]] == ["Ivan Potapov", "Olga Popova"]


def test_commands_are_parsed_as_printed():
    by_section = {example.section: example for example in EXAMPLES}
    assert [example.method for example in EXAMPLES] == ["PUT", "PUT", "POST", "POST", "PUT", "GET"]
    assert by_section["3.1"].upload == "2023-06-07_w.mp3"
    assert ("Authorization", "bearer plain:default") in by_section["3.1"].headers
    assert by_section["3.2"].body is not None
    assert by_section["3.2"].body.count(b"[\n  {\n") == 2
    assert by_section["3.3"].path == "/api/v1/notification-settings/"
    assert by_section["3.6"].path.endswith("02cd00d1-0f12-494f-91ab-da1691e555ca")
    assert parse_curl("curl -x 'PUT' \\  \n  'http://h/a' \\ \n -d '[\n] '")[:2] == ("PUT", "/a")
