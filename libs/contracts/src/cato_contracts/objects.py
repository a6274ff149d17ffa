"""References to objects that are too large for a message."""

from enum import StrEnum

from cato_contracts.model import Frozen


class Bucket(StrEnum):
    """The buckets of the object store."""

    UPLOADS = "uploads"
    """Request bodies on their way from the gateway to a service; they expire after a day."""
    PROMPTS = "prompts"
    """A-law audio: the prompts of audio files, and the joined prompt of a run."""
    LISTS = "lists"
    """The subscribers of groups and of runs, as JSON lines."""
    ARCHIVE = "archive"
    """The runs that have left the log."""


class ObjectRef(Frozen):
    """A reference to an object: place, size in bytes, and SHA-256 in hex if the writer knew it."""

    bucket: Bucket
    name: str
    size: int
    sha256: str | None = None
