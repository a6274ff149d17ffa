"""Every page, in both languages, with the API answering and not answering."""

import pytest

from services.console.tests.fake_api import (
    AUDIO,
    GROUP,
    LIST,
    RUN,
    SETTINGS,
    TASK,
    execution,
    person,
    station,
)

CHOSEN = f"audio={AUDIO}&group={GROUP}&settings={SETTINGS}&task={TASK}"
PAGES = [
    "/",
    "/runs",
    f"/runs/{RUN}",
    f"/runs/{RUN}?which=all&q=person",
    f"/runs/{RUN}/person?number=776401",
    f"/runs/{RUN}/stop",
    f"/runs/{RUN}/repeat",
    "/new/message",
    f"/new/message?{CHOSEN}",
    f"/new/people?{CHOSEN}",
    f"/new/rules?{CHOSEN}&preset=reminder",
    f"/new/check?{CHOSEN}",
    "/approvals",
    "/search",
    "/search?q=776401",
    "/search?q=person",
    "/exclusions",
    "/exclusions?number=776401",
    f"/exclusions/{LIST}",
    "/statistics",
    "/statistics?by=station&period=month",
    "/statistics?by=reason",
    "/statistics?by=sipCode",
]


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_shown_in_the_language_of_the_browser(open_browser, language, path):
    browser = open_browser(**{"Accept-Language": language})
    await browser.sign_in()
    page = await browser.get(path)
    assert page.status_code == 200, page.text
    assert f'<html lang="{language}"' in page.text
    assert ("Пульт" in page.text) is (language == "ru")


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_without_a_session_leads_to_the_sign_in_and_back(open_browser, path):
    answer = await open_browser().get(path)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in?next=/")


async def test_a_page_without_the_api_says_so_and_tries_again(browser, api):
    api.down = True
    page = await browser.get("/")
    assert (page.status_code, page.headers["Refresh"]) == (503, "5")
    assert "The system does not answer" in page.text


async def test_only_what_the_token_allows_is_shown(open_browser):
    browser = open_browser()
    await browser.sign_in("reader")
    page = (await browser.get("/")).text
    assert "New notification" not in page
    assert "/pause" not in page
    assert "Flood" in page


async def test_the_language_and_the_colours_are_kept(browser):
    await browser.post("/language", {"value": "ru", "next": "/search"})
    answer = await browser.post("/theme", {"value": "dark", "next": "/search"})
    assert answer.headers["Location"] == "/search"
    page = (await browser.get("/search")).text
    assert 'lang="ru" data-theme="dark"' in page


async def test_the_board_says_what_is_wrong_and_what_to_do(browser, api):
    api.runs = [execution(state="STATION_DOWN")]
    api.stations = [station(state="DOWN")]
    page = (await browser.get("/")).text
    assert "Flood: no station responds" in page
    assert "Station exchange does not respond" in page
    assert "Call whoever looks after the telephone exchange." in page


async def test_the_end_of_a_run_says_how_many_were_not_reached(browser, api):
    api.runs = [execution(state="FINISHED", activePhase=False, endReason=None)]
    page = (await browser.get(f"/runs/{RUN}")).text
    assert "87 people were not reached" in page
    assert f'href="/runs/{RUN}/repeat"' in page
    assert "data-live=" not in page.split("<main")[0].split("<body")[1]


@pytest.mark.parametrize(
    ("chosen", "step"),
    [("", "message"), (f"audio={AUDIO}", "people"), (f"audio={AUDIO}&group={GROUP}", "rules")],
)
async def test_the_check_leads_to_the_step_that_is_missing(browser, chosen, step):
    answer = await browser.get(f"/new/check?{chosen}")
    assert answer.headers["Location"].startswith(f"/new/{step}")


async def test_rules_make_a_task_for_the_check(browser, api):
    answer = await browser.post(f"/new/rules?audio={AUDIO}&group={GROUP}", {"chosen": str(SETTINGS)})
    assert f"task={TASK}" in answer.headers["Location"]
    assert api.task["groups"] == [str(GROUP)]
    assert api.started == {}


async def test_a_page_does_not_wait_for_charts_that_take_long(browser, api, deps):
    api.runs = [execution(state="FINISHED", activePhase=False, endReason=None)]
    api.statistics.clear()
    page = (await browser.get(f"/runs/{RUN}")).text
    assert "The calls are being counted" in page
    assert f'data-live="/live/runs/{RUN}"' in page
    assert "Person 1" in page
    api.statistics.set()
    await deps.charts.of(deps.clients.of("all"), RUN, over=True)
    page = (await browser.get(f"/runs/{RUN}")).text
    assert "Calls by wave" in page
    assert "data-live=" not in page


async def test_a_number_of_nobody_on_the_list_is_not_found(browser, api):
    api.people = [person(1)]
    other = f"/runs/{RUN}/person?number=776401&subscriber={RUN}"
    assert (await browser.get(other)).status_code == 404
    assert (await browser.get(f"/runs/{RUN}/person")).status_code == 404


@pytest.mark.parametrize("path", ["/no-such-page", "/runs/not-an-id", "/static/../settings.py"])
async def test_an_unknown_address_has_a_page_with_a_way_out(browser, path):
    page = await browser.get(path)
    assert page.status_code == 404
    assert 'href="/"' in page.text


async def test_a_run_says_how_soon_people_were_reached(browser, api):
    api.runs = [execution(t50=95, t90=600)]
    told = "Half of those reached were reached within 1 min 35 s, nine of ten within 10 min."
    assert told in (await browser.get(f"/runs/{RUN}")).text
    assert "Half of those" not in (await browser.get("/")).text
