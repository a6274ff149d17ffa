"""The address of a broker: its servers, and the credentials for all of them.

The client uses the credentials of a URL for that server only. In a cluster it also discovers servers from
the one that it is connected to. It sends them no credentials, so it could never connect to them. Therefore
the credentials are removed from the URLs and passed to the client as options.
"""

from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import unquote, urlsplit, urlunsplit


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """`servers` are URLs without credentials; either `user` and `password` are set, or `token`, or none."""

    servers: tuple[str, ...]
    user: str | None = None
    password: str | None = None
    token: str | None = None

    @classmethod
    def parse(cls, urls: str) -> Self:
        """Read URLs separated by commas, of which any may carry `user:password@` or `token@`.

        Raises:
            ValueError: no URL, a URL without a host, or two URLs with different credentials.

        """
        servers: list[str] = []
        found: set[tuple[str, str | None]] = set()
        for text in filter(None, (each.strip() for each in urls.split(","))):
            url = urlsplit(text if "://" in text else f"nats://{text}")
            if not url.hostname:
                raise ValueError("a broker's URL has no host")
            servers.append(urlunsplit(url._replace(netloc=url.netloc.rpartition("@")[2])))
            if url.username is not None:
                password = None if url.password is None else unquote(url.password)
                found.add((unquote(url.username), password))
        if not servers:
            raise ValueError("there is no broker URL")
        if len(found) > 1:
            raise ValueError("all servers of a broker take the same credentials, but its URLs differ in them")
        if not found:
            return cls(tuple(servers))
        user, password = found.pop()
        if password is None:
            return cls(tuple(servers), token=user)
        return cls(tuple(servers), user=user, password=password)

    def with_password(self, password: str) -> Self:
        """Return the address with the password of its user.

        Raises:
            ValueError: the URLs name no user, or have a password already.

        """
        if self.password is not None or self.token is None:
            raise ValueError("with a password in a file, the URL has a user and no password")
        return replace(self, user=self.token, password=password, token=None)

    def options(self) -> dict[str, Any]:
        """Return the arguments for `nats.connect`."""
        return {
            "servers": list(self.servers),
            "user": self.user,
            "password": self.password,
            "token": self.token,
        }
