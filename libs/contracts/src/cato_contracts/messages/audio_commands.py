"""The requests to the media service."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from cato_contracts.api.resources import AudioFile, Page
from cato_contracts.objects import ObjectRef
from cato_contracts.requests import Command, Query

SERVICE = "media"


class AddAudioFile(Command[AudioFile]):
    """Inspect, transcode and store an uploaded file under a name."""

    service: ClassVar[str] = SERVICE
    name: str
    upload: ObjectRef
    allow_silence: bool = Field(default=False, exclude_if=lambda allowed: not allowed)
    """Accept audio without any sound, for a pause between other files."""


class RemoveAudioFile(Command[None]):
    service: ClassVar[str] = SERVICE
    id: UUID


class GetAudioFile(Query[AudioFile]):
    service: ClassVar[str] = SERVICE
    id: UUID


class GetAudioFiles(Query[list[AudioFile]]):
    """Get several files in the order of the ids; if any is unknown, the error lists all unknown ids."""

    service: ClassVar[str] = SERVICE
    ids: list[UUID]


class ListAudioFiles(Query[Page[AudioFile]]):
    service: ClassVar[str] = SERVICE
    name: str | None = None
    limit: int = Field(default=100, ge=1, le=1000)
    cursor: str | None = None
