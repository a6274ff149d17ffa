"""Convert aggregates to commits and back. The library's mapper handles names, upcasts and snapshots."""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from eventsourcing.domain import Aggregate, CanMutateAggregate, Snapshot
from eventsourcing.persistence import Mapper, StoredEvent, Transcoding
from eventsourcing.utils import TopicError, get_topic, resolve_topic

from cato_jetstream.errors import Corrupt, UnstableName
from cato_jetstream.eventlog.commit import Commit, Message, Stored, encode_commit, encode_stored
from cato_jetstream.eventlog.transcoding import StrictTranscoder

A = TypeVar("A", bound=Aggregate)

AggregateEvents = Sequence[CanMutateAggregate[UUID]]

_TYPE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_EVENT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_SNAPSHOT = "Snapshot"


class Codec(Generic[A]):
    """Encodes and restores one aggregate class.

    Raises:
        UnstableName: at construction, if the class or one of its events has no short name of its own.

    """

    def __init__(self, aggregate_class: type[A], transcodings: Sequence[Transcoding] = ()) -> None:
        _check_names(aggregate_class)
        self.type_name = str(vars(aggregate_class)["TOPIC"])
        self._class = aggregate_class
        self._snapshot_class: type[Snapshot] = aggregate_class.Snapshot
        self._snapshot_topic = get_topic(self._snapshot_class)
        self._mapper: Mapper[UUID] = Mapper(StrictTranscoder(*transcodings))

    def encode(
        self,
        aggregate: A,
        events: AggregateEvents,
        *,
        command_id: str,
        recent_commands: Sequence[str],
        saved_at: datetime,
        messages: Sequence[Message],
    ) -> bytes:
        """The commit of these events and of the aggregate as it is after them."""
        return encode_commit(
            aggregate_id=str(aggregate.id),
            command_id=command_id,
            aggregate_type=self.type_name,
            version=aggregate.version,
            saved_at=saved_at,
            recent_commands=recent_commands,
            events=[self._encode(event) for event in events],
            snapshot=self._encode(self._snapshot_class.take(aggregate), _SNAPSHOT),
            messages=messages,
        )

    def restore(self, commit: Commit) -> A:
        """The aggregate after a commit, from its snapshot.

        Raises:
            Corrupt: the snapshot cannot be read by this class.

        """
        if commit.type != self.type_name:
            raise Corrupt(f"commit {commit.sequence} is of a {commit.type}, not of a {self.type_name}")
        snapshot = cast("Snapshot", self._decode(commit, commit.snapshot, self._snapshot_topic))
        try:
            aggregate = snapshot.mutate(None)
        except Exception as error:
            raise Corrupt(
                f"the snapshot of commit {commit.sequence} cannot be restored: {error!r}"
            ) from error
        if not isinstance(aggregate, self._class):
            raise Corrupt(f"the snapshot of commit {commit.sequence} is of a {type(aggregate).__name__}")
        return aggregate

    def events(self, commit: Commit) -> tuple[CanMutateAggregate[UUID], ...]:
        """The events of a commit, upcast to their present shape.

        Raises:
            Corrupt: an event is unknown or cannot be read.

        """
        return tuple(
            cast("CanMutateAggregate[UUID]", self._decode(commit, stored, stored.name))
            for stored in commit.events
        )

    def _encode(self, event: Any, name: str | None = None) -> bytes:
        stored = self._mapper.to_stored_event(event)
        return encode_stored(name or stored.topic, stored.originator_version, stored.state)

    def _decode(self, commit: Commit, stored: Stored, topic: str) -> object:
        # A stored name must never cause an import.
        if topic == stored.name and not _EVENT_NAME.fullmatch(topic):
            raise Corrupt(f"commit {commit.sequence} has an event with the name {topic!r}")
        try:
            return self._mapper.to_domain_event(
                StoredEvent(
                    originator_id=UUID(commit.aggregate_id),
                    originator_version=stored.version,
                    topic=topic,
                    state=json.dumps(stored.state).encode(),
                )
            )
        except Exception as error:
            # The upcasters of the domain run here: any of their exceptions means an unreadable commit.
            raise Corrupt(f"{stored.name} of commit {commit.sequence} cannot be read: {error!r}") from error


def _check_names(aggregate_class: type[Aggregate]) -> None:
    own = vars(aggregate_class)
    if not _TYPE_NAME.fullmatch(str(own.get("TOPIC", ""))):
        raise UnstableName(
            f"{aggregate_class.__qualname__} needs a class attribute TOPIC: its short, stable name"
            f" (letters, digits, - and _), as do its events"
        )
    for event_class in own.values():
        if not isinstance(event_class, type) or not issubclass(event_class, CanMutateAggregate):
            continue
        if event_class.__name__ == "Event":
            continue
        topic = get_topic(event_class)
        if not _EVENT_NAME.fullmatch(topic) or not _resolves_to(topic, event_class):
            raise UnstableName(
                f"{event_class.__qualname__} needs a class attribute TOPIC of its own: a short, stable name"
                f" (letters, digits, . - and _), not {topic!r}"
            )


def _resolves_to(topic: str, event_class: type) -> bool:
    try:
        return resolve_topic(topic) is event_class
    except TopicError:
        return False
