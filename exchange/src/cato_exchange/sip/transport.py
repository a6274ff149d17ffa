"""Where a SIP message came from and where the next one to that peer goes, whatever carries it."""

from typing import Protocol


class Flow(Protocol):
    """One peer, over one transport. A stream transport makes one per connection."""

    @property
    def reliable(self) -> bool:
        """Whether the transport itself retransmits, so that transactions must not."""
        ...

    @property
    def protocol(self) -> str:
        """As it stands in Via: `UDP`, `TCP`."""
        ...

    @property
    def peer(self) -> tuple[str, int]: ...

    @property
    def local(self) -> tuple[str, int]:
        """The address that this peer reaches us at."""
        ...

    def towards(self, host: str, port: int) -> "Flow":
        """Another address of the same peer; a connected transport stays on its connection."""
        ...

    def send(self, data: bytes) -> None: ...
