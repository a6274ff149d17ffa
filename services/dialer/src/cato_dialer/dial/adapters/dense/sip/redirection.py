"""Redirections (RFC 3261, 8.1.3.4): followed within the station, never to another one."""

import re
from dataclasses import dataclass, field

from cato_dialer.dial.adapters.dense.sip.messages.header_values import after_address, parameter, uri_of
from cato_dialer.dial.adapters.dense.sip.messages.message import Received

_MOST = 5
_URI = re.compile(
    r"(?i:sip):(?:[^@<>\s]{1,200}@)?(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(?::([0-9]{1,5}))?(?:;[^?\s<>]*)?"
)
_QUALITY = re.compile(r"[01](?:\.[0-9]{0,3})?")


@dataclass(slots=True)
class Redirections:
    """The targets of one call so far. `host` and `port` are those of the station's URI."""

    host: str
    port: int
    _seen: set[str] = field(default_factory=set)

    def next(self, response: Received, current: str) -> str | None:
        """Return the URI to call instead of the current one, None if the redirection is not followed.

        Only URIs of the same station are taken: a station must not make us call another exchange. Each is
        tried once, so that stations that redirect in a circle end the call.
        """
        self._seen.add(current)
        if len(self._seen) > _MOST:
            return None
        contacts = sorted(response.listed("Contact"), key=_quality, reverse=True)
        for contact in contacts:
            uri = uri_of(contact)
            if uri is not None and uri not in self._seen and self._is_ours(uri):
                return uri
        return None

    def _is_ours(self, uri: str) -> bool:
        match = _URI.fullmatch(uri)
        if match is None or match[1].strip("[]").lower() != self.host.lower():
            return False
        return match[2] is None or int(match[2]) == self.port


def _quality(contact: str) -> float:
    """Return the preference of a contact, 1 by default."""
    value = parameter(after_address(contact), "q")
    return float(value) if value is not None and _QUALITY.fullmatch(value) else 1.0
