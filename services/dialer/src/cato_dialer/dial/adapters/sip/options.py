"""Send one OPTIONS request (RFC 3261, 11) and wait for any response, without the SIP engine."""

import asyncio
import contextlib
import secrets
import socket
import ssl
from typing import Any

from cato_dialer.dial.domain.station import Station

_UDP_REPEATS_S = (0.5, 1.0, 2.0, 4.0)
"""Timer E of RFC 3261, 17.1.2.2, up to the time-out."""
_LONGEST_HEAD = 65_536


async def answers_options(
    station: Station, timeout_s: float, *, bind_address: str, tls: ssl.SSLContext | None = None
) -> bool:
    """Tell whether the station sends any response; a refusal is a response."""
    try:
        async with asyncio.timeout(timeout_s):
            if station.transport == "udp":
                return await _over_udp(station, bind_address)
            return await _over_stream(station, bind_address, tls)
    except (OSError, ssl.SSLError, TimeoutError, EOFError):
        return False


async def _over_udp(station: Station, bind_address: str) -> bool:
    """Raises: OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(station.host, station.port, type=socket.SOCK_DGRAM)
    family, _, _, _, (host, port, *_) = found[0]
    call_id = secrets.token_hex(12)
    transport, answer = await loop.create_datagram_endpoint(
        lambda: _Answer(call_id),
        remote_addr=(str(host), int(port)),
        family=family,
        local_addr=_local(bind_address),
    )
    try:
        request = _request(station, call_id, transport.get_extra_info("sockname"))
        transport.sendto(request)
        for wait_s in _UDP_REPEATS_S:
            await asyncio.wait((answer.came,), timeout=wait_s)
            if answer.came.done():
                return True
            transport.sendto(request)
        await asyncio.wait((answer.came,))
        return True
    finally:
        transport.close()


async def _over_stream(station: Station, bind_address: str, tls: ssl.SSLContext | None) -> bool:
    """Raises: OSError, EOFError."""
    call_id = secrets.token_hex(12)
    reader, writer = await asyncio.open_connection(
        station.host, station.port, ssl=tls, local_addr=_local(bind_address), limit=_LONGEST_HEAD
    )
    try:
        writer.write(_request(station, call_id, writer.get_extra_info("sockname")))
        await writer.drain()
        with contextlib.suppress(asyncio.LimitOverrunError):
            return _is_answer(await reader.readuntil(b"\r\n\r\n"), call_id)
    finally:
        writer.transport.abort()
    return False


class _Answer(asyncio.DatagramProtocol):
    def __init__(self, call_id: str) -> None:
        self._call_id = call_id
        self.came: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ARG002
        if _is_answer(data, self._call_id) and not self.came.done():
            self.came.set_result(None)


def _is_answer(data: bytes, call_id: str) -> bool:
    return data.startswith(b"SIP/2.0 ") and call_id.encode() in data


def _local(bind_address: str) -> tuple[str, int] | None:
    return None if bind_address == "0.0.0.0" else (bind_address, 0)


def _request(station: Station, call_id: str, local: tuple[str, int]) -> bytes:
    here = f"[{local[0]}]:{local[1]}" if ":" in local[0] else f"{local[0]}:{local[1]}"
    lines = (
        f"OPTIONS {station.uri} SIP/2.0",
        f"Via: SIP/2.0/{station.transport.upper()} {here};branch=z9hG4bK{secrets.token_hex(8)};rport",
        "Max-Forwards: 70",
        f"From: <sip:cato@{here}>;tag={secrets.token_hex(4)}",
        f"To: <{station.uri}>",
        f"Call-ID: {call_id}",
        "CSeq: 1 OPTIONS",
        f"Contact: <sip:cato@{here}>",
        "Accept: application/sdp",
        "User-Agent: CATO",
        "Content-Length: 0",
    )
    return "\r\n".join((*lines, "", "")).encode()
