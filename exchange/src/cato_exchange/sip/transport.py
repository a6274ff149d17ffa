"""The interface of SIP transports: a flow to one peer."""

from typing import Protocol


class Flow(Protocol):
    """A path to one peer over one transport. A stream transport has one flow per connection."""

    @property
    def reliable(self) -> bool:
        """Whether the transport retransmits by itself, so that transactions do not."""
        ...

    @property
    def protocol(self) -> str:
        """Return the name used in Via: `UDP`, `TCP`, `TLS`."""
        ...

    @property
    def peer(self) -> tuple[str, int]: ...

    @property
    def local(self) -> tuple[str, int]:
        """Return the local address that this peer sends to."""
        ...

    def towards(self, host: str, port: int) -> "Flow":
        """Return a flow to another address of the peer; a connected transport keeps its connection."""
        ...

    def send(self, data: bytes) -> None: ...
