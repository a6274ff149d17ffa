"""Run a worker process: start it, read its messages, replace it."""

import asyncio
import contextlib
import dataclasses
import functools
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path

import structlog

from cato_contracts.instants import now_ms
from cato_dialer.dial.adapters.pjsua2 import protocol
from cato_dialer.dial.adapters.pjsua2.supervisor.bytecode import BytecodeCache
from cato_dialer.dial.adapters.pjsua2.supervisor.farewells import send_last_requests
from cato_dialer.dial.adapters.pjsua2.supervisor.line import Pjsua2Line
from cato_dialer.dial.adapters.sip.tap import Tap
from cato_dialer.dial.domain.sip_trace.recorder import Party, SeenMessage
from cato_runtime.process.child_process import kill

log = structlog.get_logger()

START_S = 20.0
"For the library to come up; 0.2 s on a machine that is not busy."
SILENT_TICKS = 4
"Ticks of the trunk without a message: the worker, which sends two heartbeats a second, hangs."
END_S = 3.0
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 30.0
_SETTLED_S = 60.0
"A process that ran for this time resets the pause before the next start."
_ORDER_EXPIRES_MS = 2_000
"From the time at which the INVITE is due; the worker compares it with the clock right before it sends."
_MODULE = "cato_dialer.dial.adapters.pjsua2.worker.main"


class WorkerProcess:
    """A worker of the pool: a process, which is replaced whenever it ends.

    `changed` is called when the worker takes calls again, and when a slot has become free.
    """

    def __init__(
        self,
        worker_id: int,
        settings: protocol.Configure,
        *,
        gate: asyncio.Semaphore,
        bytecode: BytecodeCache,
        changed: Callable[[], None],
        registered: Callable[[protocol.Registered], None] | None = None,
    ) -> None:
        self.settings = settings
        self.loop_lag_ms = 0
        self.media_lag_ms = 0
        self.refusal = ""
        self.tried = asyncio.Event()
        "Set once the first start has succeeded or failed."
        self._worker_id = worker_id
        self._gate = gate
        self._bytecode = bytecode
        self._changed = changed
        self._registered = registered
        self._process: Process | None = None
        self._calls = 0
        self._placed = 0
        self._freed = 0
        self._lines: dict[int, Pjsua2Line] = {}
        self._parting: dict[int, Pjsua2Line] = {}
        "Released lines whose far end may still have the call."
        self._message_seen = False
        self._silent_ticks = 0
        self._closing = asyncio.Event()
        self._farewell: asyncio.Task[None] | None = None
        self._tap: Tap | None = None
        self.deaths = 0
        "How often the process has ended unasked."

    @property
    def calls(self) -> int:
        """The calls at once that it can carry; 0 while there is no process."""
        return self._calls

    @property
    def occupied(self) -> int:
        """The calls that the library still holds, among them those of released lines."""
        return self._placed - self._freed if self._calls else 0

    @property
    def lingering(self) -> int:
        return max(self.occupied - len(self._lines), 0)

    @property
    def free(self) -> int:
        return self._calls - self.occupied

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def send(self, message: protocol.Register | protocol.Unregister) -> None:
        """Send a message that concerns no call; it is lost while there is no process."""
        self._send(message)

    def trace(self, tap: Tap | None) -> None:
        """Pass all messages of SIP to the tap from now on; None: no more."""
        if (tap is None) != (self._tap is None):
            self._send(protocol.Trace(on=tap is not None))
        self._tap = tap

    def place(self, line: Pjsua2Line, order: protocol.Place) -> None:
        """Send an order to the process.

        The order expires soon, whatever its own limit: a process that was frozen must not call a person long
        after the call was given up.
        """
        latest = max(order.not_before or 0, now_ms()) + _ORDER_EXPIRES_MS
        if order.not_after is not None:
            latest = min(latest, order.not_after)
        order = dataclasses.replace(order, not_after=latest)
        self._placed += 1
        self._lines[line.number] = line
        line.on_hang_up = self._hang_up
        line.on_play = functools.partial(self._play, order.audio)
        self._send(order)

    def tick(self) -> None:
        """Kill a process that has sent nothing for some ticks; called about once a second.

        Ticks are counted, not time: if our own loop was blocked, the messages are only unread.
        """
        self._silent_ticks = 0 if self._message_seen or not self._calls else self._silent_ticks + 1
        self._message_seen = False
        if self._silent_ticks >= SILENT_TICKS and self._process is not None:
            log.error("SIP worker hangs and is killed", worker_id=self._worker_id, pid=self._process.pid)
            self._kill()

    async def keep_running(self) -> None:
        """Run a process, and a new one whenever it ends, until `close`."""
        pause_s = _FIRST_PAUSE_S
        while not self._closing.is_set():
            began = time.monotonic()
            try:
                why = await self._live()
            except OSError as error:
                why = f"SIP worker cannot be started: {error.strerror or 'it sent no message in time'}"
            except ValueError as error:
                why = f"SIP worker sent an invalid message: {error}"
            self._say_farewell(self._lose_lines(why))
            if self._closing.is_set():
                return
            if time.monotonic() - began >= _SETTLED_S:
                pause_s = _FIRST_PAUSE_S
            self.deaths += 1
            log.warning("SIP worker has ended", worker_id=self._worker_id, why=why, again_in_s=pause_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def close(self) -> None:
        """Let the process hang up its calls and end; `keep_running` returns then."""
        self._closing.set()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            asyncio.get_running_loop().call_later(END_S, self._kill)

    async def _live(self) -> str:
        """Run one process; return why it ended. Raises: OSError, ValueError."""
        try:
            async with self._gate:
                process = await self._spawn()
                self._process, self.refusal = process, ""
                if self._closing.is_set():
                    self.close()
                self._send(self.settings)
                if self._tap is not None:
                    self._send(protocol.Trace(on=True))
                async with asyncio.timeout(START_S):
                    alive = await self._read_message(process)
            if self._calls:
                self.tried.set()
                self._changed()
            while alive:
                alive = await self._read_message(process)
            # It has closed its output, so it is ending by itself.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), END_S)
        finally:
            self._kill()
            self.tried.set()
        status = await kill(process)
        return self.refusal or f"SIP worker ended ({_ending(status)})"

    async def _spawn(self) -> Process:
        """Raises: OSError."""
        command = (sys.executable, "-P", *self._bytecode.options, "-m", _MODULE, str(os.getpid()))
        return await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, env=self._bytecode.environment
        )

    async def _read_message(self, process: Process) -> bool:
        """Handle one message; return False at their end. Raises: ProtocolError."""
        if process.stdout is None:
            return False
        line = await process.stdout.readline()
        if not line:
            return False
        self._message_seen = True
        self._take(protocol.decode(line))
        return True

    def _take(self, message: protocol.Message) -> None:
        """Raises: ProtocolError."""
        match message:
            case protocol.Ready(calls=calls):
                self._calls = calls
            case protocol.Refused(reason=reason):
                self.refusal = reason
            case protocol.Beat(loop_lag_ms=loop, media_lag_ms=media):
                self.loop_lag_ms, self.media_lag_ms = loop, media
            case protocol.Freed(calls=calls):
                self._freed = calls
                self._changed()
            case protocol.Registered() if self._registered is not None:
                self._registered(message)
            case protocol.Gone(line=line):
                self._gone(line)
            case protocol.SipMessage():
                if self._tap is not None:
                    self._tap(_seen(message), self._party)
            case protocol.InviteSent() | protocol.CallNamed() | protocol.Signalled() | protocol.LineReport():
                self._take_of_line(message)
            case _:
                raise protocol.ProtocolError(f"not from a worker: {message!r}")

    def _play(self, prompt: str, line: Pjsua2Line, part: int, audio: Path | None) -> None:
        if line.number in self._lines:
            self._send(protocol.Play(line.number, part, str(audio or prompt), counts=audio is None))

    def _hang_up(self, line: Pjsua2Line) -> None:
        if line.number in self._lines:
            self._send(protocol.HangUp(line.number))

    def _take_of_line(self, message: protocol.OfLine) -> None:
        line = self._lines.get(message.line)
        if line is None:
            return
        match message:
            case protocol.InviteSent():
                line.sent = True
            case protocol.CallNamed(sip_call_id=sip_call_id):
                line.sip_call_id = sip_call_id
            case protocol.Signalled(text=text, peer=peer):
                line.signalling.take(text, peer)
            case protocol.LineReport(event=event):
                line.deliver(event)
        if line.released:
            self._parting[message.line] = self._lines.pop(message.line)

    def _party(self, sip_call_id: str) -> Party | None:
        lines = (*self._lines.values(), *self._parting.values())
        return next((line.party for line in lines if line.sip_call_id == sip_call_id), None)

    def _gone(self, number: int) -> None:
        line = self._parting.pop(number, None) or self._lines.get(number)
        if line is not None:
            line.note_gone()

    def _say_farewell(self, lines: list[Pjsua2Line]) -> None:
        """Hang up the calls that a process has left up; until that is done their lines are not gone."""
        up = [line for line in lines if line.signalling.invite]
        for line in lines:
            if line not in up or self._closing.is_set():
                line.note_gone()
        if up and not self._closing.is_set():
            self._farewell = asyncio.create_task(_hang_up(up))

    def _lose_lines(self, why: str) -> list[Pjsua2Line]:
        """Release the lines of the process, which has ended; return those that may not be gone."""
        self._process = None
        self._calls = self._placed = self._freed = 0
        self._message_seen, self._silent_ticks = False, 0
        self.loop_lag_ms = self.media_lag_ms = 0
        parting, self._parting = list(self._parting.values()), {}
        lines, self._lines = list(self._lines.values()), {}
        for line in lines:
            line.lose(why or "the SIP engine is closed")
        return [*lines, *parting]

    def _send(self, message: protocol.ToWorker) -> None:
        # The end of a process is noticed at the end of its messages.
        if (
            self._process is not None
            and self._process.stdin is not None
            and not self._process.stdin.is_closing()
        ):
            self._process.stdin.write(protocol.encode(message))

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()


async def _hang_up(lines: list[Pjsua2Line]) -> None:
    try:
        await send_last_requests([line.signalling for line in lines])
    finally:
        for line in lines:
            line.note_gone()


def _seen(message: protocol.SipMessage) -> SeenMessage:
    return SeenMessage(
        message.at_us,
        message.sent,
        message.transport,
        message.local,
        message.remote,
        message.text.encode("latin-1"),
    )


def _ending(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"
