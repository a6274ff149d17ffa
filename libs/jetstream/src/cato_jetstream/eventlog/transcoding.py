"""JSON for events and snapshots: values keep their types when they are read back, or are rejected.

The library's transcoder lets json write tuples as lists, and string and integer enumerations as plain values,
so an aggregate that was replayed would differ from the one that was saved. This transcoder rejects every
type that is not registered.
"""

import dataclasses
import math
from builtins import type as class_of
from datetime import date, timedelta
from enum import Enum
from typing import Any, Protocol, Self

from eventsourcing.persistence import (
    DatetimeAsISO,
    DecimalAsStr,
    JSONTranscoder,
    Transcoding,
    TranscodingNotRegisteredError,
    UUIDAsHex,
)


class StrictTranscoder(JSONTranscoder):
    """Knows str, int, float, bool, None, list, dict with string keys, and what is registered."""

    def __init__(self, *transcodings: Transcoding) -> None:
        super().__init__()
        for transcoding in (*DEFAULT_TRANSCODINGS, *transcodings):
            self.register(transcoding)

    def encode(self, obj: Any) -> bytes:
        """Raises TranscodingNotRegisteredError for an unknown type, ValueError for NaN and infinity."""
        return super().encode(self._plain(obj))

    def _plain(self, obj: Any) -> Any:
        kind = class_of(obj)
        if obj is None or kind in (str, bool, int):
            return obj
        if kind is float:
            if not math.isfinite(obj):
                raise ValueError(f"{obj} has no representation in JSON")
            return obj
        if kind is list:
            return [self._plain(item) for item in obj]
        if kind is dict:
            return {self._key(key): self._plain(value) for key, value in obj.items()}
        transcoding = self.types.get(kind)
        if transcoding is None:
            raise TranscodingNotRegisteredError(
                f"{kind.__qualname__} has no transcoding; give the repository one"
            )
        return {"_type_": transcoding.name, "_data_": self._plain(transcoding.encode(obj))}

    @staticmethod
    def _key(key: Any) -> str:
        if class_of(key) is not str:
            raise TranscodingNotRegisteredError(f"a dict key must be a str, not {class_of(key).__qualname__}")
        if key == "_type_":
            raise TranscodingNotRegisteredError("the dict key '_type_' is taken by the transcoder")
        return str(key)


class TupleAsList(Transcoding):
    type = tuple
    name = "tuple"

    def encode(self, obj: tuple[Any, ...]) -> list[Any]:
        return list(obj)

    def decode(self, data: list[Any]) -> tuple[Any, ...]:
        return tuple(data)


class FrozensetAsList(Transcoding):
    """Sorted, so that the same set gives the same bytes."""

    type = frozenset
    name = "frozenset"

    def encode(self, obj: frozenset[Any]) -> list[Any]:
        return sorted(obj)

    def decode(self, data: list[Any]) -> frozenset[Any]:
        return frozenset(data)


class DateAsISO(Transcoding):
    type = date
    name = "date_iso"

    def encode(self, obj: date) -> str:
        return obj.isoformat()

    def decode(self, data: str) -> date:
        return date.fromisoformat(data)


class TimedeltaAsMicroseconds(Transcoding):
    type = timedelta
    name = "timedelta_us"

    def encode(self, obj: timedelta) -> int:
        return obj // timedelta(microseconds=1)

    def decode(self, data: int) -> timedelta:
        return timedelta(microseconds=data)


DEFAULT_TRANSCODINGS: tuple[Transcoding, ...] = (
    UUIDAsHex(),
    DatetimeAsISO(),
    DecimalAsStr(),
    TupleAsList(),
    FrozensetAsList(),
    DateAsISO(),
    TimedeltaAsMicroseconds(),
)


class EnumAsValue(Transcoding):
    """One enumeration, under a stable name. Its values are stored: change names freely, never values."""

    def __init__(self, enumeration: class_of[Enum], name: str) -> None:
        self.type = self._enumeration = enumeration
        self.name = name

    def encode(self, obj: Enum) -> Any:
        return obj.value

    def decode(self, data: Any) -> Enum:
        return self._enumeration(data)


class DataclassAsDict(Transcoding):
    """One dataclass, under a stable name, field by field. New fields need a default."""

    def __init__(self, dataclass: class_of[Any], name: str) -> None:
        self.type = self._dataclass = dataclass
        self.name = name

    def encode(self, obj: Any) -> dict[str, Any]:
        return {field.name: getattr(obj, field.name) for field in dataclasses.fields(obj)}

    def decode(self, data: dict[str, Any]) -> Any:
        return self._dataclass(**data)


class Model(Protocol):
    """The methods of a pydantic model that are used."""

    def model_dump(self, *, mode: str, by_alias: bool, round_trip: bool) -> dict[str, Any]: ...

    @classmethod
    def model_validate(cls, obj: Any) -> Self: ...


class ModelAsDict(Transcoding):
    """One pydantic model, under a stable name, as the JSON that the model itself defines."""

    def __init__(self, model: class_of[Model], name: str) -> None:
        self.type = self._model = model
        self.name = name

    def encode(self, obj: Model) -> dict[str, Any]:
        return obj.model_dump(mode="json", by_alias=True, round_trip=True)

    def decode(self, data: dict[str, Any]) -> Model:
        return self._model.model_validate(data)
