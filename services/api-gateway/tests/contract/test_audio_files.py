"""Levels and warnings of audio files, and the parameter for silence."""

import pytest

from cato_contracts.api.resources import AudioWarning
from cato_contracts.messages.audio_commands import AddAudioFile

API = "/api/v1"
OCTETS = {"Content-Type": "application/octet-stream"}


@pytest.mark.parametrize(
    ("query", "allowed"), [("", False), ("?allowSilence=false", False), ("?allowSilence=true", True)]
)
async def test_a4_silence_is_accepted_only_if_the_request_asks_for_it(client, stack, query, allowed):
    answer = await client.put(f"{API}/audio-files/add/pause{query}", content=b"RIFF", headers=OCTETS)
    assert answer.status_code == 200
    (command,) = (
        envelope.body for envelope in stack.services.asked if isinstance(envelope.body, AddAudioFile)
    )
    assert command.allow_silence is allowed


async def test_a1_levels_and_warnings_are_shown(client, stack):
    added = (await client.put(f"{API}/audio-files/add/x", content=b"RIFF", headers=OCTETS)).json()
    assert (added["peakDbfs"], added["rmsDbfs"], added["warnings"]) == (None, None, [])
    ((key, file),) = ((key, file) for key, file in stack.services.audio.items() if str(key) == added["id"])
    warning = AudioWarning(code="too-quiet", message="the audio is quiet")
    stack.services.audio[key] = file.model_copy(
        update={"peak_dbfs": -20.5, "rms_dbfs": -41.0, "warnings": [warning]}
    )
    shown = (await client.get(f"{API}/audio-files/{added['id']}")).json()
    (listed,) = (await client.get(f"{API}/audio-files?name=x")).json()["items"]
    for each in (shown, listed):
        assert (each["peakDbfs"], each["rmsDbfs"]) == (-20.5, -41.0)
        assert each["warnings"] == [{"code": "too-quiet", "message": "the audio is quiet"}]
