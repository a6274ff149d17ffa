"""The subscribers of an execution: in pages with a search, or as a file."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from cato_contracts.api.exports import (
    BeginSubscriberExport,
    ExportDialect,
    ExportFormat,
    ListRunSubscribers,
    SubscriberRecord,
)
from cato_contracts.api.rules.invalid_numbers import InvalidNumber
from cato_contracts.api.status import SubscriberFilter

API = "/api/v1"


def record(name: str, *, notified: bool = False, reason: str | None = "busy") -> SubscriberRecord:
    return SubscriberRecord(
        subscriber_id=uuid4(),
        full_name=name,
        phones=["776413"],
        emails=[],
        attributes={},
        notified=notified,
        reason=reason,
        wave=1,
        number="776413",
        calls=1,
        last_call_at=None,
    )


@pytest.fixture
def people(stack):
    found = [record("Anna", notified=True, reason="answered"), record("Ivan"), record("Ольга", reason=None)]
    stack.services.history.run_subscribers = found
    return found


@pytest.fixture
def path(ids):
    return f"{API}/task-execs/{ids['exec']}/subscribers"


async def test_subscribers_come_in_pages(client, path, people):
    first = (await client.get(path, params={"limit": 2})).json()
    rest = (await client.get(path, params={"limit": 2, "cursor": first["nextCursor"]})).json()
    assert [each["fullName"] for each in first["items"] + rest["items"]] == ["Anna", "Ivan", "Ольга"]
    assert first["items"][1] == {
        "subscriberId": str(people[1].subscriber_id),
        "fullName": "Ivan",
        "phones": ["776413"],
        "emails": [],
        "attributes": {},
        "notified": False,
        "reason": "busy",
        "wave": 1,
        "number": "776413",
        "calls": 1,
        "lastCallAt": None,
    }
    assert rest["nextCursor"] is None


async def test_every_condition_is_passed_on(client, stack, path, people):
    answer = await client.get(
        path, params={"filter": "unreached", "name": "ivan", "number": "77-64-13", "reason": "busy"}
    )
    assert [each["fullName"] for each in answer.json()["items"]] == ["Ivan"]
    query = stack.services.asked[-1].body
    assert isinstance(query, ListRunSubscribers)
    assert (query.filter, query.number) == (SubscriberFilter.UNREACHED, "776413")


@pytest.mark.parametrize(
    ("query", "form", "dialect"),
    [
        ("format=csv", ExportFormat.CSV, ExportDialect.STANDARD),
        ("format=csv&dialect=excel", ExportFormat.CSV, ExportDialect.EXCEL),
        ("format=xlsx", ExportFormat.XLSX, ExportDialect.STANDARD),
    ],
)
async def test_all_of_a_filter_come_as_a_file(client, stack, ids, path, people, query, form, dialect):
    answer = await client.get(f"{path}?filter=failed&{query}")
    assert answer.status_code == 200
    begun = next(each.body for each in stack.services.asked if isinstance(each.body, BeginSubscriberExport))
    assert (begun.filter, begun.format, begun.dialect) == (SubscriberFilter.FAILED, form, dialect)
    named = f'attachment; filename="subscribers-failed-{ids["exec"]}.{form}"'
    assert answer.headers["content-disposition"] == named


@pytest.mark.parametrize(
    "query",
    [
        "filter=some",
        "name=%20",
        "number=x",
        "reason=Busy!",
        "limit=0",
        "format=parquet",
        "dialect=excel",
        "format=xlsx&dialect=excel",
        "format=csv&name=ivan",
        "format=csv&cursor=5",
        "format=csv&reason=busy",
        "format=csv&number=1",
        "subscribers=all",
    ],
)
async def test_wrong_parameters_are_refused(client, refused, path, query):
    refused(await client.get(f"{path}?{query}"), 400)


async def test_another_users_execution_is_not_found(stack, refused, path):
    async with stack.client("stranger") as client:
        for query in ("", "?format=csv"):
            refused(await client.get(f"{path}{query}"), 404)


async def test_invalid_numbers_come_in_pages(client, stack, ids):
    stack.services.history.invalid_numbers = [
        InvalidNumber(
            number=number,
            subscriber_id=None,
            full_name="",
            reason="not-found",
            sip_code=404,
            called_at=datetime(2024, 3, 24, 7, 45, 11, tzinfo=UTC),
        )
        for number in ("776413", "776414")
    ]
    path = f"{API}/task-execs/{ids['exec']}/invalid-numbers"
    first = (await client.get(path, params={"limit": 1})).json()
    assert first["items"] == [
        {
            "number": "776413",
            "subscriberId": None,
            "fullName": "",
            "reason": "not-found",
            "sipCode": 404,
            "calledAt": "2024-03-24T07:45:11Z",
        }
    ]
    rest = (await client.get(path, params={"cursor": first["nextCursor"]})).json()
    assert [each["number"] for each in rest["items"]] == ["776414"]
    assert rest["nextCursor"] is None
    assert (await client.get(f"{API}/task-execs/{uuid4()}/invalid-numbers")).status_code == 404
