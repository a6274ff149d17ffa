"""Digest credentials (RFC 7616, RFC 2617) for challenges of a station."""

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from cato_dialer.dial.adapters.dense.sip.messages.message import Received
from cato_dialer.dial.domain.station import Credentials

_PAIR = re.compile(r'([A-Za-z0-9-]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^\s,"]+)')
_HASHES: dict[str, Callable[[bytes], "hashlib._Hash"]] = {
    "SHA-256": hashlib.sha256,
    "MD5": hashlib.md5,
}
"Strongest first. Most stations ask for MD5, which protects only the password itself."
_HEADERS = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}
_MOST_ANSWERS = 4
"Challenges answered per transaction: each of several proxies once, and stale nonces."


@dataclass(frozen=True, slots=True)
class Challenge:
    realm: str
    nonce: str
    opaque: str | None
    algorithm: str
    qop: bool
    stale: bool


@dataclass(slots=True)
class Digest:
    """The credentials of one call, and the challenges that it has received.

    `authorize` gives the headers for the next request of the dialog (they are sent along from then on, with
    a rising nonce count).
    """

    credentials: Credentials | None
    _answered: dict[tuple[str, str], Challenge] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _answers: int = 0

    def take(self, response: Received) -> bool:
        """Return whether the request can be sent again with credentials that the station has not refused."""
        if self.credentials is None or response.code not in _HEADERS or self._answers >= _MOST_ANSWERS:
            return False
        challenge_header, header = _HEADERS[response.code]
        found = _best(response.headers(challenge_header), self.credentials.realm)
        if found is None:
            return False
        before = self._answered.get((header, found.realm))
        if before is not None and not found.stale:
            return False
        self._answered[header, found.realm] = found
        self._answers += 1
        return True

    def authorize(self, method: str, uri: str) -> list[tuple[str, str]]:
        """Return the headers for a request with this method and request URI."""
        credentials = self.credentials
        if credentials is None:
            return []
        return [
            (header, self._answer(credentials, challenge, method, uri))
            for (header, _), challenge in self._answered.items()
        ]

    def _answer(self, credentials: Credentials, challenge: Challenge, method: str, uri: str) -> str:
        algorithm = challenge.algorithm.upper()
        digest = _HASHES[algorithm.removesuffix("-SESS")]
        count = self._counts[challenge.nonce] = self._counts.get(challenge.nonce, 0) + 1
        cnonce = secrets.token_hex(8)
        secret = _hex(digest, f"{credentials.username}:{challenge.realm}:{credentials.password}")
        if algorithm.endswith("-SESS"):
            secret = _hex(digest, f"{secret}:{challenge.nonce}:{cnonce}")
        request = _hex(digest, f"{method}:{uri}")
        counted = f":{count:08x}:{cnonce}:auth" if challenge.qop else ""
        response = _hex(digest, f"{secret}:{challenge.nonce}{counted}:{request}")
        fields = [
            f'username="{_escaped(credentials.username)}"',
            f'realm="{_escaped(challenge.realm)}"',
            f'nonce="{_escaped(challenge.nonce)}"',
            f'uri="{uri}"',
            f'response="{response}"',
            f"algorithm={challenge.algorithm}",
        ]
        if challenge.opaque is not None:
            fields.append(f'opaque="{_escaped(challenge.opaque)}"')
        if challenge.qop:
            fields.append(f'qop=auth, nc={count:08x}, cnonce="{cnonce}"')
        elif algorithm.endswith("-SESS"):
            fields.append(f'cnonce="{cnonce}"')
        return "Digest " + ", ".join(fields)


def _best(lines: Iterable[str], realm: str) -> Challenge | None:
    """Return the strongest challenge that we can answer, for this realm."""
    found = [challenge for line in lines if (challenge := _challenge(line)) is not None]
    fitting = [one for one in found if realm in {"*", one.realm}]
    strength = {name: rank for rank, name in enumerate(_HASHES)}
    return min(fitting, key=lambda one: strength[one.algorithm.upper().removesuffix("-SESS")], default=None)


def _challenge(line: str) -> Challenge | None:
    scheme, _, rest = line.strip().partition(" ")
    if scheme.lower() != "digest":
        return None
    fields = {name.lower(): _unquoted(value) for name, value in _PAIR.findall(rest)}
    algorithm = fields.get("algorithm", "MD5")
    qop = fields.get("qop")
    if "nonce" not in fields or algorithm.upper().removesuffix("-SESS") not in _HASHES:
        return None
    if qop is not None and "auth" not in {one.strip().lower() for one in qop.split(",")}:
        return None
    return Challenge(
        realm=fields.get("realm", ""),
        nonce=fields["nonce"],
        opaque=fields.get("opaque"),
        algorithm=algorithm,
        qop=qop is not None,
        stale=fields.get("stale", "").lower() == "true",
    )


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _hex(digest: Callable[[bytes], "hashlib._Hash"], text: str) -> str:
    return digest(text.encode("utf-8")).hexdigest()
