from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cato_contracts.errors import InvalidError
from cato_contracts.requests import Actor
from cato_media.domain.audio_file import AudioFile, Prompt, audio_file_id, check_name
from cato_media.domain.catalog import Catalog

NOW = datetime(2024, 5, 16, tzinfo=UTC)
USER, OTHER, ADMIN = Actor(user_id="user"), Actor(user_id="other"), Actor(user_id="root", admin=True)


def file(name: str, *, owner: str = "user", generation: int = 1) -> AudioFile:
    return AudioFile.add(
        owner=owner,
        name=name,
        generation=generation,
        source_sha256="00",
        source_kind="wav",
        prompt=Prompt(f"audio/{name}", "11", 8000, 1000),
        now=NOW,
    )


def catalog(*files: AudioFile) -> Catalog:
    catalog = Catalog()
    for sequence, each in enumerate(files, 1):
        catalog.fold(each, sequence=sequence * 10, command_id=f"c{sequence}")
    return catalog


@pytest.mark.parametrize("name", ["flood", "наводнение.mp3", "a b.wav", "..hidden", "a..b", "💧", "x" * 200])
def test_plain_file_names_are_accepted(name):
    check_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        ".",
        "..",
        "../etc/passwd",
        "a/b",
        "a\\b",
        "..\\..\\boot.ini",
        "a\0b",
        "a\nb",
        "\x7f",
        "x" * 201,
    ],
)
def test_paths_and_control_characters_are_rejected_as_file_names(name):
    with pytest.raises(InvalidError, match="filename"):
        check_name(name)


@given(st.text(), st.text(), st.text(), st.text())
def test_an_id_belongs_to_one_user_and_name(owner, name, other_owner, other_name):
    same = (owner, name) == (other_owner, other_name)
    separators = any("\x1f" in text for text in (owner, name, other_owner, other_name))
    assert separators or (audio_file_id(owner, name, 1) == audio_file_id(other_owner, other_name, 1)) == same
    assert audio_file_id(owner, name, 1) != audio_file_id(owner, name, 2)


def test_a_file_is_removed_once():
    flood = file("flood")
    flood.remove(NOW)
    flood.remove(datetime(2025, 1, 1, tzinfo=UTC))
    assert flood.removed_at == NOW
    assert len(flood.collect_events()) == 2


def test_pages_list_the_visible_files_in_the_order_of_adding():
    names = [f"file {n}" for n in range(7)]
    lists = catalog(*(file(name) for name in names), file("theirs", owner="other"))
    seen, cursor = [], None
    while True:
        page = lists.page(USER, name=None, limit=3, cursor=cursor)
        seen.append([item.name for item in page.items])
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [names[0:3], names[3:6], names[6:]]
    assert [item.name for item in lists.page(OTHER, name=None, limit=10, cursor=None).items] == ["theirs"]
    assert len(lists.page(ADMIN, name=None, limit=10, cursor=None).items) == 8


def test_a_page_that_ends_exactly_with_the_list_has_no_cursor():
    assert catalog(file("a"), file("b")).page(USER, name=None, limit=2, cursor=None).next_cursor is None


def test_a_list_is_searched_by_part_of_the_name_ignoring_case():
    lists = catalog(file("Flood Warning"), file("test"))
    assert [item.name for item in lists.page(USER, name="wARN", limit=9, cursor=None).items] == [
        "Flood Warning"
    ]


def test_a_cursor_keeps_its_position_when_files_are_removed():
    files = [file(str(n)) for n in range(4)]
    lists = catalog(*files)
    cursor = lists.page(USER, name=None, limit=2, cursor=None).next_cursor
    files[1].remove(NOW)
    lists.fold(files[1], sequence=50, command_id="c5")
    assert [item.name for item in lists.page(USER, name=None, limit=2, cursor=cursor).items] == ["2", "3"]


@pytest.mark.parametrize("cursor", ["", "x", "!!", "YWZ0ZXI6LTE", "YWZ0ZXI6", "äö", "a" * 1000])
def test_an_unknown_cursor_is_rejected(cursor):
    with pytest.raises(InvalidError, match="cursor"):
        catalog(file("a")).page(USER, name=None, limit=2, cursor=cursor)


def test_a_name_refers_to_its_newest_file():
    first, second = file("flood"), file("flood", generation=2)
    first.remove(NOW)
    lists = catalog(first, second)
    latest = lists.latest("user", "flood")
    assert latest is not None
    assert latest.id == second.id
    assert lists.latest("other", "flood") is None
    assert lists.added_by("c2") is second
