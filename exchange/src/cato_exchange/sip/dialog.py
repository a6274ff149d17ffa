"""The callee's side of a dialog (RFC 3261 12): builds the requests to the caller."""

import secrets

from sipmessage import URI, Address, Request

from cato_exchange.sip.messages import SERVER, tag_of
from cato_exchange.sip.timers import DEFAULT_PORT
from cato_exchange.sip.transport import Flow


class Dialog:
    def __init__(self, invite: Request, flow: Flow, contact: str) -> None:
        self.local_tag = secrets.token_hex(8)
        self.remote_tag = tag_of(invite.headers["From"]) or ""
        self.call_id = invite.call_id
        self.contact = contact
        self.remote_sequence = invite.cseq.sequence
        self._us = f"{invite.headers['To']};tag={self.local_tag}"
        self._peer = invite.headers["From"]
        self._routes = [str(route) for route in invite.record_route]
        self._flow = flow
        self._sequence = 0
        self._target = invite.contact[0].uri if invite.contact else Address.parse(self._peer).uri

    def update(self, request: Request) -> None:
        """Take over sequence number and target of the peer's in-dialog request (RFC 3261 12.2.2)."""
        self.remote_sequence = max(self.remote_sequence, request.cseq.sequence)
        if request.method in {"INVITE", "UPDATE"} and request.contact:
            self._target = request.contact[0].uri

    def request(
        self,
        method: str,
        *,
        body: bytes = b"",
        content_type: str = "application/sdp",
        headers: dict[str, str] | None = None,
        sequence: int | None = None,
    ) -> tuple[Request, Flow]:
        """Return a request and its flow. The ACK of a 2xx needs the INVITE's sequence number."""
        if sequence is None:
            self._sequence += 1
            sequence = self._sequence
        request = Request(method, self._target, body)
        host, port = self._flow.local
        branch = f"z9hG4bK{secrets.token_hex(10)}"
        request.headers.add("Via", f"SIP/2.0/{self._flow.protocol} {host}:{port};branch={branch};rport")
        for route in self._routes:
            request.headers.add("Route", route)
        request.headers.add("Max-Forwards", "70")
        request.headers.add("From", self._us)
        request.headers.add("To", self._peer)
        request.headers.add("Call-ID", self.call_id)
        request.headers.add("CSeq", f"{sequence} {method}")
        request.headers.add("Contact", self.contact)
        request.headers.add("User-Agent", SERVER)
        for name, value in (headers or {}).items():
            request.headers.add(name, value)
        if body:
            request.headers.add("Content-Type", content_type)
        request.headers.add("Content-Length", str(len(body)))
        return request, self._next_hop()

    def _next_hop(self) -> Flow:
        """Return the flow to the first route or the target; if its host is a name, the flow of the INVITE."""
        uri: URI = Address.parse(self._routes[0]).uri if self._routes else self._target
        if uri.host.replace(".", "").isdigit():
            return self._flow.towards(uri.host, uri.port or DEFAULT_PORT)
        return self._flow
