"""The tokens with their users and permissions."""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from cato_contracts.errors import ConfigurationError
from cato_contracts.requests import Actor
from cato_runtime.configuration.config import Config, Permission, TokenConfig

_BUILT_IN = "default"


@dataclass(frozen=True, slots=True)
class Holder:
    """The user of a token and what the token allows."""

    user: str
    permissions: frozenset[Permission]

    def actor(self) -> Actor:
        return Actor(
            user_id=self.user,
            admin=Permission.ADMIN in self.permissions,
            emergency=Permission.EMERGENCY in self.permissions,
            approver=Permission.APPROVE in self.permissions,
        )


class TokenTable:
    """Tokens by their digests, so that a comparison takes the same time for every input."""

    def __init__(self, tokens: Iterable[TokenConfig]) -> None:
        self.replace(tokens)

    def replace(self, tokens: Iterable[TokenConfig]) -> None:
        """Accept these tokens from now on, and no others.

        Raises:
            ConfigurationError: if a token's variable or file is missing; the old tokens stay valid.

        """
        self._holders = [
            (_digest(token.secret().encode()), Holder(token.user, token.permissions)) for token in tokens
        ]

    def holder(self, token: bytes) -> Holder | None:
        sent = _digest(token)
        found = None
        for digest, holder in self._holders:
            if hmac.compare_digest(digest, sent):
                found = holder
        return found


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def refuse_public_default(config: Config, host: str) -> None:
    """Reject the manual's well-known token on an address that other machines can reach.

    Raises:
        ConfigurationError: if the token is configured and `allowDefaultToken` is not set.

    """
    if config.allow_default_token or _is_loopback(host):
        return
    if any(token.secret() == _BUILT_IN for token in config.tokens):
        raise ConfigurationError(
            f"listening on {host} with the well-known token {_BUILT_IN!r}: set tokens in the configuration"
            " file, or allowDefaultToken: true if every machine may use this system"
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
