"""Mutated SIP messages and RTP packets: nothing escapes, no other call is touched, memory stays.

The ordinary run takes a few thousand of each; CATO_FUZZ sets another number.
"""

import asyncio
import gc
import os
import random
import socket
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest

from cato_dialer.dial.adapters.dense.media.engine import MediaEngine
from cato_dialer.dial.adapters.dense.media.ports import Ports
from cato_dialer.dial.adapters.dense.media.protocol import FromMedia, Key, Play
from cato_dialer.dial.adapters.dense.sip.messages.message import Received
from cato_dialer.dial.adapters.dense.sip.transactions.timing import Timing
from cato_dialer.dial.adapters.dense.sip.transactions.transport import Remote
from services.dialer.tests.support.trunk.endpoint_rig import SDP, Rig, open_rig
from services.dialer.tests.support.trunk.trunk_kit import every_code, write_wav
from services.dialer.tests.unit.dense.rfc4475.messages import MESSAGES

MUTATIONS = int(os.environ.get("CATO_FUZZ", "3000"))
MOST_GROWTH = 2 << 20
QUICK = Timing(t1_s=0.005, t2_s=0.04, t4_s=0.05)

pytestmark = pytest.mark.timeout(60 + MUTATIONS // 200)


_ANY = bytes(range(256))


def mutated(message: bytes, chance: random.Random, *, alphabet: bytes = _ANY) -> bytes:
    changed = bytearray(message)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(changed))
        match chance.randrange(5):
            case 0:
                changed[at] = chance.choice(alphabet)
            case 1:
                del changed[at : at + chance.randint(1, 40)]
            case 2:
                changed[at:at] = bytes(chance.choices(alphabet, k=chance.randint(1, 12)))
            case 3:
                changed[at:at] = changed[at : at + chance.randint(1, 200)]
            case 4:
                changed[at] ^= 1 << chance.randrange(8)
        changed = changed or bytearray(b"x")
    return bytes(changed)


def of_the_call(rig: Rig, invite: Received) -> list[bytes]:
    """Return valid messages of a call, other than those that end it."""
    station = rig.station
    typed = ("Content-Type: application/sdp",)
    return [
        station.respond(invite, "200 OK", *typed, body=SDP),
        station.respond(invite, "180 Ringing"),
        station.respond(invite, "183 Session Progress", "Require: 100rel", "RSeq: 7"),
        station.request(invite, "INVITE", *typed, sequence=5, body=SDP),
        station.request(invite, "ACK", sequence=5),
        station.request(invite, "UPDATE", *typed, "Session-Expires: 90;refresher=uas", sequence=6, body=SDP),
        station.request(invite, "INFO", "Content-Type: application/dtmf-relay", sequence=7, body=b"Signal=1"),
        *(station.request(invite, method, "Event: x", sequence=9) for method in ("OPTIONS", "NOTIFY")),
    ]


async def settled(rig: Rig, waiting: int) -> None:
    """Wait until all transactions have ended but for those that wait for a response."""
    async with asyncio.timeout(20):
        while rig.endpoint.open_transactions > waiting:
            await asyncio.sleep(QUICK.t1_s)
    rig.station.received, rig.station.answers = asyncio.Queue(), asyncio.Queue()
    gc.collect()


async def test_mutated_messages_touch_no_other_call_and_leave_nothing():
    async with open_rig(QUICK) as victim:
        invite = await victim.up()
        witness, ringing = victim.another_call(), victim.another_call()
        witnessed = await witness.up()
        ringing.call.start()
        rung = await victim.station.next("INVITE")
        victim.station.respond(rung, "180 Ringing")
        await ringing.told.until("ringing")
        valid = [*of_the_call(victim, invite), *MESSAGES.values()]
        chance = random.Random(1)
        sources = [Remote("udp", "127.0.0.1", port) for port in (9, victim.station.port)]
        receive = victim.endpoint._received
        for part in range(5):
            for _ in range(MUTATIONS // 5):
                receive(mutated(chance.choice(valid), chance), chance.choice(sources))
            await settled(victim, waiting=1)
            if part == 0:
                tracemalloc.start()
                before, _ = tracemalloc.get_traced_memory()
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert after - before < MOST_GROWTH
        assert witness.told.names == ["answered"]
        assert ringing.told.names == ["ringing"]
        victim.station.respond(rung, "486 Busy Here")
        await ringing.told.until("rejected")
        victim.station.request(witnessed, "BYE", sequence=9)
        await witness.told.until("remote_hangup")


def packets(chance: random.Random, kinds: Sequence[int]) -> bytes:
    """Return a valid packet: audio or a key."""
    kind = chance.choice(kinds)
    header = bytes((0x80, kind)) + chance.randbytes(6) + b"SSRC"
    return header + (bytes((chance.randrange(20), 0x0A, 0, 160)) if kind == 101 else bytes(160))


def test_mutated_packets_touch_no_other_stream_and_leave_nothing(tmp_path: Path):
    heard: list[FromMedia] = []
    ports = Ports(2, "127.0.0.1", 0, 0)
    engine = MediaEngine(ports, heard.append, may_be_raw=False)
    audio = str(write_wav(tmp_path / "prompt.wav", every_code(50)))
    chance = random.Random(1)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        for call, (port, end) in enumerate(zip(ports.rtp, (far, other), strict=True)):
            end.bind(("127.0.0.1", 0))
            to_port = end.getsockname()[1]
            engine.handle(
                Play(call, port, "127.0.0.1", "127.0.0.1", to_port, "PCMA", 8, (101,), 20, audio, None)
            )
        victim, witness = ports.rtp
        key = bytes((0x80, 101, 0, 1, 0, 0, 0, 1)) + b"OTHR" + bytes((5, 0x0A, 0, 160))
        other.sendto(key, ("127.0.0.1", witness))
        engine.receive(witness)
        assert [message.key for message in heard if isinstance(message, Key) and message.call == 1] == ["5"]
        gc.collect()
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(MUTATIONS):
            data = mutated(packets(chance, (8, 101)), chance)
            far.sendto(data, ("127.0.0.1", victim))
            far.sendto(data, ("127.0.0.1", witness))  # not the far end of that call
            engine.receive(victim)
            engine.receive(witness)
            heard = [message for message in heard if not isinstance(message, Key) or message.call == 1]
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert after - before < MOST_GROWTH
        assert sum(isinstance(message, Key) for message in heard) == 1
        assert engine.streams == 2
    engine.close()
