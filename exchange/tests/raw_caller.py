"""A small SIP caller on a raw socket, and a scene with an exchange and such callers."""

import asyncio
import secrets
import struct
from pathlib import Path
from typing import Any

from sipmessage import Message, Request, Response

from cato_exchange import Challenge, Exchange, Plan, Rule
from cato_exchange.sip.digest import response_for

ALAW_OFFER = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
    "a={direction}\r\n"
)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.queue.put_nowait(data)


class RawCaller:
    """One call, message by message; it sends only on request."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.call_id = f"{secrets.token_hex(6)}@test"
        self.tag = secrets.token_hex(4)
        self.rtp_received: asyncio.Queue[bytes] = asyncio.Queue()
        self._to = ""
        self._number = ""
        self._branch = ""
        self._sequence = 0

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        there = ("127.0.0.1", self.exchange.port)
        self._sip, sip = await loop.create_datagram_endpoint(_Datagrams, remote_addr=there)
        self._messages = sip.queue
        self._rtp, rtp = await loop.create_datagram_endpoint(_Datagrams, local_addr=("127.0.0.1", 0))
        self.rtp_received = rtp.queue
        self.port = self._sip.get_extra_info("sockname")[1]
        self.rtp_port = self._rtp.get_extra_info("sockname")[1]

    def close(self) -> None:
        self._sip.close()
        self._rtp.close()

    def send(self, text: str) -> None:
        self._sip.sendto(text.encode())

    def offer(self, direction: str = "sendrecv") -> str:
        return ALAW_OFFER.format(port=self.rtp_port, direction=direction)

    def request(
        self,
        method: str,
        *,
        branch: str = "",
        sequence: int | None = None,
        body: str = "",
        kind: str = "application/sdp",
        headers: str = "",
    ) -> str:
        if sequence is None:
            self._sequence += 1
            sequence = self._sequence
        self._branch = branch or f"z9hG4bK{secrets.token_hex(6)}"
        uri = f"sip:{self._number}@127.0.0.1:{self.exchange.port}"
        return (
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch={self._branch};rport\r\n"
            f'Max-Forwards: 70\r\nFrom: "Town Hall" <sip:776400@127.0.0.1>;tag={self.tag}\r\n'
            f"To: {self._to or f'<{uri}>'}\r\nCall-ID: {self.call_id}\r\nCSeq: {sequence} {method}\r\n"
            f"Contact: <sip:776400@127.0.0.1:{self.port}>\r\n{headers}"
            + (f"Content-Type: {kind}\r\n" if body else "")
            + f"Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def invite(self, number: str, headers: str = "", body: str | None = None) -> str:
        """Send an INVITE and return its text for a retransmission."""
        self._number = number
        text = self.request("INVITE", body=self.offer() if body is None else body, headers=headers)
        self.invite_branch, self.invite_sequence = self._branch, self._sequence
        self.send(text)
        return text

    def cancel(self) -> None:
        to, self._to = self._to, ""
        self.send(self.request("CANCEL", branch=self.invite_branch, sequence=self.invite_sequence))
        self._to = to

    def ack(self, response: Response, body: str = "") -> None:
        self._to = response.headers["To"]
        branch = "" if response.code < 300 else self.invite_branch
        self.send(self.request("ACK", branch=branch, sequence=response.cseq.sequence, body=body))

    def bye(self) -> None:
        self.send(self.request("BYE"))

    def answer(self, request: Request, code: int = 200, body: str = "") -> None:
        """Respond to a request of the exchange."""
        copied = "".join(
            f"{name}: {value}\r\n"
            for name in ("Via", "From", "To", "Call-ID", "CSeq")
            for value in request.headers.getlist(name)
        )
        kind = "Content-Type: application/sdp\r\n" if body else ""
        contact = f"Contact: <sip:776400@127.0.0.1:{self.port}>\r\n"
        head = f"SIP/2.0 {code} Whatever\r\n{copied}{contact}{kind}"
        self.send(f"{head}Content-Length: {len(body)}\r\n\r\n{body}")

    async def receive(self, timeout: float = 3) -> Request | Response:
        async with asyncio.timeout(timeout):
            return Message.parse(await self._messages.get())

    async def response(self, *codes: int, timeout: float = 3) -> Response:
        """Receive a message, which must be a response with one of these codes."""
        message = await self.receive(timeout)
        assert isinstance(message, Response), bytes(message)
        assert message.code in codes, bytes(message)
        return message

    async def incoming(self, method: str, timeout: float = 3) -> Request:
        message = await self.receive(timeout)
        assert isinstance(message, Request), bytes(message)
        assert message.method == method, bytes(message)
        return message

    async def talk_to(self, number: str, headers: str = "") -> Response:
        """Call, wait for 180 and 200, acknowledge; return the 200."""
        self.invite(number, headers)
        await self.response(100)
        await self.response(180)
        answer = await self.response(200)
        self.ack(answer)
        return answer

    @property
    def quiet(self) -> bool:
        return self._messages.empty()

    def send_rtp(self, answer: Response, payload: bytes, sequence: int, *, payload_type: int = 8) -> None:
        port = int(answer.body.split(b"m=audio ")[1].split()[0])
        header = struct.pack("!BBHII", 0x80, payload_type, sequence & 0xFFFF, sequence * 160, 7)
        self._rtp.sendto(header + payload, ("127.0.0.1", port))


class Scene:
    """Starts exchanges and callers, and closes them at the end."""

    def __init__(self) -> None:
        self._exchanges: list[Exchange] = []
        self._callers: list[RawCaller] = []

    async def exchange(self, *rules: Rule, record_dir: Path | None = None, **plan: Any) -> Exchange:
        exchange = Exchange(Plan(rules=rules, **plan), record_dir)
        await exchange.start()
        self._exchanges.append(exchange)
        return exchange

    async def caller(self, exchange: Exchange) -> RawCaller:
        caller = RawCaller(exchange)
        await caller.open()
        self._callers.append(caller)
        return caller

    async def call(self, *rules: Rule, **plan: Any) -> tuple[Exchange, RawCaller]:
        exchange = await self.exchange(*rules, **plan)
        return exchange, await self.caller(exchange)

    async def close(self) -> None:
        for caller in self._callers:
            caller.close()
        for exchange in self._exchanges:
            await exchange.stop()


def code_of(message: object) -> int:
    assert isinstance(message, Response)
    return message.code


async def refused(caller: RawCaller, number: str, headers: str = "") -> Response:
    """Call and return the final response, acknowledged."""
    caller.invite(number, headers)
    while True:
        message = await caller.receive()
        if code_of(message) >= 200:
            assert isinstance(message, Response)
            caller.ack(message)
            return message


def proof(demand: Response, challenge: Challenge, caller: RawCaller, method: str = "INVITE") -> str:
    name = "WWW-Authenticate" if challenge.status == 401 else "Proxy-Authenticate"
    nonce = demand.headers[name].split('nonce="')[1].split('"')[0]
    uri = f"sip:1@127.0.0.1:{caller.exchange.port}"
    response = response_for(
        challenge, method=method, uri=uri, nonce=nonce, qop="auth", nc="00000001", cnonce="c"
    )
    header = "Authorization" if challenge.status == 401 else "Proxy-Authorization"
    return (
        f'{header}: Digest username="{challenge.username}", realm="{challenge.realm}", nonce="{nonce}", '
        f'uri="{uri}", response="{response}", algorithm={challenge.algorithm}, qop=auth, nc=00000001, '
        'cnonce="c"\r\n'
    )
