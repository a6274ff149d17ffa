"""The rules of a new notification: what the form says becomes settings, and these are shown in words."""

import json
import re
from datetime import UTC, datetime

import pytest

from cato_client.models import NotificationSettings
from cato_client.models.presets import PRESETS
from cato_console.language.languages import language
from cato_console.views.rules_form import WEEKDAYS, equal, settings_of, values_of
from cato_console.views.rules_text import rules_text
from services.console.tests.fake_api import AUDIO, GROUP, SETTINGS, station

FORM = values_of(PRESETS["announcement"]) | {"preset": "announcement"}
ENGLISH = language("en", "Europe/Moscow")
PATH = f"/new/rules?audio={AUDIO}&group={GROUP}"


@pytest.mark.parametrize("kind", PRESETS)
def test_the_form_of_a_preset_gives_its_rules(kind):
    rules = PRESETS[kind]
    made = settings_of(ENGLISH, values_of(rules) | {"preset": kind})
    for name, value in rules.model_dump(exclude_none=True).items():
        assert made.model_dump()[name] == value, name


async def sent_by(browser, api, **changes):
    """Send the form; return the settings that are stored then."""
    answer = await browser.post(PATH, {name: value for name, value in (FORM | changes).items() if value})
    assert answer.headers["Location"].startswith("/new/check")
    return next(json.loads(body) for body in api.bodies if b"attemptCount" in body)


async def test_keys_and_limits_of_the_form_become_settings(browser, api):
    sent = await sent_by(browser, api, repeat_key="0", opt_out_key="9", calls_a_day="3", gap_min="60")
    assert (sent["repeatKey"], sent["optOutKey"]) == ("0", "9")
    assert sent["contactLimits"] == {
        "limits": [{"maxCalls": 3, "perS": 86_400}],
        "minGapS": 3_600,
        "over": "ALL_TASKS",
    }


async def test_days_zones_and_repetitions_of_the_form_become_settings(browser, api):
    changes = {"SAT": "", "SUN": "", "holidays": "de-by", "own_time": "on", "skip_hopeless": "on"}
    sent = await sent_by(browser, api, **changes, busy_calls="3", busy_min="5")
    assert sent["weekdays"] == ["MON", "TUE", "WED", "THU", "FRI"]
    assert (sent["holidays"], sent["skipHopeless"]) == ("DE-BY", True)
    assert sent["localTime"] == {"detect": ["SUBSCRIBER", "NUMBER"], "whenUnknown": "DEFAULT"}
    (rule,) = sent["retryRules"]
    assert (rule["outcomes"], rule["afterS"], rule["maxAttempts"]) == (["BUSY"], 300, 3)


async def test_without_them_settings_have_none(browser, api):
    sent = await sent_by(browser, api)
    none = {"repeatKey", "optOutKey", "contactLimits", "weekdays", "holidays", "localTime", "retryRules"}
    assert not none & sent.keys()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (dict.fromkeys(WEEKDAYS, ""), "Choose one day of the week at least."),
        ({"busy_calls": "3"}, "Minutes between calls if busy: a whole number is needed."),
        ({"busy_min": "3"}, "Calls in a wave if busy: a whole number is needed."),
        ({"from": "morning"}, "A time of day is needed, such as 08:30."),
    ],
)
async def test_rules_that_make_no_sense_are_refused_by_name(browser, api, changes, said):
    page = await browser.post(PATH, FORM | changes)
    assert page.status_code == 400
    assert said in page.text
    assert api.bodies == []


async def test_a_form_that_is_refused_keeps_its_boxes(browser):
    page = await browser.post(PATH, {**FORM, "waves": "many", "SUN": "", "own_time": "on"})
    boxes = {
        name: f'id="{name}" name="{name}" value="on" checked' in page.text for name in ("SUN", "own_time")
    }
    assert boxes == {"SUN": False, "own_time": True}


async def test_time_number_and_purpose_become_those_of_the_task(browser, api):
    details = {"start_at": "2030-01-02T08:30", "caller_id": "7764", "purpose": "drill", "share_phone": "on"}
    answer = await browser.post(PATH, FORM | details)
    made = json.loads(api.bodies[-1])
    assert datetime.fromisoformat(made["startAt"]) == datetime(2030, 1, 2, 5, 30, tzinfo=UTC)
    assert (made["callerId"], made["purpose"], made["sharePhone"]) == ("7764", "drill", True)
    assert "expiresAt" not in made
    back = answer.headers["Location"].replace("/new/check", "/new/rules")
    page = (await browser.get(back)).text
    assert 'value="2030-01-02T08:30"' in page, "in the zone of the pages"
    assert 'value="drill"' in page


async def test_rules_that_are_stored_are_taken_with_the_time_of_the_form(browser, api):
    await browser.post(PATH, {"chosen": str(SETTINGS), "expires_at": "2030-01-02T08:30"})
    (made,) = api.bodies
    assert json.loads(made)["settings"] == str(SETTINGS)
    assert datetime.fromisoformat(json.loads(made)["expiresAt"]) == datetime(2030, 1, 2, 5, 30, tzinfo=UTC)


async def test_a_time_that_is_none_is_refused_before_anything_is_stored(browser, api):
    page = await browser.post(PATH, FORM | {"start_at": "tomorrow", "purpose": "drill"})
    assert page.status_code == 400
    assert "A day and a time are needed" in page.text
    assert 'value="drill"' in page.text
    assert '<details class="card" open><summary><h2>Time and number' in page.text
    assert '<details class="card"><summary><h2>Keys during the call' in page.text
    assert api.bodies == []


async def test_the_numbers_that_the_stations_allow_can_be_chosen(browser, api):
    assert "Number that people see" not in (await browser.get(PATH)).text
    api.stations = [station(callerIds=["7764", "7765"]), station(callerIds=["7764"]), station()]
    page = (await browser.get(PATH)).text
    choice = page.partition('<select id="caller_id"')[2].partition("</select>")[0]
    assert re.findall(r"<option[^>]*>([^<]*)", choice) == ["That of the station", "7764", "7765"]


async def test_what_the_api_refuses_is_said_and_the_form_keeps_the_rest(browser, api):
    api.failures = [(400, "callerId: no station allows it")]
    page = await browser.post(PATH, FORM | {"caller_id": "1", "SUN": ""})
    assert page.status_code == 400
    assert "callerId: no station allows it" in page.text
    assert "<option selected>1</option>" in page.text
    assert 'name="SUN" value="on" checked' not in page.text


async def test_a_limit_that_is_no_number_is_refused_and_the_form_keeps_it(browser):
    page = await browser.post(PATH, {**FORM, "calls_a_day": "often"})
    assert page.status_code == 400
    assert "Most calls to a number in 24 hours: a whole number is needed." in page.text
    assert 'value="often"' in page.text


def stored(settings, **changes):
    fields = {**settings.model_dump(), "id": AUDIO, "user_id": "u", **changes}
    return NotificationSettings.model_validate(fields)


@pytest.mark.parametrize(
    "name", ["repeat_key", "opt_out_key", "calls_a_day", "own_time", "skip_hopeless", "holidays", "longest_s"]
)
def test_stored_settings_with_another_rule_are_not_taken(name):
    plain = settings_of(ENGLISH, FORM)
    other = settings_of(ENGLISH, {**FORM, name: "2"})
    for wanted, different in ((plain, other), (other, plain)):
        assert not equal(stored(different), wanted)
        assert equal(stored(wanted), wanted)


@pytest.mark.parametrize("rule", [{"excluded_dates": ["2027-05-09"]}, {"time_zone": "Asia/Omsk"}])
def test_stored_settings_with_a_rule_that_the_form_does_not_have_are_not_taken(rule):
    wanted = settings_of(ENGLISH, FORM)
    assert not equal(stored(wanted, **rule), wanted)


def test_rules_that_count_with_another_condition_make_no_difference():
    wanted = settings_of(ENGLISH, FORM)
    assert equal(stored(wanted, confirm_code="7", success_playback_duration_s=9), wanted)


def test_the_check_says_every_rule_in_words():
    changes = {"condition": "PICKUP_AND_CONFIRM", "code": "5", "SAT": "", "SUN": "", "holidays": "RU"}
    changes |= {"own_time": "on", "skip_hopeless": "on", "busy_calls": "2", "busy_min": "1"}
    changes |= {"calls_a_day": "3", "gap_min": "90", "repeat_key": "0", "opt_out_key": "9"}
    made = settings_of(ENGLISH, FORM | changes)
    more = {"excluded_dates": ["2027-05-09", "2027-05-10"], "time_zone": "Asia/Omsk"}
    assert rules_text(ENGLISH, stored(made, **more)) == [
        "Reached: presses a key to confirm (5)",
        "3 waves · 08:00–21:00 · Asia/Omsk · Mon, Tue, Wed, Thu, Fri",
        "No calls on 2 dates and the public holidays of RU.",
        "The hours are those of each person's own time zone.",
        "Some calls are repeated in the same wave, such as those that were busy.",
        "Numbers that do not exist or refuse are left out of later waves.",
        "3 calls to a number in 1 d at most.",
        "1 h 30 min at least between calls to a number.",
        "Key 0: the message again.",
        "Key 9: to be called no more.",
    ]


def test_the_check_says_that_calls_start_at_any_time_of_day():
    made = settings_of(ENGLISH, values_of(PRESETS["warning"]) | {"preset": "warning"})
    assert rules_text(ENGLISH, stored(made)) == [
        "Reached: presses a key to confirm (1)",
        "5 waves · at any time of day",
    ]
