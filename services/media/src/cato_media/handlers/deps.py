"""The dependencies of the handlers."""

from dataclasses import dataclass, field

from cato_media.handlers.uploads import Uploads
from cato_media.ports import AudioFiles, PromptUsage, ScratchSpace, Transcoder
from cato_runtime.objects import ObjectStore


@dataclass(frozen=True, slots=True)
class AudioLimits:
    """The largest upload: bytes as sent, seconds of audio."""

    max_bytes: int
    max_seconds: float


@dataclass(frozen=True, slots=True)
class Deps:
    """The ports and limits that the handlers work with."""

    files: AudioFiles
    objects: ObjectStore
    transcoder: Transcoder
    usage: PromptUsage
    scratch: ScratchSpace
    limits: AudioLimits
    uploads: Uploads = field(default_factory=Uploads)
