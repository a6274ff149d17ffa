"""The ports of the media service."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

from cato_contracts.api.resources import AudioFile as AudioFileResource
from cato_contracts.api.resources import Page
from cato_contracts.requests import Actor
from cato_media.domain.audio_file import AudioFile
from cato_media.domain.checks import Warned
from cato_media.domain.sound import Sound


class OvertakenError(Exception):
    """Another command was committed first; load the state and decide again."""


@dataclass(frozen=True, slots=True)
class Transcoded:
    """A prompt in a file: A-law, 8000 bytes/s, whole packets of 20 ms; levels in dB below full scale."""

    sha256: str
    size_bytes: int
    duration_ms: int
    peak_dbfs: float
    rms_dbfs: float
    warnings: tuple[Warned, ...] = ()


class Transcoder(Protocol):
    """Turns uploads into prompts. Uploads are hostile: time, memory and output are bounded."""

    async def transcode(self, source: Path, sound: Sound, target: Path) -> Transcoded:
        """Write the prompt to `target`.

        Raises:
            InvalidError: if the audio cannot be decoded, or not within the bounds.
            TooLargeError: if it is longer than allowed.

        """
        ...


class AudioFiles(Protocol):
    """The stored files. A call sees every file that any replica had acknowledged before the call began.

    Every method raises BrokerError when the log does not answer. After `add` and `remove` it is then unknown
    whether the write happened; a repetition with the same command id finds out.
    """

    def followed(self) -> AbstractAsyncContextManager[None]:
        """Keep the lists up to date while the context lasts; it is entered when they are complete."""
        ...

    async def get(self, file_id: UUID) -> AudioFile | None:
        """Return the file, even if it was removed."""
        ...

    async def added_by(self, command_id: str) -> AudioFile | None:
        """Return the file that this command has added, even if it was removed since."""
        ...

    async def latest(self, owner: str, name: str) -> AudioFile | None:
        """Return the newest file with this name, even if it was removed."""
        ...

    async def page(
        self, actor: Actor, *, name: str | None, limit: int, cursor: str | None
    ) -> Page[AudioFileResource]:
        """Return one page of the files that the actor may see, in the order in which they were added.

        Raises:
            InvalidError: if the cursor was not returned by a list.

        """
        ...

    async def add(self, file: AudioFile, *, command_id: str) -> AudioFile:
        """Commit a new file. If this command has added it before, return it as it is stored.

        Raises:
            OvertakenError: if another command has added a file with this id.

        """
        ...

    async def remove(self, file_id: UUID, *, command_id: str, now: datetime) -> AudioFile:
        """Remove the file. If this command has removed it before, return it.

        Raises:
            NotFoundError: if another command has removed it.
            OvertakenError: if other commands keep changing it.

        """
        ...


class ScratchSpace(Protocol):
    """Disk space for uploads while they are inspected and transcoded."""

    def opened(self) -> AbstractContextManager[None]:
        """Make the space usable while the context lasts."""
        ...

    def directory(self) -> AbstractContextManager[Path]:
        """Return a directory that is removed with its content when the context ends."""
        ...


class PromptUsage(Protocol):
    """Knows which tasks use a file."""

    async def tasks_using(self, file_id: UUID, actor: Actor) -> Sequence[UUID]:
        """Return the ids of the tasks of all users that use the file.

        Raises:
            UnavailableError: if the answer is not known.

        """
        ...
