"""The streams of a media process, tick by tick, over real sockets."""

import asyncio
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from cato_contracts.alaw_wav import wav_file
from cato_dialer.dial.adapters.dense.media import protocol
from cato_dialer.dial.adapters.dense.media.engine import TICK_MS, MediaEngine
from cato_dialer.dial.adapters.dense.media.farewell import Farewells
from cato_dialer.dial.adapters.dense.media.ports import Ports
from cato_dialer.dial.adapters.dense.media.rtp.prompts import ALAW_TO_ULAW
from cato_dialer.dial.adapters.dense.media.rtp.rtcp import lost_of

AUDIO = bytes((index + index // 256 * 7) & 255 for index in range(160 * 10))


@dataclass(frozen=True)
class Packet:
    marker: bool
    kind: int
    sequence: int
    stamp: int
    ssrc: int
    payload: bytes


class FarEnd:
    """Takes RTP on one port, RTCP on the next."""

    def __init__(self) -> None:
        ports = Ports(1, "127.0.0.1", 0, 0)
        (self.port,) = ports.rtp
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ports.close()
        self.rtp.bind(("127.0.0.1", self.port))
        self.rtcp.bind(("127.0.0.1", self.port + 1))
        self.rtp.setblocking(False)
        self.rtcp.settimeout(10)

    def packets(self) -> list[Packet]:
        found = []
        while True:
            try:
                data = self.rtp.recv(2_000)
            except BlockingIOError:
                return found
            version, kind, sequence, stamp, ssrc = struct.unpack_from(">BBHII", data)
            assert version == 0x80
            found.append(Packet(kind > 127, kind & 127, sequence, stamp, ssrc, data[12:]))

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()


class Rig:
    def __init__(self, prompt: Path, *, may_be_raw: bool) -> None:
        self.reports: list[protocol.FromMedia] = []
        self.ports = Ports(4, "127.0.0.1", 0, 0)
        self.engine = MediaEngine(self.ports, self.reports.append, may_be_raw=may_be_raw)
        self.prompt = prompt
        self.far = FarEnd()
        self.now = 0

    def play(self, call: int = 1, **changes: object) -> int:
        port = list(self.ports.rtp)[call]
        order = {
            "call": call, "port": port, "source": "127.0.0.1",
            "address": "127.0.0.1", "to_port": self.far.port, "codec": "PCMA", "payload_type": 8,
            "events_types": (101,), "packet_ms": 20,
            "audio": str(self.prompt), "heard_ms": None, **changes,
        }  # fmt: skip
        self.engine.handle(protocol.Play(**order))  # type: ignore[arg-type]
        return port

    def run(self, milliseconds: int) -> None:
        for _ in range(milliseconds // TICK_MS):
            self.engine.tick(self.now)
            self.now += TICK_MS

    def reported(self, kind: type) -> list[protocol.FromMedia]:
        return [one for one in self.reports if isinstance(one, kind)]


@pytest.fixture(params=["raw", "sockets"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    prompt = tmp_path / "prompt.wav"
    prompt.write_bytes(wav_file(AUDIO))
    made = Rig(prompt, may_be_raw=request.param == "raw")
    if made.engine.way != request.param:
        pytest.skip("NOT SHOWN: raw sockets need CAP_NET_RAW")
    yield made
    made.engine.close()
    made.far.close()


@pytest.mark.parametrize("packet_ms", [10, 20, 30, 40, 60])
def test_a_prompt_is_sent_whole_and_in_order(rig: Rig, packet_ms: int):
    rig.play(packet_ms=packet_ms, heard_ms=100)
    rig.run(300 + 2 * packet_ms)
    packets = rig.far.packets()
    sent = b"".join(packet.payload for packet in packets)
    assert sent[: len(AUDIO)] == AUDIO
    assert set(sent[len(AUDIO) :]) <= {0xD5}
    assert {len(packet.payload) for packet in packets} == {packet_ms * 8}
    assert [packet.marker for packet in packets] == [True] + [False] * (len(packets) - 1)
    first = packets[0]
    assert [packet.sequence for packet in packets] == [
        (first.sequence + n) % 65_536 for n in range(len(packets))
    ]
    steps = [(packet.stamp - first.stamp) % (1 << 32) for packet in packets]
    assert steps == [n * packet_ms * 8 for n in range(len(packets))]
    assert {packet.ssrc for packet in packets} == {first.ssrc}
    assert [type(report).__name__ for report in rig.reports] == ["Started", "Heard", "Finished"]
    assert [report.heard_ms for report in rig.reported(protocol.Heard)] == [-(-100 // packet_ms) * packet_ms]
    assert [report.heard_ms for report in rig.reported(protocol.Finished)] == [200]


def test_many_calls_come_and_go_without_touching_each_other(rig: Rig):
    for call in range(3):
        rig.play(call)
        rig.run(33)
    rig.engine.handle(protocol.Stop(1))
    rig.run(300)
    streams: dict[int, list[bytes]] = {}
    for packet in rig.far.packets():
        streams.setdefault(packet.ssrc, []).append(packet.payload)
    audio = sorted((b"".join(payloads) for payloads in streams.values()), key=len)
    assert audio[1:] == [AUDIO, AUDIO]
    assert AUDIO.startswith(audio[0])
    (stopped,) = rig.reported(protocol.Stopped)
    assert stopped.heard_ms == len(audio[0]) // 8
    assert rig.engine.streams == 2


def test_mu_law_is_sent_to_those_who_want_it(rig: Rig):
    rig.play(codec="PCMU", payload_type=0)
    rig.run(230)
    packets = rig.far.packets()
    assert (
        b"".join(packet.payload for packet in packets)
        == ALAW_TO_ULAW[np.frombuffer(AUDIO, np.uint8)].tobytes()
    )
    assert {packet.kind for packet in packets} == {0}


def test_a_held_call_goes_on_where_it_was(rig: Rig):
    rig.play()
    rig.run(100)
    rig.engine.handle(protocol.Hold(1))
    rig.run(100)
    before = rig.far.packets()
    rig.play(packet_ms=40)
    rig.run(200)
    after = rig.far.packets()
    sent = b"".join(packet.payload for packet in before + after)
    assert sent[: len(AUDIO)] == AUDIO
    assert len(before) in {5, 6}
    assert after[0].marker
    assert (after[0].sequence - before[-1].sequence) % 65_536 == 1
    assert len(rig.reported(protocol.Started)) == len(rig.reported(protocol.Finished)) == 1


def rtp(kind: int, stamp: int, payload: bytes, ssrc: int = 7) -> bytes:
    return struct.pack(">BBHII", 0x80, kind, 128, stamp, ssrc) + payload


def test_keys_are_taken_from_the_far_end_alone(rig: Rig):
    port = rig.play()
    key = struct.pack(">BBH", 5, 0, 160)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(rtp(101, 1, key, ssrc=9), ("127.0.0.1", port))
        rig.engine.receive(port)
        assert rig.reported(protocol.Key) == []
        rig.far.rtp.sendto(rtp(101, 2, key), ("127.0.0.1", port))
        rig.engine.receive(port)
        stranger.sendto(rtp(101, 9_000, key), ("127.0.0.1", port))
        rig.far.rtp.sendto(rtp(101, 9_000, key, ssrc=8), ("127.0.0.1", port))
        rig.engine.receive(port)
    assert [report.key for report in rig.reported(protocol.Key)] == ["5"]


def test_audio_is_dropped_by_the_kernel_and_events_are_not(rig: Rig):
    port = rig.play()
    for number in range(1, 100):
        audio = struct.pack(">BBHII", 0x80, 8, number, number * 160, 7) + bytes(160)
        rig.far.rtp.sendto(audio, ("127.0.0.1", port))
    rig.far.rtp.sendto(rtp(101, 2, struct.pack(">BBH", 11, 0, 160)), ("127.0.0.1", port))
    assert rig.ports.rtp[port].recv(100)[1] == 101


def test_what_came_for_the_call_before_is_not_heard(rig: Rig):
    port = list(rig.ports.rtp)[1]
    rig.far.rtp.sendto(rtp(101, 2, struct.pack(">BBH", 5, 0, 160)), ("127.0.0.1", port))
    rig.play()
    rig.engine.receive(port)
    assert rig.reported(protocol.Key) == []


def test_the_stream_ends_with_a_report_and_a_goodbye(rig: Rig):
    rig.play()
    rig.run(100)
    sent = rig.far.packets()
    rig.engine.handle(protocol.Stop(1))
    data = rig.far.rtcp.recv(500)
    kind, ssrc, packets, octets = struct.unpack(">xBxxI12xII", data[:28])
    assert (kind, ssrc) == (200, sent[0].ssrc)
    assert (packets, octets) == (len(sent), 160 * len(sent))
    assert 203 in {data[at + 1] for at in range(0, len(data), 4)}


def receiver_report(*blocks: tuple[int, int]) -> bytes:
    """Return a report with a source and its number of lost packets in each block."""
    data = struct.pack(">BBHI", 0x80 | len(blocks), 201, 1 + 6 * len(blocks), 77)
    for ssrc, lost in blocks:
        data += struct.pack(">IB", ssrc, 3) + lost.to_bytes(3, "big", signed=True) + bytes(16)
    return data


def test_packets_that_the_far_end_reports_as_lost_are_counted(rig: Rig):
    port = rig.play()
    rig.run(100)
    ours = rig.far.packets()[0].ssrc
    for report in (receiver_report((5, 9), (ours, 1)), receiver_report((ours, 2)), b"\x80\xc9", bytes(40)):
        rig.far.rtcp.sendto(report, ("127.0.0.1", port + 1))
    rig.engine.handle(protocol.Stop(1))
    assert rig.reported(protocol.Stopped) == [protocol.Stopped(1, 100, 5, 2)]


@pytest.mark.parametrize(
    ("report", "lost"),
    [
        (b"", None),
        (receiver_report((8, 4)), None),
        (receiver_report((7, 4)), 4),
        (receiver_report((7, -3)), 0),
        (receiver_report((7, 4))[:-1], None),
        (bytes([0x80, 200]) + bytes([0, 6]) + bytes(24), None),
        (bytes([0x81, 200, 0, 12]) + bytes(24) + receiver_report((7, 6))[8:], 6),
        (receiver_report() + receiver_report((7, 5)), 5),
        (bytes([0x9F, 201, 255, 255]) + bytes(20), None),
    ],
)
def test_a_report_is_read_as_far_as_it_is_whole(report: bytes, lost: int | None):
    assert lost_of(report, 7, None) == lost
    assert lost_of(report, 7, 2) == (2 if lost is None else lost)


def test_a_prompt_that_is_gone_is_a_failure_of_its_call_alone(rig: Rig, tmp_path: Path):
    rig.play(1, audio=str(tmp_path / "missing.wav"))
    rig.play(2)
    rig.run(230)
    assert [report.call for report in rig.reported(protocol.Failed)] == [1]
    assert b"".join(packet.payload for packet in rig.far.packets()) == AUDIO


def test_udp_checksums_are_right(rig: Rig):
    if rig.engine.way != "raw":
        pytest.skip("the kernel makes the checksums of ordinary sockets")
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as tap:
        tap.setblocking(False)
        rig.play()
        rig.run(230)
        checked = 0
        while True:
            try:
                packet = tap.recv(2_000)
            except BlockingIOError:
                break
            segment = packet[20:]
            if struct.unpack_from(">H", segment, 2)[0] != rig.far.port:
                continue
            pseudo = packet[12:20] + struct.pack(">BBH", 0, 17, len(segment))
            words = struct.unpack(f">{len(pseudo + segment) // 2}H", pseudo + segment)
            total = sum(words)
            while total > 0xFFFF:
                total = (total & 0xFFFF) + (total >> 16)
            assert total == 0xFFFF
            assert segment[6:8] != b"\0\0"
            checked += 1
    assert checked == 10


def test_both_requests_of_an_unanswered_call_are_sent_in_their_order():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as station:
        station.bind(("127.0.0.1", 0))
        port = station.getsockname()[1]
        farewells = Farewells()
        farewells.keep(protocol.Farewell(1, "CANCEL", "udp", "127.0.0.1", port, "BYE"))
        assert farewells.send() == 1
        station.setblocking(False)
        assert [station.recv(100) for _ in range(6)] == [b"CANCEL", b"BYE"] * 3


async def test_a_call_whose_dialer_died_is_ended_by_the_media_process():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as station:
        station.bind(("127.0.0.1", 0))
        station.setblocking(False)
        port = station.getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cato_dialer.dial.adapters.dense.media.main"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(protocol.encode(protocol.Configure(2, "127.0.0.1", 0, 0)))
        assert isinstance(protocol.decode(await process.stdout.readline()), protocol.Ready)
        for call in (1, 2):
            process.stdin.write(
                protocol.encode(protocol.Farewell(call, f"BYE {call}", "udp", "127.0.0.1", port))
            )
        process.stdin.write(protocol.encode(protocol.Stop(2)))
        process.stdin.close()
        async with asyncio.timeout(10):
            assert await asyncio.get_running_loop().sock_recv(station, 100) == b"BYE 1"
            await process.stdout.read()
            assert await process.wait() == 0
        while True:
            try:
                assert station.recv(100) == b"BYE 1"
            except BlockingIOError:
                break
