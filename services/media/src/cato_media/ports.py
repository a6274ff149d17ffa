"""What the handlers need from outside."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

from cato_contracts.requests import Actor
from cato_contracts.resources import AudioFile as AudioFileResource
from cato_contracts.resources import Page
from cato_media.domain.audio_file import AudioFile
from cato_media.domain.sound import Sound


class OvertakenError(Exception):
    """Somebody else was first; look again and decide again."""


@dataclass(frozen=True, slots=True)
class Transcoded:
    """A-law in a file: 8000 bytes/s, whole packets of 20 ms; `peak` and `rms` in dB below full scale."""

    sha256: str
    size_bytes: int
    duration_ms: int
    peak_dbfs: float
    rms_dbfs: float


class Transcoder(Protocol):
    """Makes prompts of sound. What it is given is hostile: it bounds time, memory and output."""

    async def transcode(self, source: Path, sound: Sound, target: Path) -> Transcoded:
        """Write the prompt to `target`.

        Raises:
            InvalidError: if the sound cannot be decoded, or not within the bounds.
            TooLargeError: if there is more of it than allowed.

        """
        ...


class AudioFiles(Protocol):
    """The files that are kept. What was added before a call began is seen by that call, on every replica.

    Every method raises BrokerError when the log does not answer; after `add` and `remove` it is then unknown
    whether they happened: a repetition with the same command id tells.
    """

    async def get(self, file_id: UUID) -> AudioFile | None:
        """Return the file, a removed one too."""
        ...

    async def added_by(self, command_id: str) -> AudioFile | None:
        """Return the file that this command has added, even if it was removed since."""
        ...

    async def removed_by(self, file_id: UUID) -> str | None:
        """Return the command that removed the file, None if none has."""
        ...

    async def latest(self, owner: str, name: str) -> AudioFile | None:
        """Return the last file that had this name, a removed one too."""
        ...

    async def page(
        self, actor: Actor, *, name: str | None, limit: int, cursor: str | None
    ) -> Page[AudioFileResource]:
        """Return part of the files that the actor may see, in the order in which they were added.

        Raises:
            InvalidError: for a cursor that no list has returned.

        """
        ...

    async def add(self, file: AudioFile, *, command_id: str) -> AudioFile:
        """Keep a new file; added by this command before, it is returned as it is.

        Raises:
            OvertakenError: another command has added one with this id.

        """
        ...

    async def remove(self, file_id: UUID, *, command_id: str, now: datetime) -> AudioFile:
        """Remove a file that is there.

        Raises:
            OvertakenError: if others kept changing it.

        """
        ...


class ScratchSpace(Protocol):
    """Where uploads lie while they are judged."""

    def directory(self) -> AbstractContextManager[Path]:
        """Return a directory that is gone, with all that is in it, when its context is left."""
        ...


class PromptUsage(Protocol):
    """Knows which tasks play a file."""

    async def tasks_using(self, file_id: UUID, actor: Actor) -> Sequence[UUID]:
        """Return the tasks of any user.

        Raises:
            UnavailableError: if nobody can tell.

        """
        ...
