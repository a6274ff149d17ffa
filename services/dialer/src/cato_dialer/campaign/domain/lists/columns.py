"""The columns of a table: what each header stands for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import count

from cato_contracts.model import MAX_ATTRIBUTE_NAME, MAX_ATTRIBUTES
from cato_dialer.campaign.domain.lists.faults import UnreadableError

_SHOWN_HEADERS = 20
_NOT_IN_WORDS = re.compile(r"[\s._\-\u2010-\u2015/:*()]+")
_NUMBERED = re.compile(r"(.*?)[ №#n]*\d*")


class Meaning(StrEnum):
    """What a column holds."""

    FULL_NAME = "fullName"
    NAME_PART = "namePart"
    """A part of the name, such as the surname; the parts are joined in their order."""
    PHONES = "phones"
    EMAILS = "emails"
    TIME_ZONE = "timeZone"
    CONSENT = "consent"
    ATTRIBUTE = "attributes"
    NOTHING = "nothing"
    """A column without a header."""


_FULL_NAME = """
fullname full_name name имя_и_фамилия фио ф_и_о полное_имя фамилия_имя_отчество фамилия_имя
фамилия_и_имя абонент имя_абонента фио_абонента фио_сотрудника фио_жильца контакт contact subscriber
"""
_NAME_PART = """
фамилия имя отчество surname lastname last_name firstname first_name middlename middle_name
"""
_PHONES = """
phone phones phonenumber phone_number telephone telephone_number tel mobile mobile_phone cell
cell_phone msisdn home_phone work_phone телефон телефоны телефонный_номер номер_телефона
номера_телефонов №_телефона тел тел_номер контактный_телефон контактные_телефоны мобильный
мобильный_телефон мобильный_номер моб моб_тел моб_телефон сотовый сотовый_телефон сот сот_тел
домашний_телефон дом_тел дом_телефон рабочий_телефон раб_тел раб_телефон городской_телефон гор_тел
телефон_мобильный телефон_домашний телефон_рабочий телефон_сотовый телефон_моб телефон_дом
телефон_раб телефон_абонента
"""
_EMAILS = """
email emails e_mail e_mails mail email_address почта эл_почта электронная_почта эл_адрес
электронный_адрес адрес_электронной_почты емейл имейл мейл
"""
_TIME_ZONE = "timezone time_zone"
_CONSENT = "consent"
_WORDS: dict[str, Meaning] = {
    **dict.fromkeys(_FULL_NAME.split(), Meaning.FULL_NAME),
    **dict.fromkeys(_NAME_PART.split(), Meaning.NAME_PART),
    **dict.fromkeys(_PHONES.split(), Meaning.PHONES),
    **dict.fromkeys(_EMAILS.split(), Meaning.EMAILS),
    **dict.fromkeys(_TIME_ZONE.split(), Meaning.TIME_ZONE),
    **dict.fromkeys(_CONSENT.split(), Meaning.CONSENT),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its header as it is shown, and what it holds."""

    header: str
    meaning: Meaning


Mapped = Mapping[str, Sequence[str]]
"""Headers by the field that they stand for, as the client says."""


def meaning_of(header: str) -> Meaning:
    """Return what a header stands for by itself."""
    words = _NOT_IN_WORDS.sub("_", header.casefold().replace("ё", "е")).strip("_")
    if not words:
        return Meaning.NOTHING
    found = _WORDS.get(words)
    if found is None and (numbered := _NUMBERED.fullmatch(words)) is not None:
        found = _WORDS.get(numbered[1].strip("_"))
        if found is not Meaning.PHONES:
            found = None
    return found or Meaning.ATTRIBUTE


def is_header(cells: Sequence[str], mapped: Mapped | None) -> bool:
    """Return whether a row is the header of a list: it names people and numbers."""
    meanings = {column.meaning for column in _meant(cells, mapped)}
    return Meaning.PHONES in meanings and bool(meanings & {Meaning.FULL_NAME, Meaning.NAME_PART})


def columns_of(cells: Sequence[str], row: int, mapped: Mapped | None) -> list[Column]:
    """Return the columns of a header, without empty ones at its end.

    Raises:
        UnreadableError: if a column is missing, or there is one too many.

    """
    columns = _meant(cells, mapped)
    while columns and columns[-1].meaning is Meaning.NOTHING:
        columns.pop()
    if mapped is not None:
        _check_mapped(columns, row, mapped)
    _check_once(columns, row)
    meanings = {column.meaning for column in columns}
    missing = [] if meanings & {Meaning.FULL_NAME, Meaning.NAME_PART} else ["fullName"]
    missing += [] if Meaning.PHONES in meanings else ["phones"]
    if missing:
        headers = ", ".join(repr(column.header) for column in columns[:_SHOWN_HEADERS]) or "none"
        raise UnreadableError(
            row,
            "header",
            f"the header lacks {' and '.join(missing)}; its columns are: {headers}. Name them fullName,"
            " phones and emails, or give their names in `columns`",
        )
    return _with_attributes(columns, row)


def _meant(cells: Sequence[str], mapped: Mapped | None) -> list[Column]:
    given = {_plain(header): field for field, headers in (mapped or {}).items() for header in headers}
    taken = set(given.values())
    found = []
    for cell in cells:
        header = " ".join(cell.split())
        field = given.get(_plain(header))
        meaning = meaning_of(header)
        if field is not None:
            meaning = Meaning(field)
        elif meaning in taken or (meaning is Meaning.NAME_PART and Meaning.FULL_NAME in taken):
            meaning = Meaning.ATTRIBUTE  # the client says which columns have this field
        found.append(Column(header, meaning))
    if any(column.meaning is Meaning.FULL_NAME for column in found):
        found = [_demoted(column) for column in found]
    return found


def _demoted(column: Column) -> Column:
    """Return a part of a name as an attribute, beside a column with the whole name."""
    return Column(column.header, Meaning.ATTRIBUTE) if column.meaning is Meaning.NAME_PART else column


def _plain(header: str) -> str:
    return " ".join(header.casefold().split())


def _check_mapped(columns: Sequence[Column], row: int, mapped: Mapped) -> None:
    there = {_plain(column.header) for column in columns}
    missing = [header for headers in mapped.values() for header in headers if _plain(header) not in there]
    if missing:
        raise UnreadableError(
            row, "header", f"the header has no column {', '.join(map(repr, missing[:_SHOWN_HEADERS]))}"
        )


def _check_once(columns: Sequence[Column], row: int) -> None:
    for meaning in (Meaning.FULL_NAME, Meaning.EMAILS, Meaning.TIME_ZONE, Meaning.CONSENT):
        headers = [column.header for column in columns if column.meaning is meaning]
        if len(headers) > 1:
            raise UnreadableError(
                row, "header", f"the columns {headers[0]!r} and {headers[1]!r} both stand for {meaning}"
            )


def _with_attributes(columns: Sequence[Column], row: int) -> list[Column]:
    """Give every attribute a name of its own: a spreadsheet may have the same header twice."""
    names: set[str] = set()
    found = []
    for column in columns:
        header = column.header
        if column.meaning is Meaning.ATTRIBUTE:
            if len(header) > MAX_ATTRIBUTE_NAME:
                raise UnreadableError(
                    row,
                    "header",
                    f"the header {header[:40] + '…'!r} has more than {MAX_ATTRIBUTE_NAME} characters",
                )
            if header in names:
                header = next(name for no in count(2) if (name := f"{header} {no}") not in names)
            names.add(header)
        found.append(Column(header, column.meaning))
    if len(names) > MAX_ATTRIBUTES:
        raise UnreadableError(row, "header", f"there are more than {MAX_ATTRIBUTES} further columns")
    return found
