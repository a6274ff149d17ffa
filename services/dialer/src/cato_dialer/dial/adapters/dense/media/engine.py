"""The streams of a media process: handle orders, send at each tick, receive, and report."""

import heapq
import itertools
import os
import random
import time
from collections.abc import Callable
from contextlib import suppress

from cato_contracts.alaw_wav import AlawWavError
from cato_contracts.instants import now_ms
from cato_dialer.dial.adapters.dense.media import protocol
from cato_dialer.dial.adapters.dense.media.farewell import Farewells
from cato_dialer.dial.adapters.dense.media.kernel import raw_socket
from cato_dialer.dial.adapters.dense.media.ports import Ports
from cato_dialer.dial.adapters.dense.media.rtp import rtcp
from cato_dialer.dial.adapters.dense.media.rtp.bank import Phase
from cato_dialer.dial.adapters.dense.media.rtp.prompts import BYTES_PER_MS, STEP_MS, Prompts
from cato_dialer.dial.adapters.dense.media.rtp.socket_phase import SocketPhase
from cato_dialer.dial.adapters.dense.media.rtp.stream import Due, Sender, Stream
from cato_dialer.dial.adapters.dense.media.rtp.sum_table import SumTable

TICK_MS = 2
"""Of the clock of all streams. A shorter one costs more wake-ups and calls of the kernel, a longer one sends
so many packets at once that the last of them come late."""
_PACKET_SIZES = (10, 20, 30, 40, 60)
_REPORT_S = 5.0
_RTP_HEADER = 12
_LARGEST_PACKET = 512
_MOST_OF_STRANGERS, _MOST_REPORTS = 64, 8
_NO_DESCRIPTOR = -1
_VERSION_MASK, _VERSION = 0xC0, 0x80


class MediaEngine:
    """All streams of this process. `report` is called with each message for the trunk."""

    def __init__(
        self, ports: Ports, report: Callable[[protocol.FromMedia], None], *, may_be_raw: bool = True
    ) -> None:
        self._ports = ports
        self._report = report
        self._raw = raw_socket() if may_be_raw else None
        self._descriptor = self._raw.fileno() if self._raw else _NO_DESCRIPTOR
        sums = SumTable()
        self._raw_phases: dict[int, list[Sender]] = {
            size: [Phase(size, sums) for _ in range(size // TICK_MS)] for size in _PACKET_SIZES if self._raw
        }
        self._socket_phases: dict[int, list[Sender]] = {
            size: [SocketPhase(size, ports.rtp) for _ in range(size // TICK_MS)] for size in _PACKET_SIZES
        }
        self._prompts = Prompts()
        self._streams: dict[int, Stream] = {}
        self._by_port: dict[int, Stream] = {}
        self._reports: list[tuple[float, int]] = []
        self._played: list[tuple[int, int, Stream, int, type[protocol.Heard | protocol.Finished]]] = []
        self._order = itertools.count()
        self._cname = os.urandom(8).hex().encode()
        self.packets = 0
        self.farewells = Farewells()

    @property
    def way(self) -> str:
        return "raw" if self._raw else "sockets"

    @property
    def streams(self) -> int:
        return len(self._streams)

    def handle(self, message: protocol.ToMedia) -> None:
        match message:
            case protocol.Play():
                self._play(message)
            case protocol.Hold(call=call):
                if (stream := self._streams.get(call)) is not None:
                    self._pause(stream)
            case protocol.Farewell():
                self.farewells.keep(message)
            case protocol.Stop(call=call):
                self.farewells.drop(call)
                self._stop(call)
            case _:
                raise protocol.ProtocolError(f"not an order: {message!r}")

    def tick(self, millisecond: int) -> None:
        """Send the packets that are due in this tick; `millisecond` increases by TICK_MS per call."""
        while self._played and self._played[0][0] <= millisecond:
            _, _, stream, part, kind = heapq.heappop(self._played)
            self._say_played(stream, part, kind)
        for banks in (self._raw_phases, self._socket_phases):
            for size, phases in banks.items():
                phase = phases[millisecond % size // TICK_MS]
                if phase.count:
                    self.packets += phase.count
                    if (due := phase.tick(self._descriptor)) is not None:
                        self._say(due, millisecond)

    def send_reports(self) -> None:
        """Send the RTCP sender reports that are due. Call it a few times a second."""
        now = time.monotonic()
        while self._reports and self._reports[0][0] <= now:
            _, call = heapq.heappop(self._reports)
            if (stream := self._streams.get(call)) is not None:
                self._take_reports(stream)
                self._send_report(stream)
                self._plan_report(stream, now)

    def receive(self, port: int) -> None:
        """Handle packets received on a local RTP port, to the first one of the far end.

        There is seldom a second one, and to find that out costs as much as to handle one. Packets of
        strangers do not make the far end's wait.
        """
        rtp = self._ports.rtp[port]
        for _ in range(_MOST_OF_STRANGERS):
            try:
                data, source = rtp.recvfrom(_LARGEST_PACKET)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error of an earlier packet
            stream = self._by_port.get(port)
            if stream is not None and self._take(stream, data, source[0], source[1]):
                return

    def close(self) -> None:
        for call in list(self._streams):
            self._stop(call)
        self._ports.close()
        if self._raw:
            self._raw.close()

    def _play(self, order: protocol.Play) -> None:
        try:
            prompt = self._prompts.get(order.audio, order.codec)
        except AlawWavError as error:
            self._report(protocol.Failed(order.call, str(error)))
            return
        stream = self._streams.get(order.call)
        if stream is None:
            stream = self._streams[order.call] = Stream(
                call=order.call,
                port=order.port,
                source=order.source,
                address=order.address,
                to_port=order.to_port,
                payload_type=order.payload_type,
                events_types=order.events_types,
                packet_ms=order.packet_ms,
                prompt=prompt,
                part=order.part,
                counts=order.counts,
                next_mark=None
                if order.heard_ms is None or not order.counts
                else -(-order.heard_ms // STEP_MS),
            )
            self._by_port[order.port] = stream
            self._discard_received(order.port)
            self._plan_report(stream, time.monotonic())
        else:
            self._pause(stream)
            if (stream.address, stream.to_port) != (order.address, order.to_port):
                stream.moved()
            stream.address, stream.to_port, stream.source = order.address, order.to_port, order.source
            stream.payload_type, stream.events_types = order.payload_type, order.events_types
            if order.part > stream.part:
                stream.begin(order.part, counts=order.counts)
            stream.packet_ms, stream.prompt = order.packet_ms, prompt
            stream.resumed()
        if stream.finished:
            stream.held()
        else:
            phases = self._phases_for(stream)
            min(phases, key=lambda phase: phase.count).add(stream)

    def _phases_for(self, stream: Stream) -> list[Sender]:
        raw = self._raw_phases if ":" not in stream.address else {}
        return raw.get(stream.packet_ms) or self._socket_phases[stream.packet_ms]

    def _pause(self, stream: Stream) -> None:
        if stream.phase is not None:
            stream.phase.remove(stream)
            stream.held()

    def _stop(self, call: int) -> None:
        stream = self._streams.pop(call, None)
        heard, packets, lost = 0, 0, None
        if stream is not None:
            self._pause(stream)
            self._take_reports(stream)
            packets, lost = stream.packets, stream.lost
            self._by_port.pop(stream.port, None)
            heard = stream.heard_ms()
            if stream.started:
                self._send_rtcp(stream, self._report_of(stream) + rtcp.goodbye(stream.ssrc))
        self._report(protocol.Stopped(call, heard, packets, lost))

    def _say(self, due: Due, millisecond: int) -> None:
        for stream in due.started:
            self._report(protocol.Started(stream.call, now_ms()))
        # A packet counts as heard at the end of its playing time, not when it is sent.
        for streams, kind in ((due.heard, protocol.Heard), (due.finished, protocol.Finished)):
            for stream in streams:
                over = millisecond + stream.packet_ms
                heapq.heappush(self._played, (over, next(self._order), stream, stream.part, kind))
        for stream in due.finished:
            stream.finished = True
            stream.held()

    def _say_played(self, stream: Stream, part: int, kind: type[protocol.Heard | protocol.Finished]) -> None:
        if self._streams.get(stream.call) is not stream:
            return
        if kind is protocol.Heard:
            self._report(protocol.Heard(stream.call, now_ms(), stream.marked_ms))
        else:
            self._report(protocol.Finished(stream.call, now_ms(), stream.heard_ms(), part))

    def _take(self, stream: Stream, data: bytes, address: str, port: int) -> bool:
        """Handle a packet; return whether it is one of the far end."""
        if len(data) < _RTP_HEADER or data[0] & _VERSION_MASK != _VERSION:
            return False
        if not stream.takes(address, port, int.from_bytes(data[8:12], "big")):
            return False
        if stream.latched_to != (stream.address, stream.to_port):
            stream.address, stream.to_port = address, port
            if stream.phase is not None:
                stream.phase.redirect(stream)
        if data[1] & 0x7F in stream.events_types:
            start = _RTP_HEADER + 4 * (data[0] & 0x0F)
            if data[0] & 0x10:
                start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
            key = stream.events.take(int.from_bytes(data[4:8], "big"), data[start:])
            if key is not None:
                self._report(protocol.Key(stream.call, now_ms(), key))
        return True

    def _discard_received(self, port: int) -> None:
        """Discard packets that arrived for the previous call on these sockets."""
        for each in (self._ports.rtp[port], self._ports.rtcp[port]):
            with suppress(OSError):
                while True:
                    each.recv(_LARGEST_PACKET)

    def _take_reports(self, stream: Stream) -> None:
        """Take what the far end has reported about our packets since the last time."""
        with suppress(OSError):
            for _ in range(_MOST_REPORTS):
                report = self._ports.rtcp[stream.port].recv(_LARGEST_PACKET)
                stream.lost = rtcp.lost_of(report, stream.ssrc, stream.lost)

    def _plan_report(self, stream: Stream, now: float) -> None:
        # 0.5 to 1.5 times the interval at random, so that calls that began together do not report together.
        heapq.heappush(self._reports, (now + _REPORT_S * random.uniform(0.5, 1.5), stream.call))  # noqa: S311

    def _send_report(self, stream: Stream) -> None:
        if stream.phase is not None and stream.started:
            self._send_rtcp(stream, self._report_of(stream))

    def _report_of(self, stream: Stream) -> bytes:
        position, stamp = stream.position, stream.stamp
        if stream.phase is not None:
            position, stamp = stream.phase.position(stream), stream.phase.stamp(stream)
        sent = stream.packets + (position - stream.position) // (stream.packet_ms // STEP_MS)
        octets = sent * stream.packet_ms * BYTES_PER_MS
        return rtcp.sender_report(
            stream.ssrc, time.time_ns(), stamp, packets=sent, octets=octets, cname=self._cname
        )

    def _send_rtcp(self, stream: Stream, packet: bytes) -> None:
        try:
            self._ports.rtcp[stream.port].sendto(packet, (stream.address, stream.to_port + 1))
        except OSError:
            return  # the far end has no RTCP port; only the far end uses these reports
