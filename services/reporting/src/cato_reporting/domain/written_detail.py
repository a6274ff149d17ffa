"""The subscribers of a run and their calls, as a status document is written from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

NumberPosition = tuple[int, int]
"""A number in the list of a run: the number of the subscriber, and the index of the number."""


class WrittenSubscriber(NamedTuple):
    """A subscriber of the list: `contact` is the JSON object, `phones` the JSON array of their numbers.

    `sharing` are the fields of a subscriber who shares calls, after a comma; empty for others.
    """

    no: int
    contact: bytes
    phones: bytes
    sharing: bytes = b""


class WrittenCalls(NamedTuple):
    """The calls to one number of a subscriber: `text` is their JSON objects, with commas between them."""

    no: int
    phone_index: int
    number: bytes
    text: bytes


@dataclass(frozen=True, slots=True)
class WrittenDetail:
    """Subscribers and their calls, as JSON in UTF-8; `next_attempts` by retry rules, in Unix ms."""

    subscribers: list[WrittenSubscriber]
    notified: set[int]
    calls: list[WrittenCalls]
    next_attempts: Mapping[int, int] = field(default_factory=dict)
