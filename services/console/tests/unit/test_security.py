"""Forged and replayed cookies, forms of other sites, names that are programs, things of other users."""

import base64
import re
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from cato_console.http.middleware import SECURITY_HEADERS
from cato_console.http.sealed_cookies import SealedCookies
from cato_console.http.sign_in_limit import SignInLimit
from cato_console.settings import ConsoleSettings
from services.console.tests.fake_api import AUDIO, GROUP, LIST, NASTY, RUN, SETTINGS, TASK, execution, person

COOKIE = "cato_session"
CHANGES = [
    f"/runs/{RUN}/pause",
    f"/runs/{RUN}/resume",
    f"/runs/{RUN}/stop",
    f"/runs/{RUN}/repeat",
    "/new/message",
    "/new/people",
    "/new/rules",
    "/new/check",
    "/exclusions",
    f"/exclusions/{LIST}/drop",
    "/sign-out",
    "/language",
    "/theme",
]


async def test_the_cookie_is_for_the_server_only_and_does_not_show_the_token(open_browser):
    browser = open_browser()
    answer = await browser.sign_in()
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    readable = base64.urlsafe_b64decode(browser.http.cookies[COOKIE].strip('"'))
    assert b"dispatcher" not in readable


@pytest.mark.parametrize("settings", [ConsoleSettings(api_url="http://api.test", https=True)])
async def test_behind_https_the_cookie_is_secure_and_bound_to_the_host(open_browser, settings):
    answer = await open_browser().get("/sign-in")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-cato_session=")
    assert "Secure" in cookie
    assert "Strict-Transport-Security" in answer.headers


@pytest.mark.parametrize("forged", ["", "x", "gAAAAABforged", "null"])
async def test_a_forged_cookie_is_no_session(open_browser, forged):
    browser = open_browser(Cookie=f"{COOKIE}={forged}")
    assert (await browser.get("/")).headers["Location"].startswith("/sign-in")


async def test_a_cookie_of_another_key_or_one_that_was_changed_is_no_session(open_browser, browser):
    genuine = browser.http.cookies[COOKIE]
    other = SealedCookies(Fernet.generate_key(), timedelta(hours=1)).seal({"id": "x", "token": "all"})
    middle = len(genuine) // 2
    changed = genuine[:middle] + ("A" if genuine[middle] != "A" else "B") + genuine[middle + 1 :]
    for value in (other, changed):
        page = await open_browser(Cookie=f"{COOKIE}={value}").get("/")
        assert page.status_code == 303


async def test_a_cookie_is_worth_nothing_after_its_time(tmp_path):
    cookies = SealedCookies(Fernet.generate_key(), timedelta(seconds=-1))
    assert cookies.open(cookies.seal({"id": "x"})) is None


async def test_a_copy_of_the_cookie_is_worth_nothing_after_the_sign_out(open_browser, browser, deps):
    copied = open_browser(Cookie=f"{COOKIE}={browser.http.cookies[COOKIE]}")
    assert (await copied.get("/")).status_code == 200
    await browser.post("/sign-out")
    assert (await copied.get("/")).status_code == 303
    # Also for a process that starts later.
    reread = type(deps.sessions._signed_out)(deps.sessions._signed_out._file.parent, timedelta(hours=12))
    assert len(reread._until) == 1


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize("form_token", ["", "guessed", "ключ"])
async def test_a_form_without_the_token_of_its_session_changes_nothing(browser, api, path, form_token):
    before = len(api.requests)
    answer = await browser.post(path, form_token=form_token)
    assert answer.status_code == 403
    assert "This form is out of date" in answer.text
    assert len(api.requests) == before


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
@pytest.mark.parametrize("path", [f"/runs/{RUN}/stop", "/sign-in"])
async def test_a_form_of_another_site_changes_nothing(browser, api, headers, path):
    token = await browser.form_token()
    before = len(api.requests)
    answer = await browser.post(path, {"token": "all"}, form_token=token, headers=headers)
    assert answer.status_code == 403
    assert len(api.requests) == before


async def test_the_form_token_of_one_session_is_not_that_of_another(open_browser, browser):
    other = open_browser()
    await other.sign_in()
    answer = await browser.post(f"/runs/{RUN}/pause", form_token=await other.form_token())
    assert answer.status_code == 403


async def test_a_signed_in_session_has_another_id_than_the_form_before(open_browser):
    browser = open_browser()
    before = await browser.form_token()
    await browser.sign_in()
    assert await browser.form_token() != before


async def test_wrong_tokens_are_limited_by_address(open_browser, settings):
    browser = open_browser()
    answers = [(await browser.sign_in(f"wrong-{no}")).status_code for no in range(settings.sign_in_tries)]
    assert set(answers) == {401}
    limited = await browser.sign_in("all")
    assert limited.status_code == 429
    assert 0 < int(limited.headers["Retry-After"]) <= 60


def test_the_limit_is_over_after_a_minute():
    now = [0.0]
    limit = SignInLimit(2, clock=lambda: now[0])
    for _ in range(2):
        limit.wrong("a")
    assert (limit.wait_s("a"), limit.wait_s("b")) == (60, 0)
    now[0] = 61.0
    assert limit.wait_s("a") == 0


@pytest.mark.parametrize("token", ["", "ключ", "a\nb", "x" * 5000])
async def test_a_token_that_no_header_can_have_is_refused_without_asking(open_browser, api, token):
    assert (await open_browser().sign_in(token)).status_code == 401
    assert api.requests == []


@pytest.mark.parametrize(
    "target", ["https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)", "/%0d%0aX: y"]
)
async def test_the_sign_in_leads_to_pages_of_this_site_only(open_browser, target):
    browser = open_browser()
    answer = await browser.post("/sign-in", {"token": "all", "next": target})
    assert answer.headers["Location"].startswith("/")
    assert "evil" not in answer.headers["Location"]


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/runs", f"/runs/{RUN}", f"/runs/{RUN}/stop", f"/runs/{RUN}/repeat", "/search?q=person"),
        *(f"/search?q={NASTY}", f"/runs/{RUN}?q={NASTY}&reason={NASTY}"),
        f"/runs/{RUN}/person?number=776401",
    ],
)
async def test_a_name_that_is_a_program_is_text(browser, api, path):
    api.runs = [execution(name=NASTY)]
    api.people = [person(1, fullName=NASTY, reason=NASTY)]
    page = await browser.get(path)
    assert NASTY not in page.text
    assert "<img" not in page.text
    assert "&lt;img" in page.text or path == "/search?q=person"


async def test_the_message_of_an_error_is_text(browser, api):
    api.failures.append((400, NASTY))
    page = await browser.post(f"/runs/{RUN}/pause")
    assert page.status_code == 400
    assert "<img" not in page.text
    assert "&lt;img" in page.text


@pytest.mark.parametrize(
    "path",
    [
        *(f"/runs/{RUN}{rest}" for rest in ("", "/stop", "/repeat", "/export", "/person?number=776401")),
        *(f"/live/runs/{RUN}", f"/audio/{AUDIO}", f"/new/message?audio={AUDIO}"),
        f"/new/check?audio={AUDIO}&group={GROUP}&settings={SETTINGS}&task={TASK}",
        f"/live/new/check?task={TASK}",
    ],
)
async def test_a_thing_of_another_user_is_not_found(open_browser, path):
    stranger = open_browser()
    await stranger.sign_in("other")
    assert (await stranger.get(path)).status_code == 404


@pytest.mark.parametrize("action", ["pause", "resume", "stop", "repeat"])
async def test_a_run_of_another_user_cannot_be_changed(open_browser, api, action):
    stranger = open_browser()
    await stranger.sign_in("other")
    assert (await stranger.post(f"/runs/{RUN}/{action}")).status_code == 404
    assert api.started == {}


async def test_a_notification_with_things_of_another_user_is_not_started(open_browser, api):
    stranger = open_browser()
    await stranger.sign_in("other")
    chosen = f"/new/check?audio={AUDIO}&group={GROUP}&settings={SETTINGS}&task={TASK}"
    assert (await stranger.post(chosen, {"people": "300", "once": "x"})).status_code == 404
    assert api.started == {}


async def test_a_form_that_is_sent_again_starts_once(browser, api):
    chosen = f"/new/check?audio={AUDIO}&group={GROUP}&settings={SETTINGS}&task={TASK}"
    seen = re.search(r'name="seen" value="([^"]+)"', (await browser.get(chosen)).text)[1]
    form = {"people": "300", "once": "the-same-form", "seen": seen}
    answers = [await browser.post(chosen, form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert len(api.started) == 1


async def test_a_file_is_passed_on_as_it_is_with_a_name_that_is_no_header(browser):
    answer = await browser.get(f"/runs/{RUN}/export?format=csv&which=%22%0d%0aX-Evil:%201")
    assert answer.content == b"a;b\r\n'=cmd;1\r\n"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "X-Evil" not in answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_permission_that_the_token_lacks_is_refused_by_the_api_and_explained(open_browser):
    reader = open_browser()
    await reader.sign_in("reader")
    page = await reader.post(f"/runs/{RUN}/pause")
    assert page.status_code == 403
    assert "lacks the permission run" in page.text


async def test_a_draft_belongs_to_its_session(open_browser, browser, deps):
    draft = deps.drafts.add("another session", "list.csv", "text/csv", b"secret")
    page = await browser.get(f"/new/people/{draft}")
    assert page.status_code == 409
    assert "secret" not in page.text


async def test_a_token_that_was_withdrawn_ends_the_session(browser, api, monkeypatch):
    monkeypatch.setitem(api.tokens, "all", None)
    answer = await browser.get("/")
    assert answer.headers["Location"].startswith("/sign-in")
    assert f'{COOKIE}=""' in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("path", ["/", "/sign-in", "/no-such-page", "/static/console.css"])
async def test_every_answer_has_the_security_headers(browser, path):
    headers = (await browser.get(path)).headers
    assert {name: headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert "unsafe" not in headers["Content-Security-Policy"]


async def test_no_page_has_an_inline_script_style_or_address_of_another_site(browser):
    for path in ("/", f"/runs/{RUN}", "/statistics", "/new/message"):
        text = (await browser.get(path)).text
        for forbidden in (" style=", "<style", " onclick=", "javascript:", "http://", "https://"):
            assert forbidden not in text.replace('xmlns="http://www.w3.org/2000/svg"', ""), (path, forbidden)


@pytest.mark.parametrize("settings", [ConsoleSettings(api_url="http://api.test", upload_bytes=2000)])
async def test_a_form_over_the_limit_is_refused(browser):
    page = await browser.post("/new/people", {"name": "x" * 3000})
    assert page.status_code == 413
    assert "The file is too large" in page.text
