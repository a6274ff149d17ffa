"""Lists as spreadsheets write them: encodings, separators, headers, further columns, workbooks."""

import pytest

from cato_contracts.errors import InvalidError, InvalidListError
from cato_contracts.messages.campaign_commands import ListFormat
from cato_dialer.campaign.domain.lists.columns import Meaning, meaning_of
from services.dialer.tests.support.lists import check, read
from tests.support.lists.workbooks import workbook

CSV, XLSX = ListFormat.CSV, ListFormat.XLSX
TABLE = (
    "№;ФИО;Телефон;E-mail;Адрес;;\r\n"
    "1;Иванов Иван Иванович;8 (916) 123-45-67;ivan@example.org;ул. Ленина, 5;;\r\n"
    "2;Петрова Ёлка;84951234567;;;;\r\n\r\n"
)
PEOPLE = [
    (
        "Иванов Иван Иванович",
        ["89161234567"],
        ["ivan@example.org"],
        {"№": "1", "Адрес": "ул. Ленина, 5"},
    ),
    ("Петрова Ёлка", ["84951234567"], [], {"№": "2"}),
]


def people(content: str | bytes, form: ListFormat = CSV, **said):
    return [(one.full_name, one.phones, one.emails, one.attributes) for one in read(content, form, **said)]


@pytest.mark.parametrize(
    "charset",
    ["windows-1251", "utf-16", "utf-16-le", "utf-16-be", "utf-8", "utf-8-sig", "cp866", "mac-cyrillic"],
)
def test_the_charset_of_a_table_is_heeded_or_told_from_its_bytes_l2(charset):
    content = TABLE.encode(charset)
    assert people(content) == PEOPLE
    assert people(content, charset=charset) == PEOPLE


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        ("ФИО;Телефон\nя;1\n", "koi8-r"),
        ("ФИО;Телефон\nЯ;1\n", "windows-1251"),
        ("Name;Phone\nMüller, Jürgen;1\n", "windows-1252"),
        ("Name;Phone\nПётр Ильич;1\n", "windows-1251"),
        ("NAME;PHONE\nПЁТР ИЛЬИЧ;1\n", "windows-1251"),
    ],
)
def test_a_code_page_is_told_from_few_words_l2(text, charset):
    assert check(text.encode(charset), CSV)[0].charset == charset


def test_a_charset_that_does_not_fit_is_refused_with_the_byte_l2():
    with pytest.raises(InvalidError, match="the list is not in UTF-8: byte 0"):
        read(TABLE.encode("windows-1251")[2:], CSV, charset="utf-8")


@pytest.mark.parametrize("separator", ["\t", ",", ";", "|"])
def test_the_separator_is_what_gives_a_header_l2(separator):
    text = separator.join(["ФИО", "Телефон", "Город"]) + "\n" + separator.join(["А", "1", "Б"]) + "\n"
    assert people(text) == [("А", ["1"], [], {"Город": "Б"})]


def test_a_workbook_is_read_with_its_numbers_l2():
    rows = [
        ["Список жильцов", None, None],
        [],
        ["№", "ФИО", "Телефон", "Квартира", "Согласие", None],
        [1, "Иванов", 79161234567.0, 12, True, None],
        [2.0, "Петрова", "+7 495 123-45-67\n8 (916) 123-45-67", 12.5, None, None],
        [None, None, None],
    ]
    assert people(workbook(rows), XLSX) == [
        ("Иванов", ["79161234567"], [], {"№": "1", "Квартира": "12", "Согласие": "TRUE"}),
        ("Петрова", ["+74951234567", "89161234567"], [], {"№": "2", "Квартира": "12.5"}),
    ]


def test_faults_of_a_workbook_have_its_rows_and_columns_l2():
    rows = [["ФИО", "Телефон"], ["А", 7.9e16], [], ["Б", "84951234567,112"], ["", "1"]]
    with pytest.raises(InvalidListError) as refused:
        read(workbook(rows), XLSX)
    assert [(fault.row, fault.column, fault.rule) for fault in refused.value.faults] == [
        (2, "Телефон", "scientific-notation"),
        (4, "Телефон", "number-with-extension"),
        (5, "ФИО", "string-too-short"),
    ]
    assert refused.value.message.startswith("row 2: phones: ")


@pytest.mark.parametrize("content", [b"PK\x03\x04", workbook([])[:300], workbook([])])
def test_what_is_no_workbook_with_cells_is_refused_l2(content):
    with pytest.raises(InvalidError, match="workbook"):
        read(content, XLSX)


def test_parts_of_names_and_several_columns_of_numbers_are_joined_l2():
    text = "Фамилия;Имя;Отчество;Моб. тел.;Телефон 2\nИванов;Иван;;8916;8495\nПетрова;Анна;Ильинична;;8343\n"
    assert people(text) == [
        ("Иванов Иван", ["8916", "8495"], [], {}),
        ("Петрова Анна Ильинична", ["8343"], [], {}),
    ]


def test_a_fault_names_the_column_of_its_number_l2():
    with pytest.raises(InvalidListError) as refused:
        read("ФИО;Моб.;Дом. тел.\nА;1;x\n", CSV)
    assert [(fault.field, fault.column) for fault in refused.value.faults] == [("phones", "Дом. тел.")]


def test_the_client_says_which_columns_have_which_fields_l2():
    text = "Кто;Куда;Ещё;Телефон\nА;1;2;3\n"
    said = {"fullName": ["кто"], "phones": ["Куда", "Ещё"]}
    assert people(text, columns=said) == [("А", ["1", "2"], [], {"Телефон": "3"})]
    with pytest.raises(InvalidListError, match="the header has no column 'Нет'"):
        read(text, CSV, columns={"phones": ["Нет"]})


@pytest.mark.parametrize(
    ("header", "meaning"),
    [
        ("Ф.И.О.", Meaning.FULL_NAME),
        ("ФИО абонента", Meaning.FULL_NAME),
        ("Отчество", Meaning.NAME_PART),
        ("Телефон", Meaning.PHONES),
        ("тел.", Meaning.PHONES),
        ("Номер\nтелефона", Meaning.PHONES),
        ("Телефон №2", Meaning.PHONES),
        ("Телефон (моб.)", Meaning.PHONES),
        ("E-mail", Meaning.EMAILS),
        ("Эл. почта", Meaning.EMAILS),
        ("№", Meaning.ATTRIBUTE),
        ("Адрес", Meaning.ATTRIBUTE),
        ("Адрес 2", Meaning.ATTRIBUTE),
        (" ", Meaning.NOTHING),
    ],
)
def test_headers_are_understood_as_people_write_them_l2(header, meaning):
    assert meaning_of(header) is meaning


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("ФИО;Телефон;\nА;1;x\n", "more-cells-than-columns"),
        ("ФИО;;Телефон\nА;x;1\n", "cell-without-header"),
        ("ФИО;Абонент;Телефон\nА;Б;1\n", "header"),
        ("ФИО;Телефон;" + "х" * 101 + "\nА;1;x\n", "header"),
        ("ФИО;Телефон;" + ";".join(map(str, range(51))) + "\n", "header"),
        ("ФИО;Телефон;Адрес\nА;1;" + "х" * 1001 + "\n", "string-too-long"),
    ],
)
def test_cells_that_fit_no_column_are_refused_l2(text, rule):
    assert [fault.rule for fault in check(text, CSV)[0].faults] == [rule]


def test_a_header_that_occurs_twice_gives_two_attributes_l2():
    assert people("ФИО;Телефон;Адрес;Адрес\nА;1;x;y\n")[0][3] == {"Адрес": "x", "Адрес 2": "y"}


def test_json_has_attributes_with_bounds_l2():
    text = '[{"fullName": "A", "phones": "1", "attributes": {"Адрес": "x"}}]'
    assert people(text, ListFormat.JSON) == [("A", ["1"], [], {"Адрес": "x"})]
    many = ", ".join(f'{{"fullName": "A", "phones": "1", "attributes": {{"{no}": "x"}}}}' for no in range(51))
    assert [fault.rule for fault in check(f"[{many}]", ListFormat.JSON)[0].faults] == ["too-many-attributes"]
    for wrong in ('{"a": 1}', '{"": "x"}', '{"a": "\\ud800"}', "[]", '{"' + "x" * 101 + '": ""}'):
        text = f'[{{"fullName": "A", "phones": "1", "attributes": {wrong}}}]'
        assert [fault.field for fault in check(text, ListFormat.JSON)[0].faults] == ["attributes"]


def test_duplicates_are_counted_l5():
    text = "ФИО;Телефон\nА;1;\nА ;1\nБ;1\nВ;2,3\nВ;3,2\nГ;4\n"
    found = check(text, CSV)[0]
    assert (found.duplicates.persons, found.duplicates.numbers) == (2, 1)
    assert check("ФИО;Телефон\nА;1;\nБ;2\n", CSV)[0].duplicates.persons == 0
