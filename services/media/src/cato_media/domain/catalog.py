"""The lists of files, folded from their commits in the order of the log."""

from uuid import UUID

from cato_contracts.api.resources import AudioFile as AudioFileResource
from cato_contracts.api.resources import Page
from cato_contracts.paging import Collection
from cato_contracts.requests import Actor
from cato_media.domain.audio_file import AudioFile


class Catalog:
    """Files by id, by name and by the command that added them."""

    def __init__(self) -> None:
        self._files: dict[UUID, AudioFile] = {}
        self._latest: dict[tuple[str, str], UUID] = {}
        self._by_command: dict[str, UUID] = {}
        self._listed: Collection[AudioFileResource] = Collection()

    def fold(self, file: AudioFile, *, sequence: int, command_id: str) -> None:
        """Apply the state of a file after a commit. Commits come in ascending order of sequence."""
        if file.id not in self._files:
            self._by_command[command_id] = file.id
            self._latest[file.owner, file.name] = file.id
        self._files[file.id] = file
        self._listed.put(file.resource(), sequence)
        if file.is_removed:
            self._listed.drop(file.id)

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
        """Return a page of the files that were not removed; errors as `Collection.page`."""
        return self._listed.page(actor, name=name, limit=limit, cursor=cursor)
