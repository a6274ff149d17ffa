"""The commit: one message that contains the new events, the state after them and the outbox."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from cato_jetstream.errors import Corrupt
from cato_jetstream.eventlog.log import Record

Message = Mapping[str, Any]
"""A public contract envelope: an object of plain JSON values."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An event or a snapshot as stored: `state` is the JSON of the library's mapper, before any upcast."""

    name: str
    version: int
    state: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Commit:
    """The effect of one command on one aggregate. `sequence` is the position in the log.

    `recent_commands` are the commands before this one, newest first, as many as the repository remembers.
    """

    subject: str
    sequence: int
    aggregate_id: str
    command_id: str
    type: str
    version: int
    saved_at: datetime
    events: tuple[Stored, ...]
    snapshot: Stored
    messages: tuple[dict[str, Any], ...]
    recent_commands: tuple[str, ...]

    def knows(self, command_id: str) -> bool:
        """Whether this command was committed, now or recently."""
        return command_id == self.command_id or command_id in self.recent_commands

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Raises Corrupt if the message is not a commit."""
        try:
            content = json.loads(record.data)
            return cls(
                subject=record.subject,
                sequence=record.sequence,
                aggregate_id=content["id"],
                command_id=content["commandId"],
                type=content["type"],
                version=content["version"],
                saved_at=datetime.fromisoformat(content["savedAt"]),
                events=tuple(Stored(**event) for event in content["events"]),
                snapshot=Stored(**content["snapshot"]),
                messages=tuple(content["messages"]),
                recent_commands=tuple(content.get("recentCommands", ())),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Corrupt(
                f"message {record.sequence} on {record.subject} is not a commit: {error!r}"
            ) from error


def encode_commit(
    *,
    aggregate_id: str,
    command_id: str,
    aggregate_type: str,
    version: int,
    saved_at: datetime,
    recent_commands: Sequence[str],
    events: Sequence[bytes],
    snapshot: bytes,
    messages: Sequence[Message],
) -> bytes:
    """Put a commit together from items that `encode_stored` made.

    Raises:
        TypeError, ValueError: a message is not plain JSON.

    """
    head = {
        "id": aggregate_id,
        "commandId": command_id,
        "type": aggregate_type,
        "version": version,
        "savedAt": saved_at.isoformat(),
        "recentCommands": list(recent_commands),
    }
    return b"".join(
        (
            _json(head)[:-1],
            b',"events":[',
            b",".join(events),
            b'],"snapshot":',
            snapshot,
            b',"messages":',
            _json([dict(message) for message in messages]),
            b"}",
        )
    )


def encode_stored(name: str, version: int, state: bytes) -> bytes:
    """`state` is JSON already."""
    return b'{"name":%b,"version":%d,"state":%b}' % (_json(name), version, state)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
