"""Conditional requests (RFC 9110, 13): ETags out, If-Match and If-None-Match in."""

import re

from fastapi import Request

from cato_contracts.resources import AudioFile, Versioned

_VERSION = re.compile(r'"([0-9]{1,15})"')


def etag_of(resource: object) -> str | None:
    """Return the ETag of a resource: its version; of audio, which never changes, the digest; else None."""
    if isinstance(resource, Versioned):
        return f'"{resource.version}"'
    if isinstance(resource, AudioFile):
        return f'"{resource.sha256}"'
    return None


def client_has(request: Request, etag: str) -> bool:
    """Tell whether the client asks for something else than what it has (weak comparison)."""
    sent = request.headers.get("if-none-match")
    if sent is None:
        return False
    return sent.strip() == "*" or etag in (each.strip().removeprefix("W/") for each in sent.split(","))


def matches(request: Request, resource: object) -> bool:
    """Tell whether the request is meant for the resource as it is (strong comparison)."""
    sent = request.headers.get("if-match")
    if sent is None or sent.strip() == "*":
        return True
    return etag_of(resource) in {each.strip() for each in sent.split(",")}


def wanted_versions(request: Request) -> list[int] | None:
    """Return the versions that the request is meant for, None for any.

    What is no ETag of ours is no version (strong comparison): the list may be empty, and nothing matches it.
    """
    sent = request.headers.get("if-match")
    if sent is None or sent.strip() == "*":
        return None
    found = (_VERSION.fullmatch(each.strip()) for each in sent.split(","))
    return [int(match[1]) for match in found if match]
