"""Conditional requests (RFC 9110, 13): ETags out, If-Match and If-None-Match in.

The headers have no pattern: an entry that cannot be read is ignored, and in If-Match it matches nothing.
"""

import re
from typing import Annotated

from fastapi import Depends, Header, Request

from cato_contracts.api.resources import AudioFile, Versioned

_VERSION = re.compile(r'"([0-9]{1,15})"')

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match", description="ETags of the versions that the change is meant for; others get 412."
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        description="ETags that the client has; if one is current, the answer is 304.",
    ),
]


def etag_of(resource: object) -> str | None:
    """Return the ETag of a resource: its version; of audio, which never changes, the digest; else None."""
    if isinstance(resource, Versioned):
        return f'"{resource.version}"'
    if isinstance(resource, AudioFile):
        return f'"{resource.sha256}"'
    return None


def client_has(request: Request, etag: str) -> bool:
    """Tell whether `If-None-Match` names this ETag (weak comparison)."""
    sent = request.headers.get("if-none-match")
    if sent is None:
        return False
    return sent.strip() == "*" or etag in (each.strip().removeprefix("W/") for each in sent.split(","))


def matches(if_match: str | None, resource: object) -> bool:
    """Tell whether `If-Match` allows a change of the current version (strong comparison)."""
    if if_match is None or if_match.strip() == "*":
        return True
    return etag_of(resource) in {each.strip() for each in if_match.split(",")}


async def _wanted_versions(if_match: IfMatch = None) -> list[int] | None:
    """Return the versions that a change is meant for, None for any.

    An entry that is not one of our ETags is no version (strong comparison). The list may be empty: then
    it matches nothing.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    found = (_VERSION.fullmatch(each.strip()) for each in if_match.split(","))
    return [int(match[1]) for match in found if match]


WantedVersions = Annotated[list[int] | None, Depends(_wanted_versions)]


async def _declare_if_none_match(if_none_match: IfNoneMatch = None) -> None:
    """Declare the header for the OpenAPI document; `RequestContext.show` reads it."""


IF_NONE_MATCH = Depends(_declare_if_none_match)
