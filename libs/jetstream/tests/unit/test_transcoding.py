from collections import namedtuple
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from uuid import UUID

import pytest
from eventsourcing.persistence import TranscodingNotRegisteredError

from cato_jetstream import EnumAsValue, StrictTranscoder


class Mode(StrEnum):
    A = "a"


class Level(IntEnum):
    LOW = 1


Pair = namedtuple("Pair", "left right")  # noqa: PYI024 - the untyped kind is one to refuse, too

VALUES = [
    None,
    True,
    3,
    0.1,
    "Москва",
    [1, [2, (3, ())]],
    {"a": {"b": ({"c": 1},)}},
    UUID(int=7),
    datetime(2025, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    date(2025, 1, 2),
    timedelta(days=-1, microseconds=3),
    Decimal("1.10"),
    frozenset({"b", "a"}),
    (UUID(int=1), Decimal(2)),
]


def kind(value: object) -> str:
    return type(value).__name__


@pytest.mark.parametrize("value", VALUES, ids=kind)
def test_what_goes_in_comes_out(value: object):
    transcoder = StrictTranscoder()
    decoded = transcoder.decode(transcoder.encode(value))
    assert decoded == value
    assert type(decoded) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        Mode.A,
        Level.LOW,
        Pair(1, 2),
        {1, 2},
        b"x",
        object(),
        {1: "a"},
        {Mode.A: 1},
        {"_type_": "", "_data_": 1},
    ],
    ids=kind,
)
def test_what_would_come_out_as_something_else_is_refused(value: object):
    with pytest.raises(TranscodingNotRegisteredError):
        StrictTranscoder().encode([value])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_json_does_not_know_is_refused(value: float):
    with pytest.raises(ValueError, match="JSON"):
        StrictTranscoder().encode(value)


def test_a_registered_enumeration_comes_out_as_its_member():
    transcoder = StrictTranscoder(EnumAsValue(Mode, "mode"), EnumAsValue(Level, "level"))
    decoded = transcoder.decode(transcoder.encode((Mode.A, Level.LOW)))
    assert [type(item) for item in decoded] == [Mode, Level]


def test_an_unknown_stored_type_is_refused():
    data = StrictTranscoder(EnumAsValue(Mode, "mode")).encode(Mode.A)
    with pytest.raises(TranscodingNotRegisteredError):
        StrictTranscoder().decode(data)


def test_a_set_is_always_written_in_the_same_way():
    transcoder = StrictTranscoder()
    assert transcoder.encode(frozenset("cab")) == transcoder.encode(frozenset("bca"))
