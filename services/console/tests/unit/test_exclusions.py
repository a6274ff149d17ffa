"""Numbers that are not called: found, put on a list, taken off."""

from datetime import UTC, datetime

from services.console.tests.fake_api import LIST, NASTY


async def test_the_first_number_makes_a_list_and_is_found(browser, api):
    assert "There is no list yet" in (await browser.get("/exclusions")).text
    form = {"number": "776401", "list": "", "reason": "asked", "until": "2030-05-09"}
    answer = await browser.post("/exclusions", form)
    assert answer.headers["Location"] == "/exclusions?number=776401&notice=excluded"
    assert api.sent("PUT") == ["/exclusion-lists/add/Do not call"]
    kept = api.exclusions["776401"]
    assert kept["reason"] == "asked"
    assert datetime.fromisoformat(kept["expiresAt"]) == datetime(2030, 5, 8, 21, tzinfo=UTC), "of the pages"
    page = (await browser.get(answer.headers["Location"])).text
    assert "no call to it begins any more" in page
    assert "to be called again from" in page


async def test_the_next_number_is_put_on_the_list_that_is_there(browser, api):
    api.exclusions["776401"] = {"number": "776401"}
    await browser.post("/exclusions", {"number": "776402", "list": str(LIST)})
    assert api.sent("PUT") == [f"/exclusion-lists/{LIST}/numbers/776402"]
    assert api.bodies[-1] == b"{}"


async def test_a_number_is_taken_off(browser, api):
    api.exclusions["776401"] = {"number": "776401"}
    drop = f"/exclusions/{LIST}/drop"
    answer = await browser.post(drop, {"number": "776401"})
    assert answer.headers["Location"] == "/exclusions?notice=readmitted"
    assert api.exclusions == {}
    again = await browser.post(drop, {"number": "776401"})
    assert again.headers["Location"] == "/exclusions?notice=changed"


async def test_what_is_no_number_or_no_day_is_refused_and_the_form_keeps_it(browser, api):
    api.exclusions["776401"] = {"number": "776401"}
    page = await browser.get("/exclusions?number=nobody")
    assert page.status_code == 400
    assert "this is not a telephone number" in page.text
    for form, said in (
        ({"number": "776401", "until": "soon"}, "A day is needed"),
        ({"number": "nobody", "list": str(LIST)}, "this is not a telephone number"),
    ):
        page = await browser.post("/exclusions", {**form, "reason": "moved away"})
        assert page.status_code == 400
        assert said in page.text
        assert 'value="moved away"' in page.text
    assert list(api.exclusions) == ["776401"]


async def test_every_list_is_asked_however_many_there_are(browser, api):
    api.exclusions["776401"] = {"number": "776401"}
    api.more_lists = 150
    api.requests.clear()
    await browser.get("/exclusions?number=776401")
    assert sum(path.endswith("/numbers/776401") for path in api.sent("GET")) == 151


async def test_a_number_says_until_when_and_one_that_has_expired_says_since(browser, api):
    api.exclusions["1"] = {"number": "1", "reason": NASTY, "expiresAt": "2020-01-01T00:00:00Z"}
    page = (await browser.get("/exclusions?number=1")).text
    assert "may be called again since" in page
    assert NASTY not in page
    assert "It is on no list" in (await browser.get("/exclusions?number=2")).text
    assert NASTY not in (await browser.get(f"/exclusions/{LIST}")).text


async def test_who_only_reads_sees_the_lists_and_changes_nothing(open_browser, api):
    api.exclusions["776401"] = {"number": "776401"}
    browser = open_browser()
    await browser.sign_in("reader")
    page = (await browser.get("/exclusions?number=776401")).text
    assert "opt-out" in page
    assert "Take off the list" not in page
    assert "Put on the list" not in page
    refused = await browser.post("/exclusions", {"number": "1"})
    assert refused.status_code == 403
