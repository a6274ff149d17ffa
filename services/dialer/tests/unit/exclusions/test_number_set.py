"""The packed numbers of a list behave as a dictionary does."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cato_dialer.exclusions import number_set
from cato_dialer.exclusions.number_set import Entry, NumberSet, PackedNumbers, pack, unpack

NOW = 1_700_000_000
CALL = UUID(int=7)

numbers = st.text("0123456789*#", min_size=1, max_size=17) | st.from_regex(r"\+[0-9]{1,15}", fullmatch=True)
entries = st.builds(
    Entry,
    numbers,
    st.none() | st.sampled_from(["asked", "deceased"]),
    st.none() | st.sampled_from([NOW - 1, NOW + 1]),
    st.none() | st.just(CALL),
)


@given(numbers)
def test_a_packed_number_is_unpacked_again(number: str):
    key = pack(number)
    assert unpack(key) == number
    assert isinstance(key, str) or 0 < key < 2**63


@given(st.lists(entries), st.lists(entries | numbers, max_size=30), st.integers(1, 5))
def test_changed_numbers_are_those_of_a_dictionary(first, changes, few):
    known = {entry.number: entry for entry in first}
    packed = NumberSet.of(first)
    known = {number: _without_call(entry) for number, entry in known.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(number_set, "_FEW", few)
        for change in changes:
            if isinstance(change, str):
                packed.drop(change)
                known.pop(change, None)
            else:
                packed.put(change)
                known[change.number] = change
    for number, entry in known.items():
        assert packed.holds(number, NOW) == (entry.until is None or entry.until > NOW)
        assert packed.get(number) == entry
    asked = [*known, "+4930123456", *(each if isinstance(each, str) else each.number for each in changes)]
    assert packed.holding(PackedNumbers.of(asked), NOW).tolist() == [
        packed.holds(each, NOW) for each in asked
    ]
    assert not packed.holds("+4930123456", NOW) or "+4930123456" in known
    assert len(packed) == len(known)
    assert {entry.number: entry for entry in packed} == known
    assert [entry.number for entry in _paged(packed)] == [entry.number for entry in packed.after(None, 1_000)]


def _without_call(entry: Entry) -> Entry:
    # An uploaded list has no calls; numbers that are too long for an integer are kept as they are.
    return entry if isinstance(pack(entry.number), str) else Entry(entry.number, entry.reason, entry.until)


def _paged(packed: NumberSet) -> list[Entry]:
    found: list[Entry] = []
    while page := packed.after(found[-1].number if found else None, 2):
        found += page
    return found


@given(st.lists(st.builds(Entry, numbers, st.none() | st.just("asked"), st.none() | st.just(NOW))))
def test_stored_numbers_are_read_again(stored):
    read = NumberSet.from_bytes(NumberSet.of(stored).to_bytes())
    assert list(read) == list(NumberSet.of(stored))
    read.put(Entry("776413", "new"))
    assert read.get("776413") == Entry("776413", "new")


def test_a_number_is_free_again_when_its_entry_expires():
    packed = NumberSet.of([Entry("776413", until=NOW)])
    assert packed.holds("776413", NOW - 1)
    assert not packed.holds("776413", NOW)
