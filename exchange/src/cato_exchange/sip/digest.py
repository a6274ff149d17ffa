"""Digest authentication (RFC 7616, RFC 8760), the server's side."""

import hashlib
import hmac
import re

from sipmessage import Request

from cato_exchange.plan import Challenge

_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_HASHES = {"MD5": "md5", "SHA-256": "sha256"}


def header_names(challenge: Challenge) -> tuple[str, str]:
    """Return the names of the challenge header and of the credentials header."""
    if challenge.status == 401:  # noqa: PLR2004
        return "WWW-Authenticate", "Authorization"
    return "Proxy-Authenticate", "Proxy-Authorization"


def challenge_header(challenge: Challenge, nonce: str) -> dict[str, str]:
    """Return the challenge header of a 401 or 407."""
    value = f'Digest realm="{challenge.realm}", nonce="{nonce}", algorithm={challenge.algorithm}, qop="auth"'
    return {header_names(challenge)[0]: value}


def credentials(request: Request, challenge: Challenge) -> dict[str, str] | None:
    """Return the request's credentials for this realm, or None."""
    for value in request.headers.getlist(header_names(challenge)[1]):
        scheme, _, rest = value.strip().partition(" ")
        found = {
            name.lower(): bare or re.sub(r"\\(.)", r"\1", quoted)
            for name, quoted, bare in _PARAMETER.findall(rest)
        }
        if scheme.lower() == "digest" and found.get("realm") == challenge.realm:
            return found
    return None


def response_for(
    challenge: Challenge, *, method: str, uri: str, nonce: str, qop: str = "", nc: str = "", cnonce: str = ""
) -> str:
    """Return the digest response (RFC 7616 3.4.1)."""

    def digest(*parts: str) -> str:
        return hashlib.new(_HASHES[challenge.algorithm], ":".join(parts).encode()).hexdigest()

    secret = digest(challenge.username, challenge.realm, challenge.password)
    what = digest(method, uri)
    return digest(secret, nonce, nc, cnonce, qop, what) if qop else digest(secret, nonce, what)


def is_valid(given: dict[str, str], challenge: Challenge, method: str, nonce: str) -> bool:
    if given.get("username") != challenge.username or given.get("nonce") != nonce:
        return False
    if given.get("algorithm", "MD5").upper() != challenge.algorithm or given.get("qop", "auth") != "auth":
        return False
    expected = response_for(
        challenge,
        method=method,
        uri=given.get("uri", ""),
        nonce=nonce,
        qop=given.get("qop", ""),
        nc=given.get("nc", ""),
        cnonce=given.get("cnonce", ""),
    )
    return hmac.compare_digest(expected, given.get("response", "").lower())
