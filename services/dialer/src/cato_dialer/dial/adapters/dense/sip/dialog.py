"""Dialogs (RFC 3261, 12): tags, sequence numbers, route set and remote target."""

from dataclasses import dataclass
from typing import NamedTuple

from cato_dialer.dial.adapters.dense.sip.messages.header_values import parameter, uri_of
from cato_dialer.dial.adapters.dense.sip.messages.message import Received
from cato_dialer.dial.adapters.dense.sip.transactions.client import Request

USER_AGENT = "CATO"


class Identity(NamedTuple):
    """The two parties of a call: their URIs, our tag and our contact."""

    call_id: str
    local_uri: str
    local_tag: str
    remote_uri: str
    contact: str


@dataclass(slots=True)
class Dialog:
    """One dialog with the far end, created by the first response that has a tag."""

    identity: Identity
    remote_tag: str
    remote_to: str
    target: str
    routes: tuple[str, ...]
    local_sequence: int
    remote_sequence: int = -1
    bye_challenged: bool = False
    """Our BYE has been sent again with credentials."""

    @classmethod
    def from_response(cls, identity: Identity, response: Received, target: str) -> "Dialog":
        """`target` is the request URI if the response has no Contact."""
        contacts = response.listed("Contact")
        return cls(
            identity=identity,
            remote_tag=response.to_tag,
            remote_to=response.header("To") or "",
            target=(uri_of(contacts[0]) if contacts else None) or target,
            routes=tuple(reversed(response.listed("Record-Route"))),
            local_sequence=response.sequence,
        )

    def refresh_target(self, message: Received) -> None:
        """Update the remote target from a re-INVITE, an UPDATE or a response to one."""
        contacts = message.listed("Contact")
        self.target = (uri_of(contacts[0]) if contacts else None) or self.target

    def takes(self, request: Received) -> bool:
        """Check the CSeq of the far end's request; return False if it is out of order (RFC 3261, 12.2.2)."""
        if request.sequence < self.remote_sequence:
            return False
        self.remote_sequence = request.sequence
        return True

    def request(
        self,
        method: str,
        extra: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        *,
        sequence: int | None = None,
    ) -> Request:
        """Return a request within the dialog; ACK is given the sequence number of its INVITE."""
        if sequence is None:
            self.local_sequence += 1
            sequence = self.local_sequence
        uri, routes = self._path()
        headers = [("Route", route) for route in routes]
        headers += [
            ("Max-Forwards", "70"),
            ("From", f"<{self.identity.local_uri}>;tag={self.identity.local_tag}"),
            ("To", self.remote_to),
            ("Call-ID", self.identity.call_id),
            ("CSeq", f"{sequence} {method}"),
            ("Contact", f"<{self.identity.contact}>"),
            *extra,
            ("User-Agent", USER_AGENT),
        ]
        if body:
            headers.append(("Content-Type", "application/sdp"))
        return Request(method, uri, tuple(headers), body)

    @property
    def request_uri(self) -> str:
        return self._path()[0]

    def _path(self) -> tuple[str, tuple[str, ...]]:
        """Return request URI and route set; a strict router as first hop becomes the request URI itself."""
        if not self.routes:
            return self.target, ()
        first = uri_of(self.routes[0]) or self.target
        if parameter(first, "lr") is not None:
            return self.target, self.routes
        return first, (*self.routes[1:], f"<{self.target}>")
