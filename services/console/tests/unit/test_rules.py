"""The rules of a new notification: keys of called persons, and limits of contacts."""

import json

import pytest

from cato_client.models import NotificationSettings
from cato_console.language.languages import language
from cato_console.views import presets
from services.console.tests.fake_api import AUDIO, GROUP

FORM = dict.fromkeys(presets.FIELDS, "") | dict(presets.PRESETS[1].values) | {"preset": "announcement"}
PATH = f"/new/rules?audio={AUDIO}&group={GROUP}"


async def test_keys_and_limits_of_the_form_become_settings(browser, api):
    more = {"repeat_key": "0", "opt_out_key": "9", "calls_a_day": "3", "gap_min": "60"}
    answer = await browser.post(PATH, {**FORM, **more})
    assert answer.headers["Location"].startswith("/new/check")
    sent = next(json.loads(body) for body in api.bodies if b"attemptCount" in body)
    assert (sent["repeatKey"], sent["optOutKey"]) == ("0", "9")
    assert sent["contactLimits"] == {
        "limits": [{"maxCalls": 3, "perS": 86_400}],
        "minGapS": 3_600,
        "over": "ALL_TASKS",
    }


async def test_without_them_settings_have_none(browser, api):
    await browser.post(PATH, FORM)
    sent = next(json.loads(body) for body in api.bodies if b"attemptCount" in body)
    assert not {"repeatKey", "optOutKey", "contactLimits"} & sent.keys()


async def test_a_limit_that_is_no_number_is_refused_and_the_form_keeps_it(browser):
    page = await browser.post(PATH, {**FORM, "calls_a_day": "often"})
    assert page.status_code == 400
    assert "Most calls to a number in 24 hours: a whole number is needed." in page.text
    assert 'value="often"' in page.text


@pytest.mark.parametrize("name", ["repeat_key", "opt_out_key", "calls_a_day"])
def test_stored_settings_with_another_key_or_limit_are_not_taken(name):
    spoken = language("en", "Europe/Moscow")
    plain = presets.settings_of(spoken, FORM)
    keyed = presets.settings_of(spoken, {**FORM, name: "2"})
    for wanted, other in ((plain, keyed), (keyed, plain)):
        stored = {**other.model_dump(), "id": AUDIO, "user_id": "u"}
        assert not presets.equal(NotificationSettings.model_validate(stored), wanted)
        own = {**wanted.model_dump(), "id": AUDIO, "user_id": "u"}
        assert presets.equal(NotificationSettings.model_validate(own), wanted)
