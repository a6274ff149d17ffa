"""Uploaded lists: accepted forms and refused ones."""

import asyncio
import json
from uuid import uuid4

import pytest

from cato_contracts.api.rules.hours import LocalTime
from cato_contracts.errors import InvalidError, InvalidListError, TooLargeError
from cato_contracts.messages.campaign_commands import ListFormat
from cato_contracts.numbering import Numbering
from cato_dialer.campaign.domain.lists.snapshot_list import snapshot_list, with_shared_numbers, zones_in
from services.dialer.tests.support.lists import contacts, read


def test_several_arrays_are_joined():
    text = '[{"fullName": "A", "phones": "1", "emails": ""}] \n[] [{"fullName":"B","phones":["2","3","2"]}]'
    found = read("\ufeff" + text, ListFormat.JSON)
    assert [(c.full_name, c.phones, c.emails) for c in found] == [("A", ["1"], []), ("B", ["2", "3"], [])]


def test_the_same_list_gives_the_same_contacts():
    text = '[{"fullName": "A", "phones": "+7 (999) 1-2"}]'
    assert read(text, ListFormat.JSON) == read(text, ListFormat.JSON)
    assert read(text, ListFormat.JSON)[0].phones == ["+799912"]
    twice = read('[{"fullName": "A", "phones": "1"}, {"fullName": "A", "phones": "1"}]', ListFormat.JSON)
    assert twice[0].id != twice[1].id


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"fullName": "A", "phones": "1"}] [{"fullName": "B", "phones": []}]', "subscriber 1: phones: "),
        ('[{"fullName": "A", "phones": ["1", "x"]}]', "subscriber 0: phones: 'x' is not a telephone number"),
        ('[{"phones": "1"}]', "subscriber 0: fullName: Field required"),
        ('[{"fullName": " ", "phones": "1"}]', "subscriber 0: fullName: must not be blank"),
        ('[{"fullName": "A", "phones": "1", "colour": "red"}]', "subscriber 0: colour: Extra inputs"),
        ('[{"fullName": "A", "phones": "1", "emails": 5}]', "subscriber 0: emails: "),
        ("[17]", "subscriber 0: must be an object"),
        ('[{"fullName": "A", "phones": "1"} {}]', "subscriber 0: broken JSON after it"),
        ('[{"fullName": "A", "phones": "1"},]', "subscriber 1: broken JSON"),
        ('[{"fullName": "A"', "subscriber 0: broken JSON"),
        ('[{"fullName": "A", "phones": "1"}', "subscriber 0: broken JSON after it"),
        ('{"fullName": "A", "phones": "1"}', "a JSON array of subscribers is expected at character 0"),
        ("[] x", "a JSON array of subscribers is expected at character 3"),
        ("  ", "the list is empty"),
        ("[" + "[" * 100_000, "subscriber 0: "),
        (b"\xff\xfe", "not in UTF-8: byte 0"),
    ],
)
def test_a_json_list_with_a_mistake_is_refused_and_its_place_named(text, message):
    with pytest.raises(InvalidError) as refused:
        read(text, ListFormat.JSON)
    assert message in refused.value.message


def faults_of(text: str | bytes, form: ListFormat) -> InvalidListError:
    with pytest.raises(InvalidListError) as refused:
        read(text, form, limit=1000)
    return refused.value


def test_all_faults_of_a_json_list_are_named_with_index_field_and_rule_l3():
    people = [
        {"fullName": "A", "phones": "84951234567"},
        {"fullName": "", "phones": ["84951234567", "7.9E+10"]},
        {"fullName": "C", "phones": "84951234567,112", "colour": "red"},
        17,
    ]
    error = faults_of(json.dumps(people), ListFormat.JSON)
    assert [(fault.index, fault.row, fault.field, fault.rule) for fault in error.faults] == [
        (1, None, "fullName", "string-too-short"),
        (1, None, "phones", "scientific-notation"),
        (2, None, "phones", "number-with-extension"),
        (2, None, "colour", "extra-forbidden"),
        (3, None, None, "model-type"),
    ]
    assert error.fault_count == 5
    assert error.message.startswith("subscriber 1: fullName: ")
    assert error.message.endswith("(and 4 more faults)")


def test_all_faults_of_a_csv_list_are_named_with_row_column_and_rule_l1_l3_l4():
    text = "fullName;Phones\nA;84951234567\nB;84951234567,112\nC;776413 776450\n;+7 495 123 45 67 890 12\n"
    error = faults_of(text, ListFormat.CSV)
    assert [(fault.row, fault.index, fault.field, fault.column, fault.rule) for fault in error.faults] == [
        (3, None, "phones", "Phones", "number-with-extension"),
        (4, None, "phones", "Phones", "several-numbers"),
        (5, None, "fullName", "fullName", "string-too-short"),
        (5, None, "phones", "Phones", "too-long"),
    ]
    assert error.message.startswith(
        "line 3: phones: '84951234567,112' is a telephone number with an extension"
    )


@pytest.mark.parametrize("form", [ListFormat.JSON, ListFormat.CSV])
def test_a_hundred_faults_are_shown_and_all_are_counted_l3(form):
    text = "fullName,phones\n" + "A,x\n" * 250
    if form is ListFormat.JSON:
        text = json.dumps([{"fullName": "A", "phones": "x"}] * 250)
    error = faults_of(text, form)
    assert (len(error.faults), error.fault_count) == (100, 250)


def test_faults_before_a_place_that_cannot_be_read_are_named_too_l3():
    error = faults_of('[{"fullName": "A", "phones": "x"}, broken', ListFormat.JSON)
    assert [(fault.index, fault.rule) for fault in error.faults] == [(0, "not-a-number"), (1, "broken-json")]


def test_a_short_number_after_a_comma_is_never_dialled_l1():
    text = "fullName;phones\nA;{}\n"
    for cell in ("84951234567,112", "84951234567, 112", "84951234567,доб. 112", "84951234567, 112, 113"):
        assert faults_of(text.format(cell), ListFormat.CSV).faults[0].rule == "number-with-extension"
    assert read(text.format("84951234567, 776413"), ListFormat.CSV)[0].phones == ["84951234567", "776413"]


@pytest.mark.parametrize(
    ("subscriber", "field", "rule"),
    [
        ('{"fullName": "A", "phones": "1", "emails": "x@' + "y" * 253 + '"}', "emails", "string-too-long"),
        ('{"fullName": "A", "phones": "1", "emails": ["' + 'a@b", "' * 50 + 'a@b"]}', "emails", "too-long"),
        ('{"fullName": "A", "phones": ["' + '1", "' * 50 + '2"]}', "phones", "too-long"),
        ('{"fullName": "' + "A" * 201 + '", "phones": "1"}', "fullName", "string-too-long"),
        ('{"fullName": "A", "phones": "' + "1" * 9_000_000 + '"}', "phones", "too-long"),
        ('{"fullName": "A", "phones": ' + "1" * 5_000 + "}", "phones", "list-type"),
        ('{"fullName": "A", "phones": "1", "emails": [' + "1" * 5_000 + "]}", "emails", "string-type"),
        ('{"fullName": ' + "1" * 5_000 + ', "phones": "1"}', "fullName", "string-type"),
        ('{"fullName": "A", "phones": "1", "emails": "\\ud800"}', "emails", None),
        ('{"fullName": "\\udfff", "phones": "1"}', "fullName", None),
        ('{"fullName": "A", "phones": "\\ud800"}', "phones", "not-a-number"),
        ('{"fullName": "A", "phones": "1", "\\ud800": 1}', None, "string-unicode"),
        ('{"fullName": "A", "phones": "1", "' + "x" * 9_000_000 + '": 1}', "x" * 80 + "…", "extra-forbidden"),
    ],
)
def test_every_field_has_a_bound_and_a_fault_names_index_and_field_l7_l8(subscriber, field, rule):
    error = faults_of('[{"fullName": "A", "phones": "1"}, ' + subscriber + "]", ListFormat.JSON)
    assert [(fault.index, fault.field) for fault in error.faults] == [(1, field)]
    assert rule in {None, error.faults[0].rule}
    assert len(error.info().model_dump_json()) < 1000


@pytest.mark.parametrize(
    ("text", "form"),
    [("[]", ListFormat.JSON), ("[] []", ListFormat.JSON), ("fullName,phones\n\n , \n", ListFormat.CSV)],
)
def test_a_list_without_subscribers_is_refused_l6(text, form):
    error = faults_of(text, form)
    assert (error.message, error.faults[0].rule) == ("the list has no subscribers", "nobody")


def test_a_list_over_the_limit_is_refused():
    text = json.dumps([{"fullName": "A", "phones": str(n)} for n in range(101)])
    with pytest.raises(TooLargeError, match="at most 100"):
        read(text, ListFormat.JSON, limit=100)


@pytest.mark.parametrize(
    "text",
    [
        'fullName,phones,emails\nИванов,"1;2",a@b.c\n\nB,3,\n',
        '\ufefffullName;phones;emails\r\nИванов;"1;2";a@b.c\r\nB;3;\r\n',
        "sep=;\r\nfullName;phones;emails\r\nИванов;1,2;a@b.c\r\nB;3\r\n",
        "phones,FULLNAME\n1;2,Иванов\n3,B\n",
    ],
)
def test_csv_of_spreadsheets_is_accepted(text):
    found = read(text, ListFormat.CSV)
    assert [(c.full_name, c.phones) for c in found] == [("Иванов", ["1", "2"]), ("B", ["3"])]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the header lacks fullName and phones"),
        ("title,phones\n", "line 1: the header lacks fullName"),
        ("fullName,phones\nA,1\nB,x\n", "line 3: phones: 'x' is not a telephone number"),
        ("sep=,\nfullName,phones\nA,1\nB,x\n", "line 4: phones: "),
        ("fullName,phones\n,1\n", "line 2: fullName: "),
        ("fullName,phones\nA,1,2\n", "line 2: 3 columns where the header has 2"),
        ('fullName,phones\n"A,1\n', "line 2: unexpected end of data"),
    ],
)
def test_a_csv_list_with_a_mistake_is_refused_and_its_line_named(text, message):
    with pytest.raises(InvalidError) as refused:
        read(text, ListFormat.CSV)
    assert message in refused.value.message


def test_a_person_in_two_groups_is_once_in_the_snapshot_list():
    first, _ = contacts(
        b'[{"fullName":"A","phones":["1","2"]},{"fullName":"B","phones":"3"}]', ListFormat.JSON, uuid4(), 9
    )
    second, _ = contacts(
        b'[{"fullName":"A","phones":["2","1"]},{"fullName":"B","phones":"4"}]', ListFormat.JSON, uuid4(), 9
    )
    lines, count = snapshot_list([first, second])
    found = [json.loads(line) for line in lines.splitlines()]
    assert count == 3
    assert [(c["no"], c["full_name"], c["phones"]) for c in found] == [
        (0, "A", ["1", "2"]),
        (1, "B", ["3"]),
        (2, "B", ["4"]),
    ]
    assert snapshot_list([]) == (b"", 0)


def test_the_time_zones_of_a_list_are_read_and_kept():
    table = b"fullName,phones,timeZone\nA,1,Asia/Kolkata\nB,2,\n"
    lines, count = contacts(table, ListFormat.CSV, uuid4(), 9)
    assert count == 2
    assert [json.loads(line).get("time_zone") for line in lines.splitlines()] == ["Asia/Kolkata", None]
    assert zones_in(snapshot_list([lines])[0], LocalTime()) == {"Asia/Kolkata", None}
    with pytest.raises(InvalidListError) as refused:
        read("fullName,phones,timeZone\nA,1,Moscow\n", ListFormat.CSV)
    assert "IANA time zone name" in refused.value.message


def test_the_evidence_of_consent_is_read_and_kept_in_the_list_of_a_run():
    table = b"fullName,phones,Consent\nA,1,form of 2024\nB,2,\n"
    lines, _ = contacts(table, ListFormat.CSV, uuid4(), 9)
    assert [json.loads(line).get("consent") for line in lines.splitlines()] == ["form of 2024", None]
    assert [json.loads(line).get("consent") for line in snapshot_list([lines])[0].splitlines()] == [
        "form of 2024",
        None,
    ]
    many = f'[{{"fullName":"A","phones":"1","consent":"{"x" * 501}"}}]'
    with pytest.raises(InvalidListError, match="consent"):
        read(many, ListFormat.JSON)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ('[{"fullName": "A", "phones": "1"}, {"fullName": "B", "phones": "2"}, broken', ListFormat.JSON),
        ('fullName,phones\nA,1\nB,2\n"broken', ListFormat.CSV),
    ],
)
def test_a_list_is_read_one_subscriber_at_a_time(text, form):
    # One step for the whole list would hold the interpreter, and with it the event loop.
    with pytest.raises(TooLargeError):
        read(text, form, limit=1)


async def test_the_event_loop_takes_turns_while_a_long_list_is_read():
    many = [{"fullName": f"Person {n}", "phones": [f"+7999{n:07d}"], "emails": ""} for n in range(20_000)]
    content = json.dumps(many).encode()
    reading = asyncio.create_task(asyncio.to_thread(contacts, content, ListFormat.JSON, uuid4(), 20_000))
    turns = 0
    while not reading.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
    assert reading.result()[1] == 20_000


def test_those_who_share_a_number_in_any_form_are_marked():
    people = [["+73437200041"], ["112"], ["83437200041", "113"], ["114"]]
    lines = b"".join(b"%s\n" % json.dumps({"phones": phones}).encode() for phones in people)
    marked = [json.loads(line) for line in with_shared_numbers(lines, Numbering().canonical).splitlines()]
    assert [line.get("shared", False) for line in marked] == [True, False, True, False]


def test_a_list_without_shared_numbers_stays_as_it_is():
    lines = b'{"phones": ["1", "2"]}\n{"phones": ["3"]}\n'
    assert with_shared_numbers(lines, Numbering().canonical) is lines
