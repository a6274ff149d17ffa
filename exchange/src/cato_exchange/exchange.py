"""The exchange: opens the sockets, connects the layers and keeps the records."""

import asyncio
import json
import logging
import ssl
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from cato_exchange.calls.call import Call, CallContext
from cato_exchange.calls.routing import Routing
from cato_exchange.media.loop import MediaLoop
from cato_exchange.plan import Plan
from cato_exchange.record import CallRecord, write_atomically
from cato_exchange.sip.registrar import Registrar
from cato_exchange.sip.stream import StreamTransport
from cato_exchange.sip.transactions import Transactions
from cato_exchange.sip.transport import Flow
from cato_exchange.sip.udp import UdpTransport
from cato_exchange.summary import Summary

log = logging.getLogger(__name__)

Part = TypeVar("Part")


class Exchange:
    """A simulated exchange on one UDP port, one TCP port and, with a certificate, one for TLS.

    `plan` can be replaced at any time; the new plan applies to new calls.
    """

    def __init__(
        self,
        plan: Plan,
        record_dir: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.plan = plan
        self.summary = Summary()
        self.calls: list[CallRecord] = []
        "All calls in the order of their INVITEs; calls in progress have no `end_ms`."
        self.requests: Counter[str] = Counter()
        "SIP requests by method without retransmissions; unsupported methods count as `other`."
        self._record_dir = record_dir
        self._host = host
        self._asked_port = port
        self._streams = {"tcp": StreamTransport(self._receive)}
        if tls is not None:
            self._streams["tls"] = StreamTransport(self._receive, tls)
        self._waiting: set[asyncio.Event] = set()
        self._transport: UdpTransport | None = None
        self._media: MediaLoop | None = None
        self._transactions: Transactions | None = None
        self._routing: Routing | None = None
        self._registrar: Registrar | None = None

    @property
    def port(self) -> int:
        return self._started(self._transport).address[1]

    @property
    def uri(self) -> str:
        return f"sip:{self._host}:{self.port}"

    def uri_over(self, transport: str) -> str:
        """Return the SIP URI for `tcp` or `tls`, each of which has its own port."""
        return f"sip:{self._host}:{self._streams[transport].address[1]};transport={transport}"

    @property
    def silent(self) -> bool:
        """Whether SIP is dropped in both directions, as if the station had lost its power.

        RTP of calls in progress is still received.
        """
        return self._started(self._transport).muted

    @silent.setter
    def silent(self, value: bool) -> None:
        self._started(self._transport).muted = value
        for stream in self._streams.values():
            stream.muted = value

    @property
    def peak_calls(self) -> int:
        return self.summary.peak_calls

    @property
    def calls_now(self) -> int:
        return self._started(self._routing).calls_now

    @property
    def ended_calls(self) -> list[CallRecord]:
        return [record for record in self.calls if record.ended]

    @property
    def registrar(self) -> Registrar:
        return self._started(self._registrar)

    async def wait_calls(self, count: int, timeout: float) -> list[CallRecord]:
        """Wait until this many calls have ended. Raises: TimeoutError."""
        await self.wait_until(lambda: self.summary.calls_ended >= count, timeout)
        return self.ended_calls

    async def wait_until(self, condition: Callable[[], bool], timeout: float) -> None:
        """Wait until the condition holds; it is evaluated after each SIP message and each change of a call.

        Raises: TimeoutError.
        """
        moved = asyncio.Event()
        self._waiting.add(moved)
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    await moved.wait()
                    moved.clear()
        finally:
            self._waiting.discard(moved)

    async def start(self) -> None:
        """Open the sockets. Raises: OSError if a port or the record directory is not available."""
        if self._record_dir is not None:
            await asyncio.to_thread(self._record_dir.mkdir, parents=True, exist_ok=True)
        loop = asyncio.get_running_loop()
        transactions = Transactions(loop)
        self._media = MediaLoop(loop)
        context = CallContext(
            clock=loop,
            transactions=transactions,
            pacing=self._media,
            bind_host=self._host,
            wall_ms=lambda: time.time_ns() / 1e6,
            changed=self._call_changed,
        )
        self._registrar = Registrar(loop.time)
        self._routing = Routing(context, self._registrar, lambda: self.plan, self._call_began, self.requests)
        self._transactions = transactions
        self._transport = UdpTransport(self._host, self._asked_port, self._receive)
        for stream in self._streams.values():
            await stream.open(self._host, 0)

    async def stop(self) -> None:
        """Close the sockets and complete the records of calls in progress, without sending BYE."""
        routing, self._routing = self._routing, None
        if routing is None:
            return
        self._started(self._transport).close()
        for stream in self._streams.values():
            stream.close()
        for call in routing.live_calls():
            call.finish("shutdown")
        self._started(self._media).shutdown()
        if self._record_dir is not None:
            content = _as_json(self.report())
            await asyncio.to_thread(write_atomically, self._record_dir / "summary.json", content)

    def report(self) -> dict[str, Any]:
        """Return the content of `summary.json`."""
        transactions = self._started(self._transactions)
        return self.summary.as_json() | {
            "requests": dict(self.requests),
            "repeated_invites": transactions.repeated_invites,
            "malformed": transactions.malformed,
        }

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _receive(self, data: bytes, flow: Flow, arrived_ms: float) -> None:
        try:
            self._started(self._transactions).receive(data, flow, arrived_ms)
        finally:
            self._wake()

    def _call_began(self, call: Call) -> None:
        self.calls.append(call.record)
        self.summary.begin(call.record.invite_ms, self.calls_now)

    def _call_changed(self, call: Call) -> None:
        routing = self._routing
        now = 0 if routing is None else routing.calls_now
        if not call.record.ended:
            self.summary.update(now)
        else:
            if routing is not None:
                routing.forget(call)
            self.summary.end(call.record, now)
            if self._record_dir is not None:
                try:
                    call.record.write(self._record_dir)
                except OSError:
                    log.exception("call record could not be written", extra={"call_id": call.record.call_id})
        self._wake()

    def _wake(self) -> None:
        for moved in self._waiting:
            moved.set()

    @staticmethod
    def _started(part: Part | None) -> Part:
        if part is None:
            raise RuntimeError("the exchange has not been started")
        return part


def _as_json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode()
