"""The softphone baresip answers, keys and hangs up; its recording equals the played prompt."""

from collections.abc import Iterator

import pytest

from tests.interop.baresip_peer import PROGRAM, BaresipPeer
from tests.support.g711 import decoded
from tests.support.live_system import Client, LiveStack
from tests.support.required_program import require_program
from tests.support.tones import tone

PROMPT_S = 1.5
ANSWERING = {
    "1001": [],
    "1002": [],
    "1003": [(0.4, "sndcode", "1")],
    "1004": [(0.3, "sndcode", "7"), (0.4, "sndcode", "1")],
    "1005": [(0.4, "sndcode", "9")],
    "1006": [(0.5, "hangup", "")],
}


@pytest.fixture(scope="module", params=["dense", "pjsua2"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def baresip(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaresipPeer]:
    require_program(PROGRAM, "baresip", "baresip")
    peer = BaresipPeer(tmp_path_factory.mktemp("baresip"), ANSWERING, ringing=["2001"])
    peer.start()
    yield peer
    peer.stop()


@pytest.fixture(scope="module")
def client(engine: str, tmp_path_factory: pytest.TempPathFactory, baresip: BaresipPeer) -> Iterator[Client]:
    # One call at a time, because the softphone names its recordings by the second.
    stack = LiveStack(tmp_path_factory.mktemp("stack"), baresip.port, channels=1, engine=engine)
    stack.start()
    client = stack.client()
    yield client
    client.http.close()
    stack.stop()


def call(client: Client, numbers: list[list[str]], **settings: object) -> tuple[dict, bytes]:
    """Return the status document of a run, and the prompt as 16-bit samples."""
    prompt = client.add_prompt(f"for {numbers[0][0]}", tone(PROMPT_S))
    alaw = client.http.get(f"/audio-files/{prompt['id']}/content", params={"format": "alaw"}).content
    people = [{"fullName": f"Has {phones[0]}", "phones": phones, "emails": ""} for phones in numbers]
    task = client.make_task(people, files=[prompt["id"]], **settings)
    return client.finished(client.start(task)), decoded(alaw)


def telling_events(document: dict) -> dict[str, list[str]]:
    return {
        phone["number"]: [event["name"] for event in made["events"]][2:]
        for status in document["subscribers"]
        for phone in status["phones"]
        for made in phone["calls"]
    }


def test_baresip_receives_the_whole_prompt(client, baresip):
    already = len(baresip.events)
    numbers = [["1001"], ["2001"], ["3001", "1002"], ["1006"], ["3002"]]
    document, samples = call(client, numbers, maxAnswerDelayS=1)

    assert [status["notified"] for status in document["subscribers"]] == [True, False, True, False, False]
    told = telling_events(document)
    reached = ["Ringing", "OK", "AUDIO_DATA_STARTED", "AUDIO_DATA_FINISHED", "CallEnded"]
    assert told["1001"] == told["1002"] == reached
    assert told["2001"] == ["Ringing", "ANSWER_TIMEOUT", "CallEnded"]
    assert told["3001"] == told["3002"] == ["Not Found", "CallEnded"]
    assert told["1006"] == ["Ringing", "OK", "AUDIO_DATA_STARTED", "REMOTE_HANGUP", "CallEnded"]
    report = document["report"]
    assert (report["callsTotal"], report["callsSucceeded"], report["callsFailed"]) == (6, 2, 4)

    answered = ["1001", "1002", "1006"]
    baresip.wait_until(lambda: len(baresip.events_of("CALL_CLOSED")) >= 4)
    assert sorted(baresip.events_of("CALL_ESTABLISHED")[-3:]) == answered
    assert sorted(baresip.events_of("CALL_CLOSED")[-4:]) == [*answered, "2001"]
    order = [event for event in baresip.events[already:] if event.get("type") == "CALL_ESTABLISHED"]
    heard = dict(zip([event["accountaor"][4:8] for event in order], baresip.recordings(3)[-3:], strict=True))
    assert samples in heard["1001"]
    assert samples in heard["1002"]
    assert samples not in heard["1006"]


def test_digits_of_baresip_confirm(client, baresip):
    before = len(baresip.events_of("CALL_ESTABLISHED"))
    document, _ = call(
        client,
        [["1003"], ["1004"], ["1005"]],
        successCondition="PICKUP_AND_CONFIRM",
        maxCallDurationS=3,
    )
    assert [status["notified"] for status in document["subscribers"]] == [True, True, False]
    told = telling_events(document)
    picked_up = ["Ringing", "OK", "AUDIO_DATA_STARTED"]
    assert told["1003"] == [*picked_up, "DTMF", "CONFIRMED", "CallEnded"]
    assert told["1004"] == [*picked_up, "DTMF", "DTMF", "CONFIRMED", "CallEnded"]
    assert told["1005"] == [
        *picked_up,
        *("DTMF", "AUDIO_DATA_FINISHED", "CALL_DURATION_EXCEEDED", "CallEnded"),
    ]
    assert sorted(baresip.events_of("CALL_ESTABLISHED")[before:]) == ["1003", "1004", "1005"]
