"""The page of what waits for an approval, and the decisions on it."""

import json
from urllib.parse import parse_qs

import pytest

from services.console.tests.fake_api import NASTY, RUN, approval, execution


@pytest.fixture
def waiting(api):
    """An execution of another user that waits."""
    api.runs = [{**execution(state="WAITING", name=f"Flood {NASTY}"), "approval": approval()}]
    return api


@pytest.mark.parametrize("verb", ["approve", "reject"])
async def test_a_second_person_decides_with_a_comment(open_browser, waiting, verb):
    browser = open_browser()
    await browser.sign_in("head")
    page = (await browser.get("/approvals")).text
    assert "300 people would be called." in page
    assert "Started by dispatcher" in page
    assert f'action="/runs/{RUN}/approve"' in page
    assert f'formaction="/runs/{RUN}/reject"' in page
    assert NASTY not in page
    answer = await browser.post(f"/runs/{RUN}/{verb}", {"comment": "seen"})
    notice = "approved" if verb == "approve" else "rejected"
    assert answer.headers["Location"] == f"/approvals?notice={notice}"
    assert waiting.sent("POST") == [f"/task-execs/{RUN}/{verb}"]
    assert json.loads(waiting.bodies[-1]) == {"comment": "seen"}


async def test_who_has_started_it_is_not_asked(open_browser, waiting):
    waiting.runs[0]["approval"] = approval(by="head")
    browser = open_browser()
    await browser.sign_in("head")
    page = (await browser.get("/approvals")).text
    assert "You have started it: another person decides." in page
    assert "/approve" not in page.replace("/approvals", "")


@pytest.mark.parametrize(("by", "controls"), [("dispatcher", False), ("head", True)])
async def test_only_who_has_started_what_waits_can_stop_it(open_browser, waiting, by, controls):
    waiting.runs[0]["approval"] = approval(by=by)
    browser = open_browser()
    await browser.sign_in("head")
    page = (await browser.get(f"/runs/{RUN}")).text
    assert (f'href="/runs/{RUN}/stop"' in page) is controls


async def test_a_decision_that_comes_too_late_shows_what_waits_now(open_browser, waiting):
    browser = open_browser()
    await browser.sign_in("head")
    waiting.failures = [(409, "the taskExec is approved already")]
    answer = await browser.post(f"/runs/{RUN}/approve")
    assert parse_qs(answer.headers["Location"].partition("?")[2]) == {"notice": ["changed"]}


async def test_only_those_who_may_approve_are_led_to_the_page(open_browser, waiting):
    for token, led in (("all", False), ("head", True)):
        browser = open_browser()
        await browser.sign_in(token)
        page = (await browser.get(f"/runs/{RUN}")).text
        assert "Nobody is called until a second person has approved it." in page
        assert ('href="/approvals"' in page) is led


@pytest.mark.parametrize(
    ("reason", "words"),
    [("REJECTED", "A second person has rejected it"), ("APPROVAL_EXPIRED", "No second person has approved")],
)
async def test_an_execution_without_approval_says_so(browser, api, reason, words):
    ended = execution(state="STOPPED", activePhase=False, endReason=reason)
    decided = {**approval("REJECTED"), "by": "head", "comment": "the old list"}
    api.runs = [{**ended, "approval": decided}]
    page = (await browser.get(f"/runs/{RUN}")).text
    assert words in page
    assert "head: the old list" in page
