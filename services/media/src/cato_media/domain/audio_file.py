"""An audio file: its owner, its name, its prompt, and whether it was removed."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from cato_contracts.api.resources import AudioFile as AudioFileResource
from cato_contracts.api.resources import AudioWarning
from cato_contracts.errors import InvalidError
from cato_contracts.ids import derived_id
from cato_contracts.objects import Bucket, ObjectRef

MAX_NAME_LENGTH = 200
_PATH_CHARACTERS = "/\\"


def check_name(name: str) -> None:
    """Check that the name is a plain file name.

    Raises:
        InvalidError: if it is blank, too long, or has path separators or control characters.

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

    Two concurrent requests for one name write to the same subject of the log, where only one write succeeds.
    A removed file keeps its id; the next file with its name has another.
    """
    return derived_id("audio-file", owner, name, generation)


@dataclass(frozen=True, slots=True)
class Prompt:
    """Stored audio: A-law, 8000 bytes/s, mono; `sha256` and `size_bytes` refer to the A-law bytes.

    The levels are None in events of earlier versions. Each warning is a code and a sentence.
    """

    object_name: str
    sha256: str
    size_bytes: int
    duration_ms: int
    peak_dbfs: float | None = None
    rms_dbfs: float | None = None
    warnings: Sequence[Sequence[str]] = ()


class AudioFile(Aggregate):
    """One file under a name. `source_sha256` is the digest of the bytes that the client sent."""

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
        """Remove the file for ever. Removing it again has no effect."""
        if self.removed_at is None:
            self._removed(now)

    @property
    def is_removed(self) -> bool:
        return self.removed_at is not None

    def content(self) -> ObjectRef:
        """Return the reference to the audio in the object store."""
        return ObjectRef(
            bucket=Bucket.PROMPTS,
            name=self.prompt.object_name,
            size=self.prompt.size_bytes,
            sha256=self.prompt.sha256,
        )

    def resource(self) -> AudioFileResource:
        """Return the resource that clients see."""
        return AudioFileResource(
            id=self.id,
            name=self.name,
            user_id=self.owner,
            duration_ms=self.prompt.duration_ms,
            size_bytes=self.prompt.size_bytes,
            sha256=self.prompt.sha256,
            created_at=self.added_at,
            content=self.content(),
            peak_dbfs=self.prompt.peak_dbfs,
            rms_dbfs=self.prompt.rms_dbfs,
            warnings=[AudioWarning(code=code, message=text) for code, text in self.prompt.warnings],
        )
