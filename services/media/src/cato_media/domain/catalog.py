"""The lists of files, folded from their commits in the order of the log."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from bisect import bisect_right
from uuid import UUID

from cato_contracts.errors import InvalidError
from cato_contracts.requests import Actor
from cato_contracts.resources import AudioFile as AudioFileResource
from cato_contracts.resources import Page
from cato_media.domain.audio_file import AudioFile


class Catalog:
    """Files by id, by name and by the command that added them.

    A cursor is the sequence of the commit that added the last file of the page, so files that are added or
    removed between two pages do not shift the next one.
    """

    def __init__(self) -> None:
        self._files: dict[UUID, AudioFile] = {}
        self._latest: dict[tuple[str, str], UUID] = {}
        self._by_command: dict[str, UUID] = {}
        self._sequences: list[int] = []
        self._ids: list[UUID] = []

    def fold(self, file: AudioFile, *, sequence: int, command_id: str) -> None:
        """Apply the state of a file after a commit. Commits come in ascending order of sequence."""
        if file.id not in self._files:
            self._sequences.append(sequence)
            self._ids.append(file.id)
            self._by_command[command_id] = file.id
            self._latest[file.owner, file.name] = file.id
        self._files[file.id] = file

    def get(self, file_id: UUID) -> AudioFile | None:
        return self._files.get(file_id)

    def added_by(self, command_id: str) -> AudioFile | None:
        file_id = self._by_command.get(command_id)
        return None if file_id is None else self._files[file_id]

    def latest(self, owner: str, name: str) -> AudioFile | None:
        """Return the file of the highest generation; all earlier ones were removed before it was added."""
        file_id = self._latest.get((owner, name))
        return None if file_id is None else self._files[file_id]

    def page(
        self, actor: Actor, *, name: str | None, limit: int, cursor: str | None
    ) -> Page[AudioFileResource]:
        """Return the files that the actor may see whose names contain `name`, ignoring case.

        Raises:
            InvalidError: if the cursor was not returned by a list.

        """
        wanted = name.casefold() if name else ""
        found: list[AudioFileResource] = []
        last = 0
        for index in range(bisect_right(self._sequences, _sequence(cursor)), len(self._ids)):
            file = self._files[self._ids[index]]
            if file.is_removed or not actor.may_see(file.owner) or wanted not in file.name.casefold():
                continue
            if len(found) == limit:
                return Page(items=found, next_cursor=_cursor(last))
            found.append(file.resource())
            last = self._sequences[index]
        return Page(items=found)


def _cursor(sequence: int) -> str:
    return urlsafe_b64encode(f"after:{sequence}".encode()).decode().rstrip("=")


def _sequence(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        word, _, number = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(":")
    except (Base64Error, ValueError) as error:
        raise InvalidError("cursor: not one that a list has returned") from error
    if word != "after" or not number.isascii() or not number.isdigit():
        raise InvalidError("cursor: not one that a list has returned")
    return int(number)
