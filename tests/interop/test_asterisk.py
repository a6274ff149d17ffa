"""Asterisk answers, hears, keys, hangs up and rejects; it demands digest of every request."""

from collections.abc import Iterator

import pytest

from tests.interop.asterisk_peer import PASSWORD, PROGRAM, USER, AsteriskPeer
from tests.support.live_system import Client, LiveStack, configuration
from tests.support.tones import tone

PROMPT_S = 1.5
PICKED_UP = ["Trying", "OK", "AUDIO_DATA_STARTED"]


@pytest.fixture(scope="module", params=["dense", "pjsua2"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def asterisk(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsteriskPeer]:
    if PROGRAM is None:  # Debian 12 has none, so its absence fails nowhere
        pytest.skip("NOT TESTED: Asterisk (package asterisk of Debian 11) is missing")
    peer = AsteriskPeer(tmp_path_factory.mktemp("asterisk"))
    try:
        peer.start()
        yield peer
    finally:
        peer.stop()


@pytest.fixture(scope="module")
def client(engine: str, tmp_path_factory: pytest.TempPathFactory, asterisk: AsteriskPeer) -> Iterator[Client]:
    station = {
        "callerId": USER,
        "auth": {"username": USER, "password": PASSWORD},
        "register": True,
        "optionsIntervalS": 2,
        "maxSetupDelayS": 3,
    }
    config = configuration(asterisk.port, 12, engine=engine, **station)
    stack = LiveStack(tmp_path_factory.mktemp("stack"), asterisk.port, config=config)
    stack.start()
    client = stack.client()
    yield client
    client.http.close()
    stack.stop()


def call(client: Client, numbers: list[str], **settings: object) -> tuple[dict[str, list[str]], bytes]:
    """Return the events of the call to each number, and the prompt as A-law."""
    prompt = client.add_prompt(f"for {numbers[0]}", tone(PROMPT_S))
    alaw = client.http.get(f"/audio-files/{prompt['id']}/content", params={"format": "alaw"}).content
    people = [{"fullName": f"Has {number}", "phones": [number], "emails": ""} for number in numbers]
    task = client.make_task(people, files=[prompt["id"]], **settings)
    document = client.finished(client.start(task))
    return {
        phone["number"]: [event["name"] for made in phone["calls"] for event in made["events"]][2:]
        for status in document["subscribers"]
        for phone in status["phones"]
    }, alaw


def test_calls_through_asterisk_end_as_its_dial_plan_says(client, asterisk):
    numbers = ["101", "102", "131", "141", "151", "201", "211", "221", "231", "301"]
    told, prompt = call(client, numbers, maxAnswerDelayS=2)

    finished = ["AUDIO_DATA_FINISHED", "CallEnded"]
    assert told == {
        "101": [*PICKED_UP, *finished],
        "102": [*PICKED_UP, *finished],
        "131": [*PICKED_UP, "REMOTE_HANGUP", "CallEnded"],
        "141": ["Trying", "Session Progress", "OK", "AUDIO_DATA_STARTED", *finished],
        "151": [*PICKED_UP, *finished],
        "201": ["Trying", "Busy Here", "CallEnded"],
        "211": ["Trying", "Service Unavailable", "CallEnded"],
        "221": ["Trying", "Ringing", "ANSWER_TIMEOUT", "CallEnded"],
        "231": ["Trying", "Forbidden", "CallEnded"],
        "301": ["Not Found", "CallEnded"],
    }
    assert prompt in asterisk.recording("101")
    assert prompt in asterisk.recording("102")
    assert prompt in asterisk.recording("141")


def test_keys_that_asterisk_sends_confirm(client):
    told, _ = call(
        client, ["111", "121"], successCondition="PICKUP_AND_CONFIRM", confirmCode="1", maxCallDurationS=4
    )
    keyed = ["DTMF", "DTMF", "CONFIRMED", "CallEnded"]
    assert told == {"111": [*PICKED_UP, *keyed], "121": [*PICKED_UP, *keyed]}


def test_asterisk_has_the_registration(client, asterisk):
    asterisk.wait_until(lambda: f"{USER}/sip:" in asterisk.ask("pjsip show contacts"))
