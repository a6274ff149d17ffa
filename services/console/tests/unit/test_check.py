"""The check before the start: its page never waits for it, and a start is for the numbers that were seen."""

import asyncio
import html
import json
import re
from dataclasses import dataclass

import pytest

from cato_client import AsyncClient, UnauthorizedError
from cato_console.live.checks import Checks
from services.console.tests.fake_api import TASK, FakeApi, task_check
from services.console.tests.unit.test_pages import CHOSEN

CHECK = f"/new/check?{CHOSEN}"
pytestmark = pytest.mark.timeout(60)


def seen_on(page):
    """Return what the form for the start says about the check."""
    return re.search(r'name="seen" value="([^"]+)"', page.text)[1]


def checks_of(api):
    return sum(path == f"/tasks/{TASK}/check" for path in api.sent("POST"))


def live_on(page):
    """Return the address that keeps the page up to date; None: nothing follows."""
    found = re.search(r'<body data-live="([^"]+)"', page.text)
    return found and html.unescape(found[1])


@dataclass
class SlowCheck:
    """The check of a list that takes long, between `begin` and `end`."""

    api: FakeApi
    checks: Checks
    patience_s: float = 60

    def begin(self):
        self.api.counted.clear()
        self.checks.patience_s = 0

    def end(self):
        self.api.counted.set()
        self.checks.patience_s = self.patience_s


@pytest.fixture
def slow_check(api, deps):
    return SlowCheck(api, deps.checks)


async def events(browser, address):
    """Return the parts of a page, and the end of its stream."""
    text = (await browser.get(address)).text
    return [(name, json.loads(data)) for name, data in re.findall(r"event: (parts|over)\ndata: (.*)\n", text)]


async def test_the_check_says_what_the_api_says_before_the_start(browser):
    page = (await browser.get(CHECK)).text
    for words in ("300 people", "412 numbers", "2 people are on the list more than once", "1 number looks"):
        assert words in page
    assert "2 min 5 s at least, 1 h 6 min at most" in page
    assert "the calls begin when these do" in page


async def test_typing_the_number_of_people_starts(browser, api):
    form = {"seen": seen_on(await browser.get(CHECK)), "once": "the-form-1", "name": "Spring"}
    refused = await browser.post(CHECK, {**form, "people": "299"})
    assert refused.status_code == 400
    assert "Type 300 to start" in refused.text
    assert api.started == {}
    started = await browser.post(CHECK, {**form, "people": "300"})
    assert started.headers["Location"].startswith("/runs/")
    assert api.task["name"] == "Spring"
    assert list(api.started) == ["console-the-form-1"]


async def test_a_test_call_leads_back_to_the_check(browser, api):
    answer = await browser.post(CHECK, {"number": "776401", "once": "the-form-2"})
    assert api.bodies[-1] == b'{"number": "776401"}'
    page = (await browser.get(answer.headers["Location"])).text
    assert "The telephone rings in a moment." in page


async def test_the_check_says_when_it_begins_and_what_is_special(browser, api):
    assert "Time and number" not in (await browser.get(CHECK)).text
    api.task |= {"startAt": "2030-01-02T05:30:00Z", "expiresAt": "2030-01-03T05:30:00Z", "purpose": "drill"}
    api.task |= {"callerId": "7764", "sharePhone": True}
    page = (await browser.get(CHECK)).text
    for words in (
        "No calls before 2 Jan 2030 08:30",
        "No calls after 3 Jan 2030 08:30",
        "People see the number 7764.",
        "Purpose: drill",
        "People with the same numbers share their calls.",
        "Start: calls begin 2 Jan 2030 08:30",
    ):
        assert words in page
    assert "Start calling now" not in page


async def test_without_channels_the_check_says_who_can_help(browser, api):
    nothing = {"code": "no-channels", "message": "no channels are configured or licensed"}
    api.task_check = task_check(shortestS=None, longestS=None, channels=0, warnings=[nothing])
    page = (await browser.get(CHECK)).text
    assert "the operator has to configure a station" in page


async def test_the_page_does_not_wait_for_the_check_and_its_numbers_follow(browser, api, slow_check):
    slow_check.begin()
    page = await browser.get(CHECK)
    assert page.status_code == 200
    assert "The list is being counted" in page.text
    assert "Start calling now" not in page.text
    following = asyncio.create_task(events(browser, live_on(page)))
    again = await browser.get(CHECK)
    assert live_on(again) == live_on(page)
    slow_check.end()
    (_, parts), over = await following
    assert "300 people" in parts["check-people"]
    assert "2 min 5 s at least" in parts["check-duration"]
    assert "the calls begin when these do" in parts["check-warnings"]
    assert "Start calling now" in parts["check-start"]
    assert over == ("over", {"reload": False})
    assert checks_of(api) == 1
    seen = re.search(r'name="seen" value="([^"]+)"', parts["check-start"])[1]
    started = await browser.post(CHECK, {"people": "300", "once": "the-form-3", "seen": seen})
    assert started.headers["Location"].startswith("/runs/")


async def test_without_the_script_a_person_looks_again(browser, api, slow_check):
    slow_check.begin()
    assert ">Look again</a>" in (await browser.get(CHECK)).text
    slow_check.end()
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name().startswith("check ")))
    page = await browser.get(CHECK)
    assert "300 people" in page.text
    assert live_on(page) is None
    assert checks_of(api) == 1


async def test_a_start_asks_for_no_check(browser, api):
    page = await browser.get(CHECK)
    await browser.post(CHECK, {"people": "300", "once": "the-form-4", "seen": seen_on(page)})
    assert len(api.started) == 1
    assert checks_of(api) == 1


async def test_a_list_that_has_changed_since_the_check_is_not_called(browser, api):
    form = {"people": "300", "once": "the-form-5", "seen": seen_on(await browser.get(CHECK))}
    api.group_version += 1
    api.task_check = task_check(subscribers=301)
    refused = await browser.post(CHECK, form)
    assert refused.status_code == 400
    assert "The people or the rules have changed" in refused.text
    assert "Type 301 to start" in refused.text
    assert api.started == {}
    form |= {"people": "301", "seen": seen_on(refused)}
    assert (await browser.post(CHECK, form)).status_code == 303


@pytest.mark.parametrize("seen", [None, "", "300", ".300", "x.300"])
async def test_a_form_that_has_seen_no_check_starts_nothing(browser, api, seen):
    form = {"people": "300", "once": "the-form-6"} | ({} if seen is None else {"seen": seen})
    assert (await browser.post(CHECK, form)).status_code == 400
    assert api.started == {}


async def test_the_page_says_why_a_list_cannot_be_checked(browser, api, slow_check):
    slow_check.begin()
    page = await browser.get(CHECK)
    # A check that has failed is asked for once more: the token may have been that of another person.
    api.failures += [(409, "the task cannot be started: the list of a group is missing")] * 2
    slow_check.end()
    (_, parts), over = await events(browser, live_on(page))
    assert "the list of a group is missing" in parts["check-warnings"]
    assert "Start calling now" not in parts["check-start"]
    assert over == ("over", {"reload": False})


async def test_a_name_that_was_typed_is_kept_while_the_check_goes_on(browser, slow_check):
    slow_check.begin()
    page = await browser.post(CHECK, {"people": "1", "name": "Spring & flood", "seen": "x"})
    slow_check.end()
    (_, parts), _ = await events(browser, live_on(page))
    assert 'value="Spring &amp; flood"' in parts["check-start"]


async def test_a_task_with_another_name_keeps_the_fields_that_no_page_shows(browser, api):
    api.task |= {"priority": 7, "callerId": "+73432000000"}
    page = await browser.get(CHECK)
    form = {"people": "300", "once": "the-form-7", "seen": seen_on(page), "name": "Spring flood"}
    assert (await browser.post(CHECK, form)).status_code == 303
    sent = json.loads(api.bodies[-2])
    assert (sent["name"], sent["priority"], sent["callerId"]) == ("Spring flood", 7, "+73432000000")


class Asked:
    """The API, the checks, and a clock."""

    def __init__(self):
        self.api = FakeApi()
        self.now = 0.0
        self.checks = Checks(clock=lambda: self.now, patience_s=60)

    async def look(self, token="all", version="1"):
        async with AsyncClient("http://api.test", token, transport=self.api.transport()) as client:
            return await self.checks.soon(client, TASK, version)


async def test_a_check_that_was_shown_is_asked_for_again_after_five_seconds():
    asked = Asked()
    await asyncio.gather(*(asked.look() for _ in range(4)))
    asked.now += 4.9
    await asked.look()
    assert checks_of(asked.api) == 1
    asked.now += 0.2
    await asked.look()
    assert checks_of(asked.api) == 2


async def test_a_check_of_another_version_is_another_one():
    asked = Asked()
    await asked.look()
    await asked.look(version="2")
    assert checks_of(asked.api) == 2


async def test_a_check_with_a_token_that_is_refused_is_no_reason_for_others():
    asked = Asked()
    refused, other = await asyncio.gather(asked.look("withdrawn"), asked.look(), return_exceptions=True)
    assert isinstance(refused, UnauthorizedError)
    assert other.subscribers == 300
