"""A UDP proxy between a caller and an exchange that loses, repeats and reorders datagrams."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

Address = tuple[str, int]


class LossyNetwork(asyncio.DatagramProtocol):
    """Forwards datagrams both ways. `share` of them is lost, `share` repeated, `share` delayed.

    The caller's address is replaced by that of the proxy, so that requests of the exchange come this way too.
    """

    def __init__(self, exchange: Address, share: float, seed: int) -> None:
        self._exchange = exchange
        self._share = share
        self._chance = random.Random(seed)
        self._caller: Address | None = None
        self._transport: Any = None
        self.lost = self.repeated = self.delayed = 0

    @property
    def port(self) -> int:
        return int(self._transport.get_extra_info("sockname")[1])

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if addr != self._exchange:
            self._caller = addr
            ours, theirs = (f"127.0.0.1:{port}".encode() for port in (self.port, addr[1]))
            self._forward(data.replace(theirs, ours), self._exchange)
        elif self._caller is not None:
            self._forward(data, self._caller)

    def _forward(self, data: bytes, to: Address) -> None:
        fate = self._chance.random() / self._share
        if fate < 1:
            self.lost += 1
        elif fate < 2:
            self.repeated += 1
            self._transport.sendto(data, to)
            self._transport.sendto(data, to)
        elif fate < 3:
            self.delayed += 1
            asyncio.get_running_loop().call_later(self._chance.random() / 10, self._late, data, to)
        else:
            self._transport.sendto(data, to)

    def _late(self, data: bytes, to: Address) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(data, to)


@asynccontextmanager
async def lossy_network(exchange_port: int, *, share: float, seed: int) -> AsyncIterator[LossyNetwork]:
    transport, network = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: LossyNetwork(("127.0.0.1", exchange_port), share, seed), local_addr=("127.0.0.1", 0)
    )
    try:
        yield network
    finally:
        transport.close()
