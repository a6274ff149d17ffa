"""A prompt and its name: who owns it, where its sound is, that it was removed."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from cato_contracts.errors import InvalidError
from cato_contracts.ids import derived_id
from cato_contracts.objects import Bucket, ObjectRef
from cato_contracts.resources import AudioFile as AudioFileResource

MAX_NAME_LENGTH = 200
_PATH_CHARACTERS = "/\\"


def check_name(name: str) -> None:
    """Refuse what is no file name: blank, too long, with path or control characters.

    Raises:
        InvalidError

    """
    if not name.strip():
        raise InvalidError("filename: must not be blank")
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidError(f"filename: has {len(name)} characters, at most {MAX_NAME_LENGTH} are allowed")
    if name in {".", ".."} or any(character in _PATH_CHARACTERS for character in name):
        raise InvalidError("filename: must be a plain name, without / and \\")
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        raise InvalidError("filename: must not contain control characters")


def audio_file_id(owner: str, name: str, generation: int) -> UUID:
    """Return the id of the `generation`-th file (from 1) that `owner` has under `name`.

    Two that add the same name at the same time thus write to the same place in the log, where only one can
    be first. A file that was removed keeps its id for ever; the next one under its name has another.
    """
    return derived_id("audio-file", owner, name, generation)


@dataclass(frozen=True, slots=True)
class Prompt:
    """Sound as it is stored: A-law, 8000 bytes/s, mono; `sha256` and `size_bytes` are of those bytes."""

    object_name: str
    sha256: str
    size_bytes: int
    duration_ms: int


class AudioFile(Aggregate):
    """One file under a name. `source_sha256` is of the bytes that the client sent."""

    TOPIC = "audio-file"

    class Created(Aggregate.Created):
        TOPIC = "audio-file-added"
        owner: str
        name: str
        generation: int
        source_sha256: str
        source_kind: str
        prompt: Prompt
        added_at: datetime

    class Removed(Aggregate.Event):
        TOPIC = "audio-file-removed"
        removed_at: datetime

    @event(Created)
    def __init__(
        self,
        *,
        owner: str,
        name: str,
        generation: int,
        source_sha256: str,
        source_kind: str,
        prompt: Prompt,
        added_at: datetime,
    ) -> None:
        self.owner = owner
        self.name = name
        self.generation = generation
        self.source_sha256 = source_sha256
        self.source_kind = source_kind
        self.prompt = prompt
        self.added_at = added_at
        self.removed_at: datetime | None = None

    @classmethod
    def add(
        cls,
        *,
        owner: str,
        name: str,
        generation: int,
        source_sha256: str,
        source_kind: str,
        prompt: Prompt,
        now: datetime,
    ) -> Self:
        return cls._create(
            cls.Created,
            id=audio_file_id(owner, name, generation),
            owner=owner,
            name=name,
            generation=generation,
            source_sha256=source_sha256,
            source_kind=source_kind,
            prompt=prompt,
            added_at=now,
        )

    @event(Removed)
    def _removed(self, removed_at: datetime) -> None:
        self.removed_at = removed_at

    def remove(self, now: datetime) -> None:
        """Remove it for ever; once it is, nothing happens."""
        if self.removed_at is None:
            self._removed(now)

    @property
    def is_removed(self) -> bool:
        return self.removed_at is not None

    def content(self) -> ObjectRef:
        """Return where its sound is."""
        return ObjectRef(
            bucket=Bucket.PROMPTS,
            name=self.prompt.object_name,
            size=self.prompt.size_bytes,
            sha256=self.prompt.sha256,
        )

    def resource(self) -> AudioFileResource:
        """Return it as clients see it."""
        return AudioFileResource(
            id=self.id,
            name=self.name,
            user_id=self.owner,
            duration_ms=self.prompt.duration_ms,
            size_bytes=self.prompt.size_bytes,
            sha256=self.prompt.sha256,
            created_at=self.added_at,
            content=self.content(),
        )
