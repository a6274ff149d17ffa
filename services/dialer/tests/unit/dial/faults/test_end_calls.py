"""The last requests of calls whose process has died, over real sockets."""

import asyncio
import socket
from collections.abc import Callable

from cato_dialer.dial.adapters.sip.end_calls import LastRequest, end_calls


def request(method: str, call_id: str, port: int) -> LastRequest:
    text = f"{method} sip:1@127.0.0.1 SIP/2.0\r\nCall-ID: {call_id}\r\nCSeq: 7 {method}\r\n\r\n"
    return LastRequest(text.encode(), "127.0.0.1", port)


def response(to: bytes, status: str) -> bytes:
    return f"SIP/2.0 {status}\r\n".encode() + to.partition(b"\r\n")[2]


async def ended(
    methods: list[list[str]], answer: Callable[[bytes, int], bytes | None]
) -> tuple[int, list[str]]:
    """End calls at a station that answers the nth request so; return the open requests and all methods."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as station:
        station.bind(("127.0.0.1", 0))
        station.setblocking(False)
        loop, port, seen = asyncio.get_running_loop(), station.getsockname()[1], list[str]()

        async def serve() -> None:
            while True:
                data, source = await loop.sock_recvfrom(station, 1000)
                seen.append(data.split(b" ")[0].decode())
                if (reply := answer(data, len(seen))) is not None:
                    await loop.sock_sendto(station, reply, source)

        serving = asyncio.create_task(serve())
        calls = [
            [request(method, f"call-{number}", port) for method in of_call]
            for number, of_call in enumerate(methods)
        ]
        left = await asyncio.to_thread(end_calls, calls)
        serving.cancel()
        return left, seen


async def test_answered_requests_are_sent_once() -> None:
    left, seen = await ended([["BYE"], ["CANCEL", "BYE"]], lambda data, _: response(data, "200 OK"))
    assert (left, sorted(seen)) == (0, ["BYE", "BYE", "CANCEL"])


async def test_lost_request_is_sent_again_and_its_late_answer_ends_the_waiting() -> None:
    late = "481 Call/Transaction Does Not Exist"
    left, seen = await ended([["BYE"]], lambda data, nth: response(data, late) if nth == 2 else None)
    assert (left, seen) == (0, ["BYE", "BYE"])


async def test_provisional_response_is_no_answer() -> None:
    left, seen = await ended([["BYE"]], lambda data, _: response(data, "100 Trying"))
    assert (left, seen) == (1, ["BYE"] * 3)


async def test_unanswered_bye_is_sent_again_without_the_cancel_that_was_answered() -> None:
    left, seen = await ended(
        [["CANCEL", "BYE"]],
        lambda data, _: response(data, "200 OK") if data.startswith(b"CANCEL") else None,
    )
    assert (left, seen) == (1, ["CANCEL", "BYE", "BYE", "BYE"])


async def ended_with_final_response(
    status: str, requests: int, address: socket.socket | None = None
) -> tuple[int, list[str]]:
    """Cancel an INVITE that the dead process had sent; the station answers the CANCEL, then the INVITE.

    Return when the station has got that many requests.
    """
    seen_all = asyncio.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as station:
        station.bind(("127.0.0.1", 0))
        station.setblocking(False)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
            dead.bind(("127.0.0.1", 0))
            local = (address or dead).getsockname()
        loop, port, seen = asyncio.get_running_loop(), station.getsockname()[1], list[str]()
        cancel = (
            f"CANCEL sip:1@127.0.0.1:{port} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{local[1]};branch=z9hG4bKa;rport\r\n"
            "From: <sip:us@127.0.0.1>;tag=ours\r\nTo: <sip:1@127.0.0.1>\r\n"
            "Call-ID: call\r\nCSeq: 7 CANCEL\r\n\r\n"
        )
        final = (
            f"SIP/2.0 {status}\r\nFrom: <sip:us@127.0.0.1>;tag=ours\r\nTo: <sip:1@127.0.0.1>;tag=theirs\r\n"
            f"Contact: <sip:there@127.0.0.1:{port}>\r\nCall-ID: call\r\nCSeq: 7 INVITE\r\n\r\n"
        )

        async def serve() -> None:
            while True:
                data, source = await loop.sock_recvfrom(station, 1000)
                seen.append(data.partition(b"\r\n")[0].decode().replace(f":{port}", ""))
                if len(seen) == requests:
                    seen_all.set()
                if not data.startswith(b"ACK"):
                    await loop.sock_sendto(station, response(data, "200 OK"), source)
                if data.startswith(b"CANCEL"):
                    await loop.sock_sendto(station, final.encode(), local)

        serving = asyncio.create_task(serve())
        left = await asyncio.to_thread(end_calls, [[LastRequest(cancel.encode(), "127.0.0.1", port)]])
        async with asyncio.timeout(30):
            await seen_all.wait()  # nothing answers an ACK, so it may still be unread
        serving.cancel()
        return left, seen


async def test_call_whose_answer_the_dead_process_had_not_read_is_acknowledged_and_ended() -> None:
    left, seen = await ended_with_final_response("200 OK", 3)
    assert left == 0
    assert seen == [
        "CANCEL sip:1@127.0.0.1 SIP/2.0",
        "ACK sip:there@127.0.0.1 SIP/2.0",
        "BYE sip:there@127.0.0.1 SIP/2.0",
    ]


async def test_refusal_of_a_cancelled_invite_is_acknowledged() -> None:
    left, seen = await ended_with_final_response("487 Request Terminated", 2)
    assert (left, seen) == (0, ["CANCEL sip:1@127.0.0.1 SIP/2.0", "ACK sip:1@127.0.0.1 SIP/2.0"])


async def test_cancel_goes_out_although_the_address_of_the_dead_process_is_in_use() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        left, seen = await ended_with_final_response("200 OK", 1, taken)
    assert (left, seen) == (0, ["CANCEL sip:1@127.0.0.1 SIP/2.0"])
