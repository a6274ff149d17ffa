"""Resources in use cannot be removed; unused resources can."""

import uuid

from tests.support.tones import tone

PEOPLE = [{"fullName": "Ivan Potapov", "phones": "776429", "emails": ""}]


def test_audio_file_can_be_removed_after_its_last_task(client):
    prompt = client.add_prompt(f"tone-{uuid.uuid4().hex}", tone(0.5))
    task = client.make_task(PEOPLE, files=[prompt["id"]])
    refused = client.call("DELETE", f"/audio-files/{prompt['id']}", expected=409)
    assert refused["resourceId"] == task

    client.call("DELETE", f"/tasks/{task}", expected=204)
    client.call("DELETE", f"/audio-files/{prompt['id']}", expected=204)
    for path in (f"/audio-files/{prompt['id']}", f"/audio-files/{prompt['id']}/content"):
        client.call("GET", path, expected=404)
    client.call("DELETE", f"/audio-files/{prompt['id']}", expected=404)


def test_audio_file_can_be_removed_after_its_task_was_changed(client):
    first, second = (client.add_prompt(f"tone-{uuid.uuid4().hex}", tone(0.5)) for _ in range(2))
    task = client.make_task(PEOPLE, files=[first["id"]])
    kept = client.call("GET", f"/tasks/{task}")
    client.call("PUT", f"/tasks/{task}", json={**kept, "files": [second["id"]]})
    client.call("DELETE", f"/audio-files/{first['id']}", expected=204)
    client.call("DELETE", f"/audio-files/{second['id']}", expected=409)


def test_settings_and_groups_in_use_cannot_be_removed(client):
    prompt = client.add_prompt(f"tone-{uuid.uuid4().hex}", tone(0.5))
    task = client.make_task(PEOPLE, files=[prompt["id"]])
    kept = client.call("GET", f"/tasks/{task}")
    paths = [f"/notification-settings/{kept['settings']}", f"/subscriber-groups/{kept['groups'][0]}"]
    for path in paths:
        assert client.call("DELETE", path, expected=409)["resourceId"] == task
    client.call("DELETE", f"/tasks/{task}", expected=204)
    for path in paths:
        client.call("DELETE", path, expected=204)
