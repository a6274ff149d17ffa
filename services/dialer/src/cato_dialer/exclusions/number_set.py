"""The numbers of one list, packed into arrays: 20 bytes for each of them.

A number of at most 16 characters is an integer of 64 bits, to the base 14. The integers stand sorted in an
array, beside them until when each counts, and the place of its reason in a table of texts. Changes stand in a
dictionary in front of the arrays; once there are many, new arrays are made of both. Longer numbers stay in
the dictionary.
"""

import io
import json
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

_LONGEST = 16
_BASE = 14
_CHARACTERS = "0123456789*#+"
_TO_DIGITS = str.maketrans(_CHARACTERS, "123456789abcd")
_FEW = 4_096
_SHARE = 16
_FOR_EVER = 0

Key = int | str


@dataclass(frozen=True, slots=True)
class Entry:
    """A number of a list; `until` is a Unix time in seconds, None for ever."""

    number: str
    reason: str | None = None
    until: int | None = None
    call_id: UUID | None = None


def pack(number: str) -> Key:
    """Return the integer of a number, the number itself if it is too long for one."""
    return int(number.translate(_TO_DIGITS), _BASE) if len(number) <= _LONGEST else number


def unpack(key: Key) -> str:
    """Return the number of a key."""
    if isinstance(key, str):
        return key
    found = []
    while key:
        key, digit = divmod(key, _BASE)
        found.append(_CHARACTERS[digit - 1])
    return "".join(reversed(found))


@dataclass(frozen=True, slots=True)
class PackedNumbers:
    """Numbers in a given order. Those that are too long for an integer are in `long`, by their place."""

    keys: NDArray[np.uint64]
    long: Mapping[int, str]

    @classmethod
    def of(cls, numbers: Collection[str] = ()) -> Self:
        long: dict[int, str] = {}
        keys = np.zeros(len(numbers), np.uint64)
        for place, key in enumerate(map(pack, numbers)):
            if isinstance(key, str):
                long[place] = key
            else:
                keys[place] = key
        return cls(keys, long)


class NumberSet:
    """The numbers of one list."""

    def __init__(self) -> None:
        self._keys: NDArray[np.uint64] = np.empty(0, np.uint64)
        self._until: NDArray[np.int64] = np.empty(0, np.int64)
        self._reason: NDArray[np.int32] = np.empty(0, np.int32)
        self._texts: list[str | None] = [None]
        self._places: dict[str | None, int] = {None: 0}
        self._changed: dict[int, Entry | None] = {}
        self._long: dict[str, Entry] = {}
        self._calls: dict[int, UUID] = {}

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Self:
        """Return the set of these entries; of several with the same number, the last one counts."""
        found = cls()
        keys: list[int] = []
        until: list[int] = []
        reason: list[int] = []
        for entry in entries:
            key = pack(entry.number)
            if isinstance(key, str):
                found._long[key] = entry
                continue
            keys.append(key)
            until.append(entry.until or _FOR_EVER)
            reason.append(found._place(entry.reason))
        found._take(np.array(keys, np.uint64), np.array(until, np.int64), np.array(reason, np.int32))
        return found

    def put(self, entry: Entry) -> None:
        """Add a number, or replace its entry."""
        key = pack(entry.number)
        if isinstance(key, str):
            self._long[key] = entry
        else:
            self._change(key, entry)

    def drop(self, number: str) -> None:
        """Remove a number; one that is not there is no error."""
        key = pack(number)
        if isinstance(key, str):
            self._long.pop(key, None)
        else:
            self._change(key, None)

    def holds(self, number: str, at: float) -> bool:
        """Tell whether a number is excluded at a Unix time."""
        return self.holds_key(pack(number), at)

    def holds_key(self, key: Key, at: float) -> bool:
        """Tell whether the number that was packed to `key` is excluded at a Unix time."""
        if isinstance(key, str) or key in self._changed:
            entry = self._long.get(key) if isinstance(key, str) else self._changed[key]
            return entry is not None and (entry.until is None or at < entry.until)
        place = self._find(key)
        return place is not None and (self._until[place] == _FOR_EVER or at < self._until[place])

    def holding(self, numbers: PackedNumbers, at: float) -> NDArray[np.bool_]:
        """Tell of each number whether it is excluded at a Unix time."""
        self._settle()
        found = np.isin(numbers.keys, self._keys[(self._until == _FOR_EVER) | (at < self._until)])
        for place, number in numbers.long.items():
            found[place] = self.holds_key(number, at)
        return found

    def get(self, number: str) -> Entry | None:
        """Return the entry of a number."""
        key = pack(number)
        if isinstance(key, str):
            return self._long.get(key)
        if key in self._changed:
            return self._changed[key]
        place = self._find(key)
        return None if place is None else self._entry(place)

    def __len__(self) -> int:
        self._settle()
        return len(self._keys) + len(self._long)

    def after(self, number: str | None, limit: int) -> list[Entry]:
        """Return the next entries after a number, in the order of their keys; the long numbers come last."""
        self._settle()
        key = 0 if number is None else pack(number)
        found: list[Entry] = []
        if isinstance(key, int):
            first = int(self._keys.searchsorted(np.uint64(key), side="right"))
            found = [self._entry(place) for place in range(first, min(first + limit, len(self._keys)))]
        long = sorted(each for each in self._long if not isinstance(key, str) or each > key)
        return found + [self._long[each] for each in long[: limit - len(found)]]

    def __iter__(self) -> Iterator[Entry]:
        self._settle()
        yield from (self._entry(place) for place in range(len(self._keys)))
        yield from self._long.values()

    def to_bytes(self) -> bytes:
        """Return the set as it is stored; the calls are not part of it."""
        self._settle()
        texts = {
            "texts": self._texts,
            "long": [[entry.number, entry.reason, entry.until] for entry in self._long.values()],
        }
        stored = io.BytesIO()
        np.savez(
            stored,
            keys=self._keys.astype("<u8"),
            until=self._until.astype("<i8"),
            reason=self._reason.astype("<i4"),
            texts=np.frombuffer(json.dumps(texts).encode(), np.uint8),
        )
        return stored.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Return the set that `to_bytes` has stored. Raises ValueError for anything else."""
        found = cls()
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            found._keys = stored["keys"].astype(np.uint64, copy=False)
            found._until = stored["until"].astype(np.int64, copy=False)
            found._reason = stored["reason"].astype(np.int32, copy=False)
            texts = json.loads(stored["texts"].tobytes())
        found._texts = texts["texts"]
        found._places = {text: place for place, text in enumerate(found._texts)}
        found._long = {number: Entry(number, reason, until) for number, reason, until in texts["long"]}
        return found

    def _find(self, key: int) -> int | None:
        keys = self._keys.data  # its elements are plain int: half the time of `searchsorted`
        place = bisect_left(keys, key)
        return place if place < len(keys) and keys[place] == key else None

    def _entry(self, place: int) -> Entry:
        key, until = int(self._keys[place]), int(self._until[place])
        reason = self._texts[int(self._reason[place])]
        return Entry(unpack(key), reason, until or None, self._calls.get(key))

    def _place(self, text: str | None) -> int:
        if text not in self._places:
            self._places[text] = len(self._texts)
            self._texts.append(text)
        return self._places[text]

    def _change(self, key: int, entry: Entry | None) -> None:
        self._changed[key] = entry
        if len(self._changed) > _FEW + len(self._keys) // _SHARE:
            self._settle()

    def _settle(self) -> None:
        """Make new arrays of the arrays and the changes."""
        if not self._changed:
            return
        changed, self._changed = self._changed, {}
        for key, entry in changed.items():
            if entry is None or entry.call_id is None:
                self._calls.pop(key, None)
            else:
                self._calls[key] = entry.call_id
        gone = np.fromiter(changed, np.uint64, len(changed))
        kept = ~np.isin(self._keys, gone)
        new = {key: entry for key, entry in changed.items() if entry is not None}
        until = (entry.until or _FOR_EVER for entry in new.values())
        reason = (self._place(entry.reason) for entry in new.values())
        self._take(
            np.concatenate((self._keys[kept], np.fromiter(new, np.uint64, len(new)))),
            np.concatenate((self._until[kept], np.fromiter(until, np.int64, len(new)))),
            np.concatenate((self._reason[kept], np.fromiter(reason, np.int32, len(new)))),
        )

    def _take(self, keys: NDArray[np.uint64], until: NDArray[np.int64], reason: NDArray[np.int32]) -> None:
        """Take over these arrays, sorted, and with the last one of several with the same key."""
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        last = np.append(keys[1:] != keys[:-1], True) if len(keys) else np.empty(0, np.bool_)
        order = order[last]
        self._keys, self._until, self._reason = keys[last], until[order], reason[order]
