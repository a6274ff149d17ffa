"""Our SIP endpoint: passes messages to their transactions and dialogs, and drops everything else."""

import asyncio
import itertools
import secrets
from collections import Counter
from collections.abc import Callable
from typing import Protocol

import structlog

from cato_dialer.dial.adapters.dense.sip.messages.message import (
    KNOWN_METHODS,
    MessageError,
    Received,
    parse,
    response_bytes,
)
from cato_dialer.dial.adapters.dense.sip.transactions.client import ClientTransaction, Request, State
from cato_dialer.dial.adapters.dense.sip.transactions.large_requests import LARGEST_DATAGRAM, LargeRequests
from cato_dialer.dial.adapters.dense.sip.transactions.open_byes import OpenByes
from cato_dialer.dial.adapters.dense.sip.transactions.server import ServerTransaction
from cato_dialer.dial.adapters.dense.sip.transactions.timing import Delays, Timing
from cato_dialer.dial.adapters.dense.sip.transactions.transport import (
    Remote,
    TcpTransport,
    Transport,
    UdpTransport,
)
from cato_runtime.clock import SystemClock
from cato_runtime.process.freeze_watch import FreezeWatch

log = structlog.get_logger()

_MAGIC = "z9hG4bK"
_STANDARD_TIMING = Timing()
ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE"
_FROZEN_S = 5.0
"Before this time another dialer cannot have taken over a call of this process."
_SUPPORTED = frozenset({"timer", "100rel"})
_MOST_OUTSIDE, _MOST_SERVER_TRANSACTIONS = 10_000, 100_000
"""Above these numbers, requests outside of our calls and then all others are dropped, so that a flood does
not exhaust the memory. Each is kept for 32 s: 100,000 are 3,000 calls a second that the far end hangs up."""


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

    def __init__(
        self, bind_address: str, public_address: str | None, timing: Timing = _STANDARD_TIMING
    ) -> None:
        self._public_address = public_address
        self._delays = Delays(timing)
        self._contacts: dict[Remote, str] = {}
        self._branch_prefix = f"{_MAGIC}{secrets.token_hex(8)}."
        self._branches = itertools.count()
        tcp = TcpTransport(bind_address, self._received)
        self._transports: dict[str, Transport] = {
            "udp": UdpTransport(bind_address, self._received),
            "tcp": tcp,
        }
        self._large = LargeRequests(tcp, self.via)
        self._clients: dict[tuple[str, str], ClientTransaction] = {}
        self._servers: dict[tuple[str, str, int, str], ServerTransaction] = {}
        self._dialogs: dict[str, DialogUser] = {}
        self._peers: Counter[str] = Counter()
        self._changed = asyncio.Event()
        self.byes = OpenByes()
        self.freezes = FreezeWatch(SystemClock(), _FROZEN_S)
        """To be counted much more often than every 5 s."""
        self.counts: Counter[str] = Counter()
        self.watch: Callable[[bytes, Remote, bool], None] | None = None
        """Gets each message with its peer, and whether it is sent; None while no trace runs."""

    @property
    def open_transactions(self) -> int:
        return len(self._clients) + len(self._servers)

    @property
    def open_dialogs(self) -> int:
        return len(self._dialogs)

    async def answered(self) -> None:
        """Wait until every request of ours has its final response."""
        while any(client.state in {State.TRYING, State.PROCEEDING} for client in self._clients.values()):
            self._changed.clear()
            await self._changed.wait()

    async def connect(self, remote: Remote) -> None:
        """Open a connection to the remote, if its transport has connections. Raises: OSError."""
        await self._transports[remote.transport].connect(remote)

    def contact(self, remote: Remote) -> str:
        """Return our `address:port` as the remote can reach it."""
        known = self._contacts.get(remote)
        if known is not None:
            return known
        host, port = self._transports[remote.transport].contact(remote)
        host = self._public_address or host
        contact = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if not remote.reliable:
            self._contacts[remote] = contact  # of one socket; a connection is opened anew now and then
        return contact

    def address(self, remote: Remote) -> str:
        """Return the local IP address on the way to a remote."""
        return self.local(remote)[0]

    def local(self, remote: Remote) -> tuple[str, int]:
        """Return the local IP address and port on the way to a remote."""
        return self._transports[remote.transport].contact(remote)

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
        may_send: Callable[[], bool] = lambda: True,
    ) -> ClientTransaction:
        """Send a request as a new transaction; CANCEL is given the branch of its INVITE."""
        branch = branch or self.new_branch()
        if request.method == "BYE":
            on_response, on_failure = self.byes.watch(request.header("Call-ID"), on_response, on_failure)
        transaction = ClientTransaction(
            request,
            self.via(branch, remote),
            branch,
            remote,
            self._delays,
            send=self._send,
            on_response=on_response,
            on_failure=on_failure,
            on_end=self._client_ended,
            may_send=may_send,
        )
        self._clients[branch, request.method] = transaction
        if transaction.size > LARGEST_DATAGRAM and not remote.reliable:
            self._large.start(transaction)
        else:
            transaction.start()
        return transaction

    def send_once(self, data: bytes, remote: Remote) -> None:
        """Send the ACK of a 2xx; the caller repeats it when the 2xx is repeated."""
        self._send(data, remote, lambda: None)

    def via(self, branch: str, remote: Remote) -> str:
        return f"SIP/2.0/{remote.transport.upper()} {self.contact(remote)};branch={branch};rport"

    def new_branch(self) -> str:
        """Return a branch that no other request has; responses are also checked for the random Call-ID."""
        return f"{self._branch_prefix}{next(self._branches):x}"

    async def close(self) -> None:
        self.byes.close()
        for client in list(self._clients.values()):
            client.terminate()
        for server in list(self._servers.values()):
            server.acknowledged()
            server.terminate()
        self._delays.close()
        await self._large.close()
        for transport in self._transports.values():
            await transport.close()

    def _send(self, data: bytes, remote: Remote, failed: Callable[[], None]) -> None:
        if self.watch is not None:
            self.watch(data, remote, True)
        self._transports[remote.transport].send(data, remote, failed)

    def _received(self, data: bytes, remote: Remote) -> None:
        if not data.strip(b"\r\n\0 "):
            return  # a keep-alive
        if self.watch is not None:
            self.watch(data, remote, False)
        try:
            message = parse(data)
        except MessageError as error:
            self._malformed(error, remote)
            return
        if message.code is not None:
            self._response(message, remote)
        else:
            self._request(message, remote)

    def _malformed(self, error: MessageError, remote: Remote) -> None:
        """Drop the message; reject a request of a station without keeping a state (RFC 3261, 8.2.7)."""
        self._drop(f"malformed: {error}", remote)
        refusal = error.refusal
        if refusal is not None and remote.host in self._peers:
            tag = secrets.token_hex(6)
            answer = response_bytes(refusal.request, refusal.code, refusal.phrase, tag=tag)
            self.send_once(answer, remote)

    def _response(self, response: Received, remote: Remote) -> None:
        transaction = self._clients.get((response.branch, response.method))
        if transaction is None:
            self._drop("response without a request", remote)
        elif transaction.call_id != response.call_id:
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
        if user is None and remote.host not in self._peers:
            self._drop("request outside of a call", remote)
            return
        if len(self._servers) >= (_MOST_OUTSIDE if user is None else _MOST_SERVER_TRANSACTIONS):
            self._drop("too many requests", remote)
            return
        transaction = ServerTransaction(request, remote, self._delays, self._send, self._server_ended)
        self._servers[key] = transaction
        if user is None:
            transaction.respond(outside_of_calls(request))
        else:
            user.request(transaction)

    def _user(self, request: Received) -> DialogUser | None:
        user = self._dialogs.get(request.call_id)
        return user if user is not None and user.belongs(request) else None

    def _client_ended(self, transaction: ClientTransaction) -> None:
        self._clients.pop((transaction.branch, transaction.method), None)
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
    """Answer a request that belongs to none of our calls: CATO accepts no incoming calls."""
    code, phrase, extra = _answer_outside(request)
    return response_bytes(request, code, phrase, extra, tag=secrets.token_hex(6))


def _answer_outside(request: Received) -> tuple[int, str, list[tuple[str, str]]]:
    """Return code, phrase and headers; the checks are in the order of RFC 3261, 8.2."""
    if request.to_tag or request.method in {"BYE", "CANCEL", "INFO", "UPDATE", "PRACK"}:
        return 481, "Call/Transaction Does Not Exist", []
    if request.method not in KNOWN_METHODS:
        return 501, "Not Implemented", []
    if request.method in {"NOTIFY", "SUBSCRIBE"}:
        return 489, "Bad Event", []
    if request.method != "OPTIONS":
        return 405, "Method Not Allowed", [("Allow", ALLOW)]
    return _answer_options(request)


def _answer_options(request: Received) -> tuple[int, str, list[tuple[str, str]]]:
    if request.uri.partition(":")[0].lower() not in {"sip", "sips"}:
        return 416, "Unsupported URI Scheme", []
    unsupported = unsupported_extensions(request)
    if unsupported:
        return 420, "Bad Extension", [("Unsupported", unsupported)]
    return 200, "OK", [("Allow", ALLOW), ("Accept", "application/sdp")]


def unsupported_extensions(request: Received) -> str:
    """Return the value of the header Unsupported, "" if all that the request requires is supported."""
    return ", ".join(tag for tag in request.listed("Require") if tag.lower() not in _SUPPORTED)
