"""Requests as proxies, editors and scanners send them: taken, or refused with a sentence."""

import codecs
import json
from urllib.parse import unquote

import pytest

API = "/api/v1"
JSON = {"Content-Type": "application/json"}
SETTINGS = json.dumps({"name": "Спокойно", "attemptCount": 1, "successCondition": "PICKUP_PHONE"})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
async def test_a_json_body_may_begin_with_a_byte_order_mark_r6(client, encoding):
    answer = await client.post(
        f"{API}/notification-settings", content=SETTINGS.encode(encoding), headers=JSON
    )
    assert (answer.status_code, answer.json()["name"]) == (200, "Спокойно")


async def test_a_byte_order_mark_that_does_not_fit_is_refused_r6(client, refused):
    for body, word in ((codecs.BOM_UTF16_LE + b"{}x", "UTF-16"), (codecs.BOM_UTF8, "JSON")):
        refused(await client.post(f"{API}/notification-settings", content=body, headers=JSON), 400, word)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("http://other.test:81/api/v1/tasks", "/api/v1/tasks"),
        ("HTTPS://other.test:81/api/v1/tasks/", "/api/v1/tasks/"),
        ("http://other.test:81", "/"),
        ("http://other.test:81/api/v1/subscriber-groups/%7B", "/api/v1/subscriber-groups/{"),
    ],
)
async def test_an_absolute_form_target_is_taken_with_its_host_r6(app, stack, target, path):
    answer, sent = await ask(app, target)
    assert answer == (200 if "tasks" in path else 404)
    if answer != 200:
        assert json.loads(sent)["path"] == path


async def test_addresses_in_an_answer_have_the_host_of_an_absolute_form_target_r6(app, stack, ids):
    status, sent = await ask(app, f"http://other.test:81{API}/subscriber-groups/{ids['group']}")
    assert status == 200
    assert json.loads(sent)["url"].startswith("http://other.test:81/api/v1/")


async def ask(app, target: str) -> tuple[int, bytes]:
    """Send a GET with this target, as the HTTP server would pass it on."""
    messages = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "root_path": "",
        "path": unquote(target),
        "raw_path": target.encode(),
        "query_string": b"",
        "headers": [(b"host", b"cato.test"), (b"authorization", b"Bearer plain:default")],
        "server": ("cato.test", 8080),
        "client": ("127.0.0.1", 1),
        "state": {},
    }

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        messages.append(message)

    await app(scope, receive, send)
    return messages[0]["status"], b"".join(message.get("body", b"") for message in messages[1:])


MANY = "1" * 5000


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (f"bytes=0-{MANY}", 206),
        (f"bytes={MANY}-", 416),
        (f"bytes={MANY}-{MANY}", 416),
        (f"bytes=-{MANY}", 206),
        (f"bytes=0-{'0' * 5000}3", 206),
    ],
)
async def test_a_range_with_thousands_of_digits_is_read_r1(client, ids, sent, status):
    answer = await client.get(f"{API}/audio-files/{ids['audio']}/content", headers={"Range": sent})
    assert answer.status_code == status
    if sent.endswith("03"):
        assert len(answer.content) == 4


@pytest.mark.parametrize("path", ["/tasks?limit={}", "/tasks?cursor={}", "/calls?limit={}", "/tasks/{}"])
async def test_a_number_with_thousands_of_digits_is_refused_r1(client, path):
    assert (await client.get(API + path.format(MANY))).status_code in {400, 404}
