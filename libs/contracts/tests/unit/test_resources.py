from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from cato_contracts.api.resources import SettingsSpec, Subscriber, TaskSpec, normalised_phone
from cato_contracts.ids import derived_id, time_ordered_id

SETTINGS = {"name": "p", "attemptCount": 2, "successCondition": "PICKUP_PHONE"}


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("776429", "776429"),
        ("+7 (343) 210-69-51", "+73432106951"),
        ("*21#", "*21#"),
        ("8 800 555 35 35", "88005553535"),
    ],
)
def test_punctuation_is_removed_from_numbers(written, dialled):
    assert normalised_phone(written) == dialled


@pytest.mark.parametrize("written", ["", " ", "abc", "12a", "+", "+*21#", "1+2", "1" * 33, "sip:1@x", "٣٤٥"])
def test_invalid_numbers_are_rejected(written):
    with pytest.raises(ValueError, match="telephone number"):
        normalised_phone(written)


def test_one_or_many_phones_and_empty_emails_are_accepted():
    one = Subscriber.model_validate({"fullName": "Ivan", "phones": "776429", "emails": ""})
    assert (one.phones, one.emails) == (["776429"], [])
    many = Subscriber.model_validate({"fullName": "Olga", "phones": ["1", "2", "1 "], "emails": "a@b"})
    assert (many.phones, many.emails) == (["1", "2"], ["a@b"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"fullName": "", "phones": "1"},
        {"fullName": "  ", "phones": "1"},
        {"fullName": "x", "phones": ""},
        {"fullName": "x", "phones": []},
        {"fullName": "x", "phones": 1},
        {"fullName": "x", "phones": "1", "age": 3},
        {"phones": "1"},
    ],
)
def test_an_invalid_subscriber_is_rejected(wrong):
    with pytest.raises(ValidationError):
        Subscriber.model_validate(wrong)


@pytest.mark.parametrize(
    ("field", "lowest", "highest"),
    [
        ("attemptCount", 1, 100),
        ("attemptDelayS", 0, 604_800),
        ("successPlaybackDurationS", 0, 3_600),
        ("maxCallDurationS", 1, 7_200),
        ("maxAnswerDelayS", 0, 300),
        ("repeatCount", 1, 10),
    ],
)
def test_settings_out_of_bounds_are_rejected(field, lowest, highest):
    for value in (lowest, highest):
        SettingsSpec.model_validate({**SETTINGS, field: value})
    for value in (lowest - 1, highest + 1, "many", 1.5, None):
        with pytest.raises(ValidationError):
            SettingsSpec.model_validate({**SETTINGS, field: value})


def test_listen_some_requires_a_duration():
    wrong = {**SETTINGS, "successCondition": "PICKUP_AND_LISTEN_SOME"}
    with pytest.raises(ValidationError, match="successPlaybackDurationS"):
        SettingsSpec.model_validate(wrong)
    SettingsSpec.model_validate({**wrong, "successPlaybackDurationS": 0})


def test_hour_24_is_midnight():
    window = {"fromHour": 8, "fromMin": 0, "tillHour": 24, "tillMin": 0}
    settings = SettingsSpec.model_validate({**SETTINGS, "timeRestrictions": window})
    assert settings.time_restrictions is not None
    assert (settings.time_restrictions.till_hour, settings.time_restrictions.till_min) == (0, 0)
    with pytest.raises(ValidationError):
        SettingsSpec.model_validate({**SETTINGS, "timeRestrictions": {**window, "tillMin": 1}})


def test_one_file_and_many_groups_make_a_task():
    some_id = "a88a6210-5434-4ee6-886a-7e43f0beeb4f"
    task = TaskSpec.model_validate(
        {"name": "t", "settings": some_id, "files": some_id, "groups": [some_id, some_id]}
    )
    assert [str(file) for file in task.files] == [some_id]
    assert len(task.groups) == 1


def test_run_ids_are_in_the_order_of_time_and_derived_ids_are_always_the_same():
    now = datetime(2026, 11, 23, tzinfo=UTC)
    ids = [time_ordered_id(now + timedelta(milliseconds=n)) for n in range(100)]
    assert ids == sorted(ids)
    assert {one.version for one in ids} == {7}
    assert derived_id("a", 1) == derived_id("a", "1")
    assert derived_id("a", 1) != derived_id("a1")
