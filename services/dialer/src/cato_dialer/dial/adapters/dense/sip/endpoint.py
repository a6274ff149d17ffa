"""Our SIP endpoint: passes messages to their transactions and dialogs, and drops everything else."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable
from typing import Protocol

import structlog

from cato_dialer.dial.adapters.dense.sip.message import MessageError, Received, parse, response_bytes
from cato_dialer.dial.adapters.dense.sip.transactions import (
    ClientTransaction,
    Request,
    ServerTransaction,
    State,
)
from cato_dialer.dial.adapters.dense.sip.transport import Remote, TcpTransport, Transport, UdpTransport

log = structlog.get_logger()

_MAGIC = "z9hG4bK"
ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE"
_KNOWN = frozenset(
    {
        *("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE", "PRACK"),
        *("NOTIFY", "SUBSCRIBE", "REFER", "MESSAGE", "REGISTER", "PUBLISH"),
    }
)
_MOST_SERVER_TRANSACTIONS = 10_000
"Above this number, requests outside of our calls are dropped, so that a flood does not exhaust the memory."


class DialogUser(Protocol):
    """The receiver of the requests of a dialog."""

    def belongs(self, request: Received) -> bool:
        """Return whether the tags are those of the dialog."""
        ...

    def request(self, transaction: ServerTransaction) -> None:
        """Answer a request other than ACK."""
        ...

    def acknowledged(self, request: Received) -> None:
        """Handle the ACK of our response to an INVITE."""
        ...


class SipEndpoint:
    """Sockets, transactions and the table of dialogs.

    `counts` has the number of dropped messages by reason.
    """

    def __init__(self, bind_address: str, public_address: str | None) -> None:
        self._public_address = public_address
        self._transports: dict[str, Transport] = {
            "udp": UdpTransport(bind_address, self._received),
            "tcp": TcpTransport(bind_address, self._received),
        }
        self._clients: dict[tuple[str, str], ClientTransaction] = {}
        self._servers: dict[tuple[str, str, int, str], ServerTransaction] = {}
        self._dialogs: dict[str, DialogUser] = {}
        self._peers: Counter[str] = Counter()
        self._changed = asyncio.Event()
        self.counts: Counter[str] = Counter()

    @property
    def open_transactions(self) -> int:
        return len(self._clients) + len(self._servers)

    async def answered(self) -> None:
        """Wait until every request of ours has its final response."""
        while any(client.state in {State.TRYING, State.PROCEEDING} for client in self._clients.values()):
            self._changed.clear()
            await self._changed.wait()

    def contact(self, remote: Remote) -> str:
        """Return our `address:port` as the remote can reach it."""
        host, port = self._transports[remote.transport].contact(remote)
        host = self._public_address or host
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def address(self, remote: Remote) -> str:
        """Return the local IP address on the way to a remote."""
        return self._transports[remote.transport].contact(remote)[0]

    def enter(self, call_id: str, user: DialogUser, remote: Remote) -> None:
        """Pass requests with this Call-ID to the user from now on."""
        self._dialogs[call_id] = user
        self._peers[remote.host] += 1

    def leave(self, call_id: str) -> None:
        self._dialogs.pop(call_id, None)

    def send(
        self,
        request: Request,
        remote: Remote,
        on_response: Callable[[Received], None],
        on_failure: Callable[[str], None],
        *,
        branch: str | None = None,
    ) -> ClientTransaction:
        """Send a request as a new transaction; CANCEL is given the branch of its INVITE."""
        branch = branch or _MAGIC + secrets.token_hex(10)
        transaction = ClientTransaction(
            request,
            self.via(branch, remote),
            branch,
            remote,
            send=self._send,
            on_response=on_response,
            on_failure=on_failure,
            on_end=self._client_ended,
        )
        self._clients[branch, request.method] = transaction
        transaction.start()
        return transaction

    def send_once(self, data: bytes, remote: Remote) -> None:
        """Send the ACK of a 2xx; the caller repeats it when the 2xx is repeated."""
        self._send(data, remote, lambda: None)

    def via(self, branch: str, remote: Remote) -> str:
        return f"SIP/2.0/{remote.transport.upper()} {self.contact(remote)};branch={branch};rport"

    def new_branch(self) -> str:
        return _MAGIC + secrets.token_hex(10)

    async def close(self) -> None:
        for client in list(self._clients.values()):
            client.terminate()
        for server in list(self._servers.values()):
            server.acknowledged()
            server.terminate()
        for transport in self._transports.values():
            await transport.close()

    def _send(self, data: bytes, remote: Remote, failed: Callable[[], None]) -> None:
        self._transports[remote.transport].send(data, remote, failed)

    def _received(self, data: bytes, remote: Remote) -> None:
        if not data.strip(b"\r\n\0 "):
            return  # a keep-alive
        try:
            message = parse(data)
        except MessageError as error:
            self._drop(f"malformed: {error}", remote)
            return
        if message.code is not None:
            self._response(message, remote)
        else:
            self._request(message, remote)

    def _response(self, response: Received, remote: Remote) -> None:
        transaction = self._clients.get((response.branch, response.method))
        if transaction is None:
            self._drop("response without a request", remote)
        elif transaction.request.header("Call-ID") != response.call_id:
            self._drop("response to another call", remote)
        else:
            transaction.receive(response)
            self._changed.set()

    def _request(self, request: Received, remote: Remote) -> None:
        method = "INVITE" if request.method == "ACK" else request.method
        key = (request.branch, request.call_id, request.sequence, method)
        known = self._servers.get(key)
        if request.method == "ACK":
            # The ACK of a 2xx has a branch of its own; the dialog finds its transaction by CSeq.
            if known is not None:
                known.acknowledged()
            elif (user := self._user(request)) is not None:
                user.acknowledged(request)
            return
        if known is not None:
            known.received_again()
            return
        user = self._user(request)
        if user is None and (
            remote.host not in self._peers or len(self._servers) > _MOST_SERVER_TRANSACTIONS
        ):
            self._drop("request outside of a call", remote)
            return
        transaction = ServerTransaction(request, remote, self._send, self._server_ended)
        self._servers[key] = transaction
        if user is None:
            transaction.respond(outside_of_calls(request))
        else:
            user.request(transaction)

    def _user(self, request: Received) -> DialogUser | None:
        user = self._dialogs.get(request.call_id)
        return user if user is not None and user.belongs(request) else None

    def _client_ended(self, transaction: ClientTransaction) -> None:
        self._clients.pop((transaction.branch, transaction.request.method), None)
        self._changed.set()

    def _server_ended(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        self._servers.pop((request.branch, request.call_id, request.sequence, request.method), None)

    def _drop(self, why: str, remote: Remote) -> None:
        reason = why.partition(":")[0]
        self.counts[reason] += 1
        # Log the first of each kind, then at powers of two, so that a flood does not fill the log.
        if self.counts[reason].bit_count() == 1:
            log.warning(
                "SIP message dropped",
                reason=why,
                host=remote.host,
                port=remote.port,
                so_far=self.counts[reason],
            )


def outside_of_calls(request: Received) -> bytes:
    """Reject a request that belongs to none of our calls: CATO accepts no incoming calls."""
    tag = secrets.token_hex(6)
    if request.method == "OPTIONS" and not request.to_tag:
        return response_bytes(request, 200, "OK", [("Allow", ALLOW), ("Accept", "application/sdp")], tag=tag)
    if request.to_tag or request.method in {"BYE", "CANCEL", "INFO", "UPDATE", "PRACK"}:
        return response_bytes(request, 481, "Call/Transaction Does Not Exist", tag=tag)
    if request.method not in _KNOWN:
        return response_bytes(request, 501, "Not Implemented", tag=tag)
    if request.method in {"NOTIFY", "SUBSCRIBE"}:
        return response_bytes(request, 489, "Bad Event", tag=tag)
    return response_bytes(request, 405, "Method Not Allowed", [("Allow", ALLOW)], tag=tag)
