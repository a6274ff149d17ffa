"""What a dispatcher does, from the sign-in to the list of those who were not reached."""

import contextlib
import re
import time
from http import HTTPStatus

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.console.conftest import PHONE, workbook
from tests.support.live_system import PROMPT

pytestmark = pytest.mark.timeout(300)

PEOPLE = 300
BUSY = 30
NASTY = '<img src=x onerror="alert(1)">'
GRAVE = {"serious", "critical"}


def findings(dispatcher) -> dict[str, list[object]]:
    """Return what axe finds on the page that is serious or worse, and where."""
    violations = Axe().run(dispatcher.page).response["violations"]
    return {
        each["id"]: [node["target"] for node in each["nodes"]]
        for each in violations
        if each["impact"] in GRAVE
    }


def await_restart(stack, killed: int) -> None:
    """Wait until another process of the gateway answers than the one that was killed."""
    deadline = time.monotonic() + 60
    while True:
        with contextlib.suppress(OSError, ValueError, httpx.TransportError):
            answer = httpx.get(f"{stack.url}/readyz")
            if answer.status_code == HTTPStatus.OK and stack.pid("api-gateway") != killed:
                return
        assert time.monotonic() < deadline
        time.sleep(0.05)


def fits_at_200_percent(dispatcher) -> bool:
    """Return whether the page fits with the zoom of the browser, and with letters twice as large."""
    page, window = dispatcher.page, dispatcher.page.viewport_size
    # The zoom halves the size of the window in CSS pixels.
    page.set_viewport_size({side: size // 2 for side, size in window.items()})
    zoomed = dispatcher.fits()
    page.set_viewport_size(window)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    return zoomed and dispatcher.fits()


def people() -> list[tuple[str, str]]:
    """A tenth is busy; one has a name that is a program, and one a name that is a formula."""
    rows = [(f"Житель {no}", f"{6 if no % 10 == 0 else 5}{no:04}") for no in range(PEOPLE)]
    rows[10] = (NASTY, rows[10][1])
    rows[20] = ("=cmd|'/c calc'!A1", rows[20][1])
    return rows


def test_from_sign_in_over_a_list_with_bad_rows_to_the_unreached(open_browser, tmp_path):
    dispatcher = open_browser()
    page = dispatcher.page
    dispatcher.sign_in()
    page.click("text=New notification >> nth=0")
    page.set_input_files("#file", PROMPT)
    page.click("text=Upload and listen")
    heard = page.request.get(dispatcher.console + page.get_attribute("audio", "src"))
    assert heard.body().startswith(b"RIFF")
    page.click("text=On to the people")

    rows = people()
    bad = list(rows)
    bad[15], bad[118], bad[253] = ("A", "84951234567,112"), ("B", "776413 776450"), ("C", "none")
    page.set_input_files("#file", workbook(tmp_path / "bad.xlsx", bad))
    page.click("text=Upload and check")
    expect(page.locator(".notice.bad")).to_contain_text("3 rows of bad.xlsx cannot be taken")
    lines = [
        re.match(r"\d+", row.inner_text())[0] for row in page.locator("tbody").nth(0).locator("tr").all()
    ]
    assert lines == ["17", "120", "255"]
    assert findings(dispatcher) == {}
    page.set_input_files("#file", workbook(tmp_path / "town.xlsx", rows))
    page.click("text=Upload and check")
    expect(page.locator(".notice.good")).to_contain_text("300 people, no faults.")
    assert findings(dispatcher) == {}
    page.click("text=Take these people")

    page.select_option("#condition", "PICKUP_PHONE")
    page.fill("#waves", "1")
    page.click("text=On to the check")
    expect(page.locator(".check-list")).to_contain_text("300 people")
    page.fill("#people", "299")
    page.click("text=Start calling now")
    expect(page.locator(".notice.bad")).to_contain_text("Type 300 to start")
    page.fill("#people", "300")
    page.click("text=Start calling now")

    expect(page.locator(".badge").first).to_contain_text("Finished", timeout=90_000)
    expect(page.locator("main")).to_contain_text(f"{BUSY} people were not reached")
    expect(page.locator(".people tbody tr")).to_have_count(BUSY)
    assert findings(dispatcher) == {}
    assert NASTY in page.locator(".people tbody").inner_text()
    assert page.locator(".people img").count() == 0
    page.fill("#q", "Житель 290")
    page.click("text=Show")
    expect(page.locator(".people tbody tr")).to_have_count(1)
    expect(page.locator(".people tbody tr")).to_contain_text("busy")
    page.click(".people a")
    expect(page.locator(".timeline")).to_contain_text("The station says: Busy Here")

    page.go_back()
    page.go_back()
    with page.expect_download() as download:
        page.click(".downloads >> text=CSV")
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert len(text.splitlines()) == BUSY + 1
    assert ";'=cmd" in text or "\n'=cmd" in text or "\"'=cmd" in text

    page.click("text=Call the unreached again…")
    expect(page.locator("main")).to_contain_text(f"{BUSY} people of")
    page.click("button:has-text('Start')")
    expect(page.locator(".legend")).to_contain_text(f"of {BUSY} people")


def test_rules_and_time_of_a_notification_reach_the_system(open_browser, stack, paths):
    dispatcher = open_browser()
    page = dispatcher.page
    dispatcher.sign_in()
    dispatcher.go(next(path for path in paths if path.startswith("/new/rules")))
    page.uncheck("#SUN")
    page.check("#own_time")
    page.fill("#holidays", "DE-XX")
    page.click("text=Repetition and limits")
    page.fill("#busy_calls", "3")
    page.fill("#busy_min", "5")
    page.click("text=On to the check")
    expect(page.locator(".notice.bad")).to_contain_text("DE-XX")
    expect(page.locator("#SUN")).not_to_be_checked()
    page.fill("#holidays", "DE-BY")
    page.click("text=Time and number")
    page.fill("#start_at", "2030-01-02T08:30")
    page.select_option("#caller_id", "776401")
    page.check("#share_phone")
    page.click("text=On to the check")
    rules = page.locator(".check-list")
    expect(rules).to_contain_text("Mon, Tue, Wed, Thu, Fri, Sat")
    expect(rules).to_contain_text("the public holidays of DE-BY")
    expect(rules).to_contain_text("share their calls")
    expect(page.locator("#check-start")).to_contain_text("Start: calls begin 2 Jan 2030 08:30")
    assert findings(dispatcher) == {}

    client = stack.client()
    task = client.call("GET", f"/tasks/{re.search('task=([0-9a-f-]+)', page.url)[1]}")
    settings = client.call("GET", f"/notification-settings/{task['settings']}")
    client.http.close()
    assert (task["startAt"], task["callerId"], task["sharePhone"]) == ("2030-01-02T05:30:00Z", "776401", True)
    assert settings["weekdays"] == ["MON", "TUE", "WED", "THU", "FRI", "SAT"]
    assert settings["holidays"] == "DE-BY"
    assert settings["localTime"]["detect"] == ["SUBSCRIBER", "NUMBER"]
    assert settings["retryRules"][0]["maxAttempts"] == 3


@pytest.fixture(scope="module")
def slow_run(stack):
    """A run whose telephones ring and are not answered."""
    client = stack.client()
    prompt = client.add_prompt("slow", PROMPT.read_bytes())["id"]
    rows = [{"fullName": f"Nobody {no}", "phones": [f"7{no:04}"]} for no in range(90)]
    task = client.make_task(rows, files=[prompt], maxAnswerDelayS=60)
    run = client.start(task)
    yield run
    client.http.put(f"/task-execs/{run}/stop", params={"hangup": "true"})
    client.http.close()


@pytest.fixture(scope="module")
def paths(slow_run, stack):
    """The addresses of all pages, of an execution that is in progress."""
    client = stack.client()
    audio = client.call("GET", "/audio-files")["items"][0]["id"]
    group = client.call("GET", "/subscriber-groups")["items"][0]["id"]
    settings = client.call("GET", "/notification-settings")["items"][0]["id"]
    task = client.call("GET", "/tasks")["items"][0]["id"]
    client.http.close()
    chosen = f"audio={audio}&group={group}&settings={settings}&task={task}"
    details = ("?which=all", "/stop", "/repeat", "/person?number=70001")
    return [
        *("/", "/runs", *(f"/runs/{slow_run}{detail}" for detail in details)),
        *(f"/new/{step}?{chosen}" for step in ("message", "people", "rules", "check")),
        *("/exclusions?number=1", "/search?q=nobody", "/statistics?by=reason", "/no-such-page"),
    ]


@pytest.mark.parametrize("look", [{"color_scheme": "light"}, PHONE], ids=["light", "dark-phone-russian"])
def test_no_page_has_a_serious_finding_of_axe(open_browser, paths, look):
    dispatcher = open_browser(**look)
    dispatcher.sign_in()
    found = {}
    for path in paths:
        dispatcher.go(path)
        found[path] = findings(dispatcher)
        assert dispatcher.fits(), path
        if look is not PHONE:
            assert fits_at_200_percent(dispatcher), path
    assert found == {path: {} for path in paths}


def test_two_browsers_see_pause_restart_of_the_gateway_and_stop(open_browser, slow_run, stack):
    desk, phone = open_browser(), open_browser(**PHONE)
    for each in (desk, phone):
        each.sign_in()
    states = [each.page.locator(f"#run-{slow_run}-numbers .badge") for each in (desk, phone)]
    expect(states[0]).to_contain_text("Calling")
    expect(states[1]).to_contain_text("Идёт обзвон")
    assert phone.fits()

    phone.page.click(f"#pause-{slow_run}")
    expect(states[0]).to_contain_text("Paused")
    expect(phone.page.locator(".notice").first).to_contain_text("Пауза")

    await_restart(stack, stack.kill("api-gateway"))
    # Whether the banner was seen depends on how long the restart took.
    expect(desk.page.locator("#connection")).to_be_hidden()
    desk.page.click(f"#resume-{slow_run}")
    expect(states[1]).to_contain_text("Идёт обзвон")

    desk.page.click(f"#stop-{slow_run}")
    desk.page.check("input[name=hangup]")
    desk.page.click("text=Stop for good")
    expect(desk.page.locator(".badge").first).to_contain_text("Stopped")
    expect(phone.page.locator("#board-recent")).to_contain_text("Остановлено")


def test_the_keyboard_alone_starts_pauses_and_stops(open_browser, slow_run):
    dispatcher = open_browser()
    dispatcher.sign_in()
    keyboard, page = dispatcher.page.keyboard, dispatcher.page
    keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    dispatcher.tab_to("header a.button.primary")
    keyboard.press("Enter")
    for heading in ("Upload a recording", "Upload a list"):
        expect(page.locator("h2").first).to_contain_text(heading)
        dispatcher.tab_to(".choices button")
        keyboard.press("Enter")
    expect(page.locator("#condition")).to_be_visible()
    dispatcher.tab_to("button.primary.strong")
    keyboard.press("Enter")
    people = page.locator(".check-list b").inner_text().split()[0]
    dispatcher.tab_to("#people")
    keyboard.type(people)
    keyboard.press("Enter")
    state = page.locator(".run .badge")
    expect(state).to_contain_text("Calling")
    dispatcher.tab_to("[id^=pause-]")
    keyboard.press("Enter")
    expect(state).to_contain_text("Paused")
    dispatcher.tab_to("[id^=stop-]")
    keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("for good?")
    dispatcher.tab_to("input[name=hangup]")
    keyboard.press("Space")
    keyboard.press("Enter")
    expect(state).to_contain_text("Stopped")


def test_a_number_is_put_on_a_list_and_taken_off(open_browser, stack):
    dispatcher = open_browser()
    page = dispatcher.page
    dispatcher.sign_in()
    page.click("text=Do not call")
    page.fill("#number", "8 343 720-00-41")
    page.fill("#reason", "asked by telephone")
    page.fill("#until", "2030-05-09")
    page.click("text=Put on the list")
    expect(page.locator(".notice.good")).to_contain_text("no call to it begins any more")
    dispatcher.go("/exclusions?number=%2B73437200041")
    expect(page.locator(".choices")).to_contain_text("asked by telephone")
    assert findings(dispatcher) == {}
    page.click(".choices a")
    expect(page.locator("tbody")).to_contain_text("+73437200041")
    assert findings(dispatcher) == {}
    page.click("tbody a")
    page.click("text=Take off the list")
    expect(page.locator(".notice.good")).to_contain_text("may be called again")
    dispatcher.go("/exclusions?number=%2B73437200041")
    expect(page.locator("main")).to_contain_text("It is on no list")


def test_a_second_person_decides_with_the_keyboard_alone(open_browser, stack):
    client = stack.client()
    rows = [{"fullName": f"Many {no}", "phones": [f"5{no:04}"]} for no in range(401)]
    prompt = client.add_prompt("many", PROMPT.read_bytes())["id"]
    run = client.start(client.make_task(rows, files=[prompt]))
    client.http.close()
    head = open_browser()
    head.sign_in("head")
    head.go("/approvals")
    assert findings(head) == {}
    assert head.fits()
    head.tab_to(f"#comment-{run}")
    head.page.keyboard.type("the old list")
    head.tab_to("button.danger")
    head.page.keyboard.press("Enter")
    expect(head.page.locator(".notice.good")).to_contain_text("Rejected")
    expect(head.page.locator("main")).to_contain_text("Nothing waits for an approval.")
    head.go(f"/runs/{run}")
    expect(head.page.locator(f"#run-{run}-state")).to_contain_text("head: the old list")


def test_a_run_of_another_user_is_not_found(open_browser, slow_run):
    stranger = open_browser()
    stranger.sign_in("other")
    stranger.go(f"/runs/{slow_run}")
    expect(stranger.page.locator("h1")).to_contain_text("There is no such page")


def test_signing_out_ends_the_session_for_its_copies(open_browser):
    dispatcher, thief = open_browser(), open_browser()
    dispatcher.sign_in()
    thief.context.add_cookies(dispatcher.context.cookies())
    thief.go("/")
    expect(thief.page.locator("#board-runs")).to_be_visible()
    dispatcher.page.click(".menu summary")
    dispatcher.page.click("text=Sign out")
    expect(dispatcher.page.locator("#token")).to_be_visible()
    thief.go("/")
    expect(thief.page.locator("#token")).to_be_visible()
