"""The list of a new notification: what its columns mean."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from services.console.tests.fake_api import AUDIO

UPLOAD = f"/new/people?audio={AUDIO}"
HEADERS = {"Кто": "fullName", "Тел., моб.": "phones", "Пояс": "attributes", "Согласен": "attributes"}


@pytest.fixture
async def draft(browser, api):
    """The address of a list that was uploaded, and that the API has understood."""
    api.check = {
        "subscriberCount": 1,
        "faultCount": 0,
        "faults": [],
        "columns": [{"header": header, "meaning": meaning} for header, meaning in HEADERS.items()],
        "duplicates": {"persons": 0, "numbers": 0},
        "subscribers": [{"fullName": "А", "phones": ["1"], "emails": []}],
    }
    table = ("people.csv", ";".join(HEADERS) + "\nА;1;Asia/Omsk;form 11\n", "text/csv")
    answer = await browser.post(UPLOAD, files={"file": table})
    return answer.headers["Location"]


async def test_every_column_has_its_meaning_and_the_others_to_choose_from(browser, draft):
    page = (await browser.get(draft)).text
    chosen = re.findall(r'<option value="(\w+)" selected>', page)
    assert chosen == ["fullName", "phones"]
    for words in ("Telephone", "Time zone", "Consent"):
        assert page.count(f">{words}</option>") == len(HEADERS)


async def test_the_meanings_that_were_chosen_are_asked_of_the_api(browser, api, draft):
    meanings = ["fullName", "phones", "timeZone", "consent"]
    form = {"do": "columns", "header": list(HEADERS), "meaning": meanings}
    answer = await browser.post(draft, form)
    api.requests.clear()
    await browser.get(answer.headers["Location"])
    (asked,) = (request.url.params["columns"] for request in api.requests if request.method == "PUT")
    assert asked == "fullName:Кто,phones:Тел., моб.,timeZone:Пояс,consent:Согласен"
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["audio"] == [str(AUDIO)]
