"""REGISTER (RFC 3261 10.3): bindings of users with their expiry."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sipmessage import Request, Response

from cato_exchange.plan import Challenge
from cato_exchange.sip import digest
from cato_exchange.sip.messages import reply

_DEFAULT_EXPIRES = 3600


@dataclass(frozen=True)
class Binding:
    contact: str
    expires_at: float
    "On the registrar's clock."


class Registrar:
    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._bindings: dict[str, dict[str, Binding]] = {}
        self._nonces: dict[str, str] = {}
        self.requests = 0

    def bindings(self, user: str) -> list[Binding]:
        now = self._time()
        return [known for known in self._bindings.get(user, {}).values() if known.expires_at > now]

    def forget_all(self) -> None:
        """Drop all bindings, as a restart does."""
        self._bindings.clear()
        self._nonces.clear()

    def register(self, request: Request, challenge: Challenge | None) -> Response:
        """Handle a REGISTER. Raises: ValueError if the request is invalid."""
        self.requests += 1
        tag = secrets.token_hex(6)
        if challenge is not None and (refusal := self._demand(request, challenge, tag)) is not None:
            return refusal
        user = request.to_address.uri.user or ""
        known = self._bindings.setdefault(user, {})
        default = int(request.headers.get("Expires") or _DEFAULT_EXPIRES)
        if request.headers.get("Contact") == "*":
            known.clear()
        else:
            for contact in request.contact:
                seconds = int(contact.parameters.get("expires") or default)
                uri = str(contact.uri)
                known.pop(uri, None)
                if seconds > 0:
                    known[uri] = Binding(uri, self._time() + seconds)
        response = reply(request, 200, to_tag=tag)
        now = self._time()
        for binding in self.bindings(user):
            response.headers.add("Contact", f"<{binding.contact}>;expires={round(binding.expires_at - now)}")
        return response

    def _demand(self, request: Request, challenge: Challenge, tag: str) -> Response | None:
        """Return a challenge unless the credentials are valid. Each Call-ID has one nonce."""
        nonce = self._nonces.get(request.call_id)
        given = digest.credentials(request, challenge)
        if given and nonce and digest.is_valid(given, challenge, request.method, nonce):
            return None
        nonce = self._nonces[request.call_id] = secrets.token_hex(16)
        headers = digest.challenge_header(challenge, nonce)
        return reply(request, challenge.status, to_tag=tag, headers=headers)
