"""Identifiers: time-ordered ones for new things, derived ones for things that must not be made twice."""

import secrets
from datetime import datetime
from uuid import UUID, uuid5

from cato_contracts.instants import unix_ms

_NAMESPACE = UUID("6f6a9d0e-3c0b-5d0e-9c57-1d1a3d6c0d8a")


def time_ordered_id(now: datetime) -> UUID:
    """Return a UUID version 7 (RFC 9562, 5.7): the millisecond of `now` and random bits."""
    milliseconds = unix_ms(now)
    value = (milliseconds & ((1 << 48) - 1)) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def derived_id(*parts: object) -> UUID:
    """Return the UUID version 5 of these parts; the same parts always give the same UUID."""
    return uuid5(_NAMESPACE, "\x1f".join(str(part) for part in parts))
