"""The worker process, started by the supervisor as `python -m cato_dialer.dial.adapters.pjsua2.worker.main`.

Messages come in on standard input, one per line, and go out on a copy of standard output: PJSIP prints to
standard output, so that is redirected first. The end of the input means that the parent has ended: the
worker hangs up its calls and ends.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable
from types import FrameType
from typing import TYPE_CHECKING

from cato_dialer.dial.adapters.call_lock import hold
from cato_dialer.dial.adapters.pjsua2 import protocol
from cato_dialer.dial.adapters.pjsua2.worker.pipes import Doorbell, Pipes

if TYPE_CHECKING:
    from cato_dialer.dial.adapters.pjsua2.worker.engine import Engine

_BEAT_S = 0.5
_START_S = 10
_STUCK_S = 6
"""The kernel ends a worker whose loop has been stuck for so long, even without a parent. After 7 s another
dialer may have taken over its calls, and it must not go on with them."""
_SHUTDOWN_S = 2
"For BYE and CANCEL after the parent has ended."
_SHUTDOWN_LOOK_MS = 20
_PR_SET_PDEATHSIG = 1


def main(parent: int) -> int:
    pipes = Pipes()
    _end_with_parent(parent, pipes)
    messages = pipes.first(_START_S)
    if not messages or not isinstance(settings := messages[0], protocol.Configure):
        return 2
    hold(settings.calls_file)
    _move_output_away(sip_log=settings.sip_log_level > 0)
    # The library prints as soon as it is loaded.
    from cato_dialer.dial.adapters.pjsua2.worker.engine import Engine, EngineError  # noqa: PLC0415

    engine = Engine(settings, pipes.send)
    try:
        calls = engine.start()
    except EngineError as error:
        pipes.send(protocol.Refused(str(error)))
        return 1
    doorbell = Doorbell(*engine.address)
    signal.set_wakeup_fd(doorbell.fileno(), warn_on_full_buffer=False)
    pipes.listen(doorbell.ring)
    pipes.send(protocol.Ready(calls))
    _work(engine, pipes, messages[1:])
    signal.alarm(2 * _SHUTDOWN_S)
    _shutdown(engine)
    # Without collecting the engine: the shutdown of the library takes a second and more.
    os._exit(0)


def _work(engine: "Engine", pipes: Pipes, messages: Iterable[protocol.Message]) -> None:
    beat_at = time.monotonic() + _BEAT_S
    lag_s = 0.0
    while True:
        for message in messages:
            _handle(engine, message)
        if pipes.closed:
            return
        began = time.monotonic()
        # A message may have had its effect at once, and its events must be reported.
        wait_ms = 0 if messages else engine.wait_ms(max(round((beat_at - began) * 1_000), 0))
        engine.poll(wait_ms)
        messages = pipes.take()
        now = time.monotonic()
        lag_s = max(lag_s, now - began - wait_ms / 1_000)
        if now >= beat_at:
            pipes.send(protocol.Beat(round(lag_s * 1_000), engine.take_media_lag_ms()))
            signal.alarm(_STUCK_S)
            beat_at, lag_s = now + _BEAT_S, 0.0


def _handle(engine: "Engine", message: protocol.Message) -> None:
    match message:
        case protocol.Place():
            engine.place(message)
        case protocol.Play():
            engine.play(message)
        case protocol.HangUp(line=line):
            engine.hang_up(line)
        case protocol.Register():
            engine.registrations.register(message)
        case protocol.Unregister(station=station):
            engine.registrations.end(station)
        case protocol.Trace(on=on):
            engine.wire.trace(on=on)
        case _:
            raise protocol.ProtocolError(f"not for a worker: {message!r}")


def _shutdown(engine: "Engine") -> None:
    engine.hang_up_all()
    engine.registrations.end_all()
    deadline = time.monotonic() + _SHUTDOWN_S
    while not (engine.idle and engine.registrations.ended) and time.monotonic() < deadline:
        engine.poll(_SHUTDOWN_LOOK_MS)


def _end_with_parent(parent: int, pipes: Pipes) -> None:
    """End this process with its parent, however that dies, as if the input had been closed."""

    def close(signal_number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        pipes.closed = True

    # An interrupt at the terminal reaches all processes of the group; the parent decides when we end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, close)
    signal.alarm(_START_S)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        pipes.closed = True


def _move_output_away(*, sip_log: bool) -> None:
    target = os.dup(2) if sip_log else os.open(os.devnull, os.O_WRONLY)
    os.dup2(target, 1)
    os.close(target)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
