"""References to what is too large for a message."""

from enum import StrEnum

from cato_contracts.model import Frozen


class Bucket(StrEnum):
    """The buckets of the object store."""

    UPLOADS = "uploads"
    """Bodies on their way from the gateway to the service that judges them; they expire after a day."""
    PROMPTS = "prompts"
    """A-law audio: what media made of an upload, and the joined prompts of a run."""
    LISTS = "lists"
    """Subscribers of groups and of runs, as JSON lines."""


class ObjectRef(Frozen):
    """Where an object is, how large (bytes), and its SHA-256 in hex when its writer knew it."""

    bucket: Bucket
    name: str
    size: int
    sha256: str | None = None
