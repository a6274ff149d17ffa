"""Generated lists in every format: no 500, nothing stored of a refused list, and a stored list is readable.

`CATO_FUZZ_INPUTS=20000` sets the number of inputs of each format; the usual run has a few hundred in all.
"""

import asyncio
import json
import os
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cato_gateway.http import bodies
from cato_runtime.configuration.config import Config, LimitsConfig
from tests.support.gateway.stack import MemoryStack
from tests.support.lists.workbooks import workbook

CONFIG = Config(limits=LimitsConfig(json_bytes=20_000))
INPUTS = int(os.environ.get("CATO_FUZZ_INPUTS", "120"))
API = "/api/v1/subscriber-groups"
DIALLED = re.compile(r"\+[0-9]{1,15}|[0-9*#]{1,32}")
CHARSETS = [
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "windows-1251",
    "koi8-r",
    "cp866",
    "utf-32",
    "gb18030",
]

numbers = st.one_of(
    st.from_regex(r"\+?[0-9 ()\-.]{0,20}", fullmatch=True),
    st.integers(-(10**20), 10**20).map(str),
    st.sampled_from(
        [
            "84951234567",
            "84951234567,112",
            "776413 776450",
            "7.9E+10",
            "tel:+7343",
            "'+7343",
            "*21#",
            "доб. 5",
        ]
    ),
)
good_numbers = st.sampled_from(["84951234567", "+7 (495) 123-45-67", "*21#", "776413"])
texts = st.one_of(
    numbers,
    st.text(max_size=30),
    st.sampled_from(
        ["ФИО", "Иванов", "=cmd|x", "\u202e", "\x00", "a@b", "x" * 300, '"', "'", ";", ",", "\n", "½"]
    ),
)
headers = st.sampled_from(
    ["ФИО", "Фамилия", "Имя", "fullName", "Телефон", "phones", "Моб. тел.", "E-mail", "Адрес", "№", "", " "]
)
cells = st.one_of(texts, numbers)
rows = st.lists(st.lists(cells, max_size=5), max_size=5)
tables = st.tuples(st.lists(st.one_of(headers, texts), max_size=6), rows).map(
    lambda both: [both[0], *both[1]]
)
good_rows = st.lists(
    st.tuples(st.just("Иванов"), good_numbers, st.sampled_from(["", "ул. Ленина"])), min_size=1, max_size=5
)
good_tables = st.one_of(rows, good_rows, good_rows).map(lambda found: [["ФИО", "Телефон", "Адрес"], *found])


def csv_of(table, delimiter, charset, quoted):
    if quoted:
        table = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in table]
    text = "\r\n".join(delimiter.join(row) for row in table)
    return text.encode(charset, "replace")


csv_bodies = st.one_of(
    st.builds(
        csv_of,
        st.one_of(tables, good_tables),
        st.sampled_from([",", ";", "\t", "|"]),
        st.sampled_from(CHARSETS),
        st.booleans(),
    ),
    # Enough lists of this kind are stored, whatever is drawn of the others.
    good_rows.map(lambda found: csv_of([["ФИО", "Телефон", "Адрес"], *found], ";", "utf-8", quoted=True)),
    st.binary(min_size=1, max_size=200),
)
values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        texts,
        st.just("\ud800"),
        st.just(10**4000),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
people = st.fixed_dictionaries(
    {
        "fullName": st.one_of(st.just("Иванов"), texts),
        "phones": st.one_of(numbers, st.lists(numbers, max_size=3)),
    },
    optional={
        "emails": values,
        "attributes": st.dictionaries(texts, texts, max_size=3) | values,
        "odd": values,
    },
)

good_people = st.fixed_dictionaries({"fullName": st.just("Иванов"), "phones": good_numbers})


def json_of(found, cut, twice):
    text = json.dumps(found)
    text = text * 2 if twice else text
    return (text[:-cut] if cut else text).encode() or b" "


json_bodies = st.one_of(
    st.builds(
        json_of,
        st.lists(st.one_of(people, good_people, good_people), max_size=3),
        st.sampled_from([0, 0, 0, 1, 2]),
        st.booleans(),
    ),
    st.lists(good_people, min_size=1, max_size=3).map(lambda found: json.dumps(found).encode()),
    values.map(lambda value: json.dumps(value).encode()),
    st.integers(0, 20_000).map(lambda depth: b"[" * depth + b"1"),
    st.binary(min_size=1, max_size=100),
)
sheet_cells = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(0, 10**12).map(float),
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"),
        max_size=20,
    ),
    numbers,
)


def damaged(content, at, byte):
    place = at % len(content)
    return content[:place] + bytes([byte]) + content[place + 1 :]


workbooks = st.one_of(st.lists(st.lists(sheet_cells, max_size=4), max_size=5), good_rows).map(
    lambda found: workbook([["ФИО", "Телефон", "Адрес"], *found])
)
xlsx_bodies = st.one_of(
    workbooks,
    st.builds(damaged, workbooks, st.integers(0, 10_000), st.integers(0, 255)),
    st.binary(max_size=100).map(lambda rest: b"PK\x03\x04" + rest),
)
FORMATS = {
    "json": (json_bodies, st.just(bodies.JSON)),
    "csv": (
        csv_bodies,
        st.sampled_from(["text/csv", bodies.TABS, *(f"text/csv; charset={name}" for name in CHARSETS)]),
    ),
    "xlsx": (xlsx_bodies, st.just(bodies.XLSX)),
}


@pytest.mark.timeout(3600 if "CATO_FUZZ_INPUTS" in os.environ else 120)
@pytest.mark.parametrize("form", FORMATS)
def test_a_generated_list_is_stored_whole_or_leaves_nothing_l3(app, form):
    contents, types = FORMATS[form]
    accepted = 0

    @settings(max_examples=INPUTS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(contents, types, st.booleans())
    def send(content, media_type, dry_run):
        nonlocal accepted
        accepted += runner.run(sent(MemoryStack(CONFIG, app=app), content, media_type, dry_run=dry_run))

    with asyncio.Runner() as runner:
        send()
    assert accepted > 0


async def sent(stack, content, media_type, *, dry_run):
    """Send a list; return whether it was stored."""
    async with stack.client() as client:
        answer = await client.put(
            f"{API}/add/town",
            content=content,
            headers={"Content-Type": media_type},
            params={"dryRun": "true"} if dry_run else {},
        )
        found = answer.json()
        if answer.status_code != 200:
            assert answer.status_code in {400, 413, 415}, answer.text
            assert found["message"]
            assert len(found.get("faults") or ()) <= min(100, found.get("faultCount") or 0)
        if answer.status_code != 200 or dry_run:
            assert not stack.services.groups
            assert not stack.objects.objects
            return False
        address = f"{API}/{found['id']}/subscribers"
        listed = (await client.get(address, params={"limit": 1000})).json()["items"]
        assert len(listed) == found["subscriberCount"] > 0
        assert all(DIALLED.fullmatch(number) for one in listed for number in one["phones"])
        for form in ("csv", "xlsx"):
            assert (await client.get(address, params={"format": form})).status_code == 200
        return True
