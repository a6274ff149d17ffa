"""Lists as people have them: workbooks, code pages, further columns; faults, warnings and dry runs."""

import csv
import io

import pytest

from cato_contracts.errors import OverloadedError
from cato_contracts.objects import Bucket
from cato_gateway.http import bodies
from tests.support.lists.workbooks import workbook

API = "/api/v1/subscriber-groups"
CSV = {"Content-Type": "text/csv"}
TABLE = "ФИО;Телефон;Адрес\r\nИванов;8 (916) 123-45-67;ул. Ленина\r\nПетрова;84951234567;\r\n"
PEOPLE = [
    {"fullName": "Иванов", "phones": ["89161234567"], "emails": [], "attributes": {"Адрес": "ул. Ленина"}},
    {"fullName": "Петрова", "phones": ["84951234567"], "emails": []},
]


async def add(client, content, media_type="text/csv", **parameters):
    headers = {"Content-Type": media_type}
    return await client.put(f"{API}/add/town", content=content, headers=headers, params=parameters)


async def stored(client, group):
    answer = await client.get(f"{API}/{group}/subscribers")
    return [{name: value for name, value in one.items() if name != "id"} for one in answer.json()["items"]]


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (TABLE.encode("windows-1251"), "text/csv"),
        (TABLE.encode("windows-1251"), "text/csv; charset=windows-1251"),
        (TABLE.encode("koi8-r"), 'text/csv; header=present; charset="KOI8-R"'),
        (TABLE.encode("utf-16"), "text/csv"),
        (TABLE.encode("utf-8-sig"), "text/csv; charset=utf-8"),
        (TABLE.replace(";", "\t").encode("utf-16"), bodies.TABS),
        (
            workbook([line.split(";") for line in TABLE.splitlines()]),
            bodies.XLSX,
        ),
    ],
)
async def test_tables_of_spreadsheets_are_stored_with_their_further_columns_l2(client, content, media_type):
    answer = await add(client, content, media_type)
    assert answer.status_code == 200, answer.text
    assert answer.json()["subscriberCount"] == 2
    assert not answer.json().keys() & {"warnings", "duplicates"}
    group = answer.json()["id"]
    assert await stored(client, group) == PEOPLE
    exported = (await client.get(f"{API}/{group}/subscribers", params={"format": "csv"})).text
    assert list(csv.reader(io.StringIO(exported))) == [
        ["fullName", "phones", "emails", "Адрес"],
        ["Иванов", "89161234567", "", "ул. Ленина"],
        ["Петрова", "84951234567", "", ""],
    ]
    again = await client.put(f"{API}/{group}", content=exported.encode(), headers=CSV)
    assert again.status_code == 200
    assert await stored(client, group) == PEOPLE


async def test_a_file_for_excel_can_be_sent_back_l2(client):
    odd = "ФИО;Телефон;Прим.;Consent\n=А;+74951234567;-1;=form\nБ;810440123456789;@x;\n"
    group = (await add(client, odd.encode())).json()["id"]
    people = await stored(client, group)
    assert [person.get("consent") for person in people] == ["=form", None]
    for parameters, media_type in (
        ({"format": "csv", "dialect": "excel"}, "text/csv"),
        ({"format": "csv"}, "text/csv"),
        ({"format": "xlsx"}, bodies.XLSX),
    ):
        file = (await client.get(f"{API}/{group}/subscribers", params=parameters)).content
        again = await client.put(f"{API}/{group}", content=file, headers={"Content-Type": media_type})
        assert again.status_code == 200, again.text
        assert await stored(client, group) == people


async def test_a_charset_that_is_not_known_is_refused_l2(client, refused):
    refused(await add(client, TABLE.encode(), "text/csv; charset=klingon"), 415, "klingon")
    refused(await add(client, TABLE.encode(), "text/csv; charset=unicode_escape"), 415)
    wrong = TABLE.encode("windows-1251")
    refused(await add(client, wrong, "text/csv; charset=utf-8"), 400, "not in UTF-8: byte 0")
    refused(await add(client, b"no workbook", bodies.XLSX), 400, "workbook")


async def test_a_client_names_the_columns_of_a_table_l2(client, refused):
    table = "Кто;Куда;Дом\nА;1;2\n".encode()
    answer = await add(client, table, columns="name:Кто,phones:Куда,phone:дом")
    assert await stored(client, answer.json()["id"]) == [
        {"fullName": "А", "phones": ["1", "2"], "emails": []}
    ]
    for wrong in ("Кто", "age:Кто", "name:", ":Кто", ","):
        refused(await add(client, table, columns=wrong), 400, "columns should be field:header")
    refused(await add(client, table, columns="name:Кто,phones:Нет"), 400, "no column 'Нет'")
    refused(await add(client, b"[]", "application/json", columns="name:Кто"), 400, "columns")


async def test_a_header_may_have_commas_and_columns_may_be_zones_and_consents_l2(client):
    table = "Кто;Тел., моб.;Пояс;Согласен\nА;1;Asia/Omsk;form 11\n".encode()
    named = "fullName:Кто, phones:Тел., моб.,timezone:Пояс,CONSENT:Согласен"
    answer = await add(client, table, columns=named)
    person = {"fullName": "А", "phones": ["1"], "emails": [], "timeZone": "Asia/Omsk", "consent": "form 11"}
    assert await stored(client, answer.json()["id"]) == [person]


async def test_all_faults_are_in_the_answer_and_nothing_is_stored_l3(client, stack, refused):
    answer = await add(client, "ФИО;Телефон\nА;84951234567,112\n;1\nВ;2\n".encode())
    refused(answer, 400, "line 2: phones: ", "(and 1 more fault)")
    assert answer.json()["faultCount"] == 2
    assert [(each["row"], each["column"], each["rule"]) for each in answer.json()["faults"]] == [
        (2, "Телефон", "number-with-extension"),
        (3, "ФИО", "string-too-short"),
    ]
    assert answer.json()["faults"][0].keys() == {"index", "row", "field", "column", "rule", "message"}
    assert not stack.services.groups
    assert not stack.objects.objects


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_dry_run_says_what_a_list_contains_and_stores_nothing_l3(client, stack, replaced):
    path = f"{API}/add/other"
    if replaced:
        path = f"{API}/{(await add(client, TABLE.encode())).json()['id']}"
    before = (dict(stack.services.groups), dict(stack.objects.objects))
    table = TABLE + "Иванов;89161234567;\r\nСидоров;84951234567;\r\nЯ;x;\r\n"
    answer = await client.put(
        path, content=table.encode("windows-1251"), headers=CSV, params={"dryRun": "true"}
    )
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["subscriberCount"], found["faultCount"], found["charset"]) == (5, 1, "windows-1251")
    assert found["columns"] == [
        {"header": "ФИО", "meaning": "fullName"},
        {"header": "Телефон", "meaning": "phones"},
        {"header": "Адрес", "meaning": "attributes"},
    ]
    assert found["subscribers"][:2] == PEOPLE
    assert [fault["row"] for fault in found["faults"]] == [6]
    assert found["duplicates"] == {"persons": 1, "numbers": 1}
    assert (stack.services.groups, stack.objects.objects) == before


async def test_a_dry_run_and_a_request_do_not_share_a_key_l3(client, refused):
    headers = {**CSV, "Idempotency-Key": "k"}
    table = TABLE.encode()
    for dry_run, status in (("true", 200), ("true", 200), ("false", 409)):
        answer = await client.put(
            f"{API}/add/town", content=table, headers=headers, params={"dryRun": dry_run}
        )
        assert answer.status_code == status
    unknown = f"{API}/02cd00d1-0f12-494f-91ab-da1691e555ca"
    refused(await client.put(unknown, content=table, headers=CSV, params={"dryRun": "true"}), 404)


async def test_the_answer_warns_of_duplicates_l5(client):
    answer = await add(client, "ФИО;Телефон\nА;1\nА;1\nБ;1\nБ;1\n".encode())
    assert answer.json()["duplicates"] == {"persons": 2, "numbers": 1}
    assert answer.json()["warnings"] == [
        "2 subscribers of the list repeat an earlier one",
        "1 number of the list belongs to more than one person",
    ]
    group = answer.json()["id"]
    replaced = await client.put(f"{API}/{group}", content="ФИО;Телефон\nА;1\nА;1\n".encode(), headers=CSV)
    assert replaced.json()["warnings"] == ["1 subscriber of the list repeats an earlier one"]
    assert "warnings" not in (await client.get(f"{API}/{group}")).json()


async def test_an_overloaded_service_gives_503_with_a_later_retry_and_no_remnant_l10(client, stack, refused):
    stack.services.failures.append(OverloadedError("too many lists are being read; send it again later"))
    answer = await add(client, TABLE.encode())
    refused(answer, 503, "too many lists")
    assert answer.headers["retry-after"] == "5"
    assert not [name for bucket, name in stack.objects.objects if bucket is Bucket.UPLOADS]


async def test_the_service_is_told_how_long_the_client_waits_l10(client, stack):
    await add(client, TABLE.encode())
    [wait] = stack.services.waits
    assert 55 < wait <= 60
