"""Dates without calls in settings, as clients send them."""

import pytest

API = "/api/v1/notification-settings"
SETTINGS = {"name": "s", "attemptCount": 1, "successCondition": "PICKUP_PHONE"}


async def test_dates_without_calls_are_stored(client):
    answer = await client.post(API, json={**SETTINGS, "excludedDates": ["2027-05-09", "2028-02-29"]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["excludedDates"] == ["2027-05-09", "2028-02-29"]
    again = await client.get(f"{API}/{answer.json()['id']}")
    assert again.json()["excludedDates"] == ["2027-05-09", "2028-02-29"]


@pytest.mark.parametrize(
    "date", ["2027-02-29", "2027-5-9", "20270509", "2027-05-09T00:00:00Z", "9 May", "", 0, None, 1799280000]
)
async def test_what_is_no_date_is_rejected(client, refused, date):
    refused(await client.post(API, json={**SETTINGS, "excludedDates": [date]}), 400, "excludedDates[0]")
