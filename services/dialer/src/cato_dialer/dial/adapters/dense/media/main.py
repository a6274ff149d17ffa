"""The media process, started by the trunk as `python -m cato_dialer.dial.adapters.dense.media.main`.

Orders come on standard input, reports go to standard output, one per line. One thread: the tick of the clock
comes before everything else. The process ends when its standard input does, so also when the
dialer dies; then it hangs up the calls that are left.
"""

import gc
import os
import select
import signal
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from cato_dialer.dial.adapters.call_lock import hold
from cato_dialer.dial.adapters.dense.media import protocol
from cato_dialer.dial.adapters.dense.media.engine import TICK_MS, MediaEngine
from cato_dialer.dial.adapters.dense.media.kernel import Clock
from cato_dialer.dial.adapters.dense.media.ports import Ports

_IDLE_TICK_MS = 50
"Interval while there are no streams: the process need not wake up for each tick."
_RECEIVE_MS = 10
"Interval between looks at the incoming packets. To wake up for each of them costs more than to handle them."
_MOST_BEHIND = 200
"Milliseconds. After a longer stall the clock skips to the present: a burst of late packets would be noise."
_BEAT_MS, _REPORT_MS = 500, 100
_EVENTS = 256
_READ = 1 << 16


class Process:
    """Reads orders, sends and receives packets, writes reports."""

    def __init__(self) -> None:
        self._in, self._out = sys.stdin.fileno(), os.dup(sys.stdout.fileno())
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # output of a library is not a report
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        self._buffer = b""
        self._unsent = bytearray()
        self._open = True
        self._millisecond = self._worst_lag = 0

    def run(self) -> int:
        configure = self._first()
        try:
            hold(configure.calls_file)
            ports = Ports(
                configure.calls, configure.bind_address, configure.rtp_port_from, configure.rtp_port_till
            )
        except OSError as error:
            self._say(protocol.Refused(str(error)))
            self._flush_for_good()
            return 1
        engine = MediaEngine(ports, self._say)
        self._say(protocol.Ready(tuple(ports.rtp), engine.way))
        gc.collect()
        gc.freeze()
        self._loop(engine, ports)
        engine.close()
        engine.farewells.send()  # empty if the dialer has shut down normally
        return 0

    def _loop(self, engine: MediaEngine, ports: Ports) -> None:
        clock = Clock(_IDLE_TICK_MS)
        poll, received = select.epoll(), select.epoll()
        poll.register(clock.descriptor, select.EPOLLIN)
        poll.register(self._in, select.EPOLLIN)
        descriptors = {rtp.fileno(): port for port, rtp in ports.rtp.items()}
        for descriptor in descriptors:
            received.register(descriptor, select.EPOLLIN)
        receive_at = 0
        while self._open:
            ready = {descriptor for descriptor, _ in poll.poll()}
            # The clock first: packets that are due cannot wait.
            if clock.descriptor in ready:
                self._advance(engine, clock)
            if self._in in ready:
                self._orders(engine)
            if self._millisecond >= receive_at:
                receive_at = self._millisecond + _RECEIVE_MS
                for descriptor, _ in received.poll(timeout=0, maxevents=_EVENTS):
                    engine.receive(descriptors[descriptor])
            clock.set_interval(TICK_MS if engine.streams else _IDLE_TICK_MS)
            self._flush()

    def _advance(self, engine: MediaEngine, clock: Clock) -> None:
        """Send the packets that have become due since the last call."""
        behind = clock.elapsed_ms()
        self._worst_lag = max(self._worst_lag, behind - clock.interval_ms)
        for _ in range(min(behind, _MOST_BEHIND) // TICK_MS):
            engine.tick(self._millisecond)
            self._millisecond += TICK_MS
            if self._millisecond % _BEAT_MS == 0:
                self._say(protocol.Beat(self._worst_lag, engine.packets, engine.streams))
                self._worst_lag = 0
            if self._millisecond % _REPORT_MS == 0:
                engine.send_reports()

    def _orders(self, engine: MediaEngine) -> None:
        for line in self._lines():
            engine.handle(protocol.decode(line))

    def _lines(self) -> list[bytes]:
        try:
            data = os.read(self._in, _READ)
        except BlockingIOError:
            return []
        if not data:
            self._open = False  # the trunk has ended, or has asked this process to end
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return lines

    def _first(self) -> protocol.Configure:
        lines: list[bytes] = []
        while self._open and not lines:
            select.select([self._in], [], [])
            lines = self._lines()
        if not lines:
            sys.exit(0)
        message = protocol.decode(lines[0])
        if not isinstance(message, protocol.Configure):
            raise protocol.ProtocolError(f"the first message is not Configure: {message!r}")
        return message

    def _say(self, message: protocol.FromMedia) -> None:
        self._unsent += protocol.encode(message)

    def _flush(self) -> None:
        """Write all reports at once: each write wakes the dialer."""
        if not self._unsent:
            return
        try:
            written = os.write(self._out, self._unsent)
        except BlockingIOError:
            return  # the pipe to the trunk is full: retried at the next tick
        except BrokenPipeError:
            self._open = False
            return
        del self._unsent[:written]

    def _flush_for_good(self) -> None:
        deadline = time.monotonic() + 1
        while self._unsent and time.monotonic() < deadline:
            select.select([], [self._out], [], 0.1)
            self._flush()


def main() -> int:
    # Ignore signals to the process group: the dialer handles them and drains first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return Process().run()


if __name__ == "__main__":
    sys.exit(main())
