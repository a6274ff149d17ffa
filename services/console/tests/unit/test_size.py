"""A list may have 100,000 people: a page asks for some of them, and shows no more."""

import re
from urllib.parse import parse_qs

import pytest

from services.console.tests.fake_api import RUN, execution, person
from services.console.tests.unit.test_pages import PAGES

PEOPLE = 100_000
MOST_ROWS = 60
MOST_BYTES = 150_000
MOST_ASKED = 100


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_of_a_large_list_is_no_larger_than_any_other(browser, api, path):
    api.runs = [execution(subscriberCount=PEOPLE, subscriberNotYetNotified=PEOPLE)] * 20
    api.people = [person(number) for number in range(2_000)]
    api.requests.clear()
    page = await browser.get(path)
    assert page.status_code == 200
    assert len(page.content) < MOST_BYTES
    assert page.text.count("<tr") <= MOST_ROWS
    for request in api.requests:
        limit = int(request.url.params.get("limit", 0))
        assert limit <= MOST_ASKED
        if request.url.path.endswith(f"/task-execs/{RUN}"):
            assert request.url.params["subscribers"] == "none"


async def test_the_people_of_an_execution_come_in_pages(browser, api):
    api.people = [person(number) for number in range(120)]
    seen, path = [], f"/runs/{RUN}?which=all"
    for wanted in (50, 50, 20):
        text = (await browser.get(path)).text
        names = re.findall(r"Person \d+", text.partition('class="wide-table people"')[2])
        assert len(names) == wanted
        seen += names
        following = re.search(r'href="([^"]*cursor=[^"#]+)[^"]*">Next page', text)
        path = following[1].replace("&amp;", "&") if following else ""
        assert not following or "which" in parse_qs(path.partition("?")[2])
    assert path == ""
    assert len(set(seen)) == 120
