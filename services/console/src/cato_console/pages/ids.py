"""Ids in addresses and forms."""

from uuid import UUID


def id_of(text: str) -> UUID | None:
    """Return the id; None: the text is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
