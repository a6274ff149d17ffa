from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cato_contracts.errors import InvalidError
from cato_contracts.paging import Collection, number, read_cursor, write_cursor
from cato_contracts.requests import Actor

USER = Actor(user_id="user")


@dataclass(frozen=True)
class Item:
    name: str
    user_id: str = "user"
    id: UUID = field(default_factory=uuid4)


@given(st.integers(0, 10**19 - 1), st.text())
def test_a_cursor_is_read_as_it_was_written(sequence: int, name: str) -> None:
    assert read_cursor(write_cursor(sequence, name), number, str) == [sequence, name]


@pytest.mark.parametrize(
    "cursor", ["", "x", "-1", "+1", "01", "1.", "1.2", " 1", "1\n", "\u0661", "9" * 5000]
)
def test_a_cursor_that_no_list_has_returned_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidError, match="cursor"):
        read_cursor(cursor, number)


@pytest.mark.parametrize("cursor", ["", "1", "1.x"])
def test_a_cursor_with_a_part_that_is_missing_or_wrong_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidError, match="cursor"):
        read_cursor(cursor, number, UUID)


@given(st.integers(1, 20), st.integers(1, 7), st.sets(st.integers(0, 19)))
def test_pages_together_are_the_collection_without_what_was_dropped(
    count: int, limit: int, dropped: set[int]
) -> None:
    collection: Collection[Item] = Collection()
    items = [Item(f"item {no}", user_id="other" if no % 5 == 4 else "user") for no in range(count)]
    for no, item in enumerate(items):
        collection.put(item, sequence=no * 3 + 1)
    found: list[Item] = []
    cursor = None
    while True:
        page = collection.page(USER, name="ITEM", limit=limit, cursor=cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
        assert len(page.items) == limit
        for no in dropped & set(range(items.index(page.items[-1]))):
            collection.drop(items[no].id)
    assert found == [item for item in items if item.user_id == "user"]


def test_a_newer_state_keeps_the_place_of_the_first() -> None:
    collection: Collection[Item] = Collection()
    first, second = Item("first"), Item("second")
    collection.put(first, sequence=1)
    collection.put(second, sequence=2)
    renamed = Item("renamed", id=first.id)
    collection.put(renamed, sequence=3)
    assert collection.page(USER, name=None, limit=9, cursor=None).items == [renamed, second]
