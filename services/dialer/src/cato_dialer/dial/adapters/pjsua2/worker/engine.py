"""Run PJSIP. One thread, and only inside a worker process.

Callbacks only queue events; they are handled after `libHandleEvents` has returned.
"""

import ctypes
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pjsua2 as pj

from cato_contracts.alaw_wav import AlawWavError, audio_length
from cato_contracts.instants import now_ms
from cato_dialer.dial.adapters.pjsua2 import protocol
from cato_dialer.dial.adapters.pjsua2.worker import pj_events
from cato_dialer.dial.adapters.pjsua2.worker.audio.audio_tap import AudioTapError
from cato_dialer.dial.adapters.pjsua2.worker.audio.playback import Playback
from cato_dialer.dial.adapters.pjsua2.worker.audio.prompt_player import PlayerError, PromptPlayer
from cato_dialer.dial.adapters.pjsua2.worker.audio.tone_listener import ToneListener
from cato_dialer.dial.adapters.pjsua2.worker.digit_filter import RTP_EVENTS, TONES, DigitFilter
from cato_dialer.dial.adapters.pjsua2.worker.last_moment import LastMoment
from cato_dialer.dial.adapters.pjsua2.worker.parting_calls import PartingCalls
from cato_dialer.dial.adapters.pjsua2.worker.progress import Progress
from cato_dialer.dial.adapters.pjsua2.worker.scheduled_calls import ScheduledCalls
from cato_dialer.dial.adapters.pjsua2.worker.sip.accounts import Accounts, AccountsError
from cato_dialer.dial.adapters.pjsua2.worker.sip.library_call import LibraryCall, abandon, call_options
from cato_dialer.dial.adapters.pjsua2.worker.sip.library_module import LibraryModule
from cato_dialer.dial.adapters.pjsua2.worker.sip.library_settings import (
    keep_to_udp,
    library_config,
    usable_calls,
)
from cato_dialer.dial.adapters.pjsua2.worker.sip.offer import Offer
from cato_dialer.dial.adapters.pjsua2.worker.sip.registrations import Registrations
from cato_dialer.dial.adapters.pjsua2.worker.sip.request_guard import RequestGuard
from cato_dialer.dial.adapters.pjsua2.worker.sip.response_filter import BadAnswer, ResponseFilter
from cato_dialer.dial.adapters.pjsua2.worker.socket_quota import SocketQuota
from cato_dialer.dial.adapters.pjsua2.worker.wire import Wire
from cato_dialer.dial.domain.call.line_events import LineEvent, LineReleased, ReleaseCause

_KEYS_MS = 100
"The longest wait for a key: the library takes keys from RTP on its media thread and reports them at `poll`."
_UNUSABLE = (pj.Error, TypeError, ValueError)
"What the library raises for an address, a number or a setting that it cannot use."


class EngineError(Exception):
    """The library cannot be started with these settings."""


@dataclass(slots=True)
class _Running:
    call: LibraryCall
    player: PromptPlayer
    progress: Progress
    observe_at_ms: float = 0.0


class Engine:
    """The library with its calls; `emit` gets every message for the supervisor."""

    def __init__(self, settings: protocol.Configure, emit: Callable[[protocol.FromWorker], None]) -> None:
        self._settings = settings
        self._emit = emit
        self._events: deque[pj_events.PjEvent] = deque()
        self._scheduled = ScheduledCalls()
        self._running: dict[int, _Running] = {}
        self._placed = 0
        self._over = 0
        self._freed = 0
        self._media_lag_ms = 0.0
        self._library = ctypes.CDLL(pj._pjsua2.__file__)  # noqa: SLF001 - counts that its Python side lacks
        self._endpoint = pj.Endpoint()
        self._parting = PartingCalls(self._library, emit)
        self._offer = Offer(self._endpoint, self._library)
        self._offer.prepare()
        self._accounts = Accounts(self._endpoint, self._library, settings)
        self._offered: dict[int, tuple[str, ...]] = {}
        self._responses = ResponseFilter(
            self._library, self._offered, lambda: self._accounts.transports, self._bad_answer
        )
        self._guard = RequestGuard(self._library, lambda: self._accounts.transports)
        self._last_moment = LastMoment(self._events.append)
        self.wire = Wire(self._library, emit)
        filters = self._guard.answer, self._responses.take, self._last_moment.may_send
        self._module = LibraryModule(self._library, *filters, self.wire.received)
        self._tones = ToneListener(self._library)
        self._sockets = SocketQuota(settings.calls)
        self.registrations = Registrations(self._accounts, emit)

    def start(self) -> int:
        """Start the library; return the calls that it carries at once, at most those of the settings.

        Raises:
            EngineError: for example if an address cannot be bound.

        """
        settings = self._settings
        config = library_config(settings)
        if not keep_to_udp(self._library):
            raise EngineError("the library is of another version: its settings have another layout")
        try:
            self._endpoint.libCreate()
            self._endpoint.libInit(config)
            self._responses.prepare()
            self._guard.prepare()
            if status := self._module.register() or self.wire.register():
                raise EngineError(f"our module cannot be registered: status {status}")
            self._accounts.open()
            self._endpoint.libStart()
            self._endpoint.audDevManager().setNullDev()
        except pj.Error as error:
            raise EngineError(f"{error.title}: {error.reason}") from error
        calls = usable_calls(self._library, settings.calls)
        self._sockets = SocketQuota(calls)
        return calls

    @property
    def idle(self) -> bool:
        """Tell whether the library has no call, not even one that waits for its last message."""
        return self._placed == self._over

    @property
    def address(self) -> tuple[str, int]:
        """The address at which a datagram ends the waiting of `poll`. Raises: pj.Error."""
        return self._accounts.address

    def wait_ms(self, at_most: int) -> int:
        """Return the time until the engine has work beside the sockets and timers of the library."""
        if self._events:
            return 0
        wait = self._scheduled.wait_ms(now_ms(), at_most)
        if any(running.progress.answered for running in self._running.values()):
            wait = min(wait, _KEYS_MS)
        now = time.monotonic() * 1_000
        if self._freed < self._over:
            wait = min(wait, self._sockets.wait_ms(now))
        times = (
            running.observe_at_ms - now
            for running in self._running.values()
            if running.progress.playback.running
        )
        return max(min(wait, math.ceil(min(times, default=wait))), 0)

    def poll(self, timeout_ms: int) -> None:
        """Run the library, for `timeout_ms` at most if it is idle, and handle the events that it queued."""
        self._endpoint.libHandleEvents(timeout_ms)
        self._parting.check()
        for order in self._scheduled.take_due(now_ms()):
            self._dial(order)
        while self._events:
            self._take(self._events.popleft())
        now = time.monotonic() * 1_000
        for running in list(self._running.values()):
            self._take_tones(running)
            if running.progress.playback.running and now >= running.observe_at_ms:
                self._observe(running, now)
        self._count_freed()

    def place(self, order: protocol.Place) -> None:
        """Make the call at the time of the order, or now."""
        self._placed += 1
        if order.not_before is not None and order.not_before > now_ms():
            self._scheduled.add(order)
        else:
            self._dial(order)

    def _dial(self, order: protocol.Place) -> None:
        # An order without a call is released here: it took no slot of the library.
        try:
            length = audio_length(Path(order.audio))
            account = self._accounts.of(order.identity)
            self._offer.codecs(order.codecs)
            self._offer.events(offered=RTP_EVENTS in order.dtmf)
            player = PromptPlayer(self._library, Path(order.audio))
        except (AlawWavError, PlayerError, AccountsError, *_UNUSABLE) as error:
            self._release(order.line, ReleaseCause.NOT_SENT, _why(error))
            return
        call = LibraryCall(account, order.line, self._note, self._library)
        progress = Progress(order.line, Playback(length, order.heard_threshold_ms), DigitFilter(order.dtmf))
        self._running[order.line] = _Running(call, player, progress)
        option = call_options(order.identity.uri)
        if self._last_moment.missed(order):
            return
        # Before the INVITE: this process may die right after it has sent that, and then there was a call.
        self._emit(protocol.InviteSent(order.line))
        try:
            with self._last_moment.sending(order), self.wire.sending(order.line):
                call.makeCall(order.target, option)
            self._offered[call.dialog] = order.codecs
            if self.wire.announced(order.line) is None and (sip_call_id := call.sip_call_id()):
                self._emit(protocol.CallNamed(order.line, sip_call_id))
        except _UNUSABLE as error:
            # If the library has reported the end of the call already, that event comes first and says more.
            unsent = pj_events.Unsent(order.line, now_ms(), ReleaseCause.NOT_SENT, _why(error))
            self._events.append(unsent)

    def play(self, order: protocol.Play) -> None:
        """Play another part of a call from its start, in place of what plays."""
        running = self._running.get(order.line)
        if running is None or not running.progress.answered:
            return
        progress, now = running.progress, time.monotonic() * 1_000
        if progress.playback.running:
            self._observe(running, now)
        # Closed first: there are no more players than calls.
        running.player.close()
        try:
            length = audio_length(Path(order.audio))
            running.player = PromptPlayer(self._library, Path(order.audio))
        except (AlawWavError, PlayerError) as error:
            self._events.append(pj_events.Failed(order.line, now_ms(), _why(error)))
            return
        threshold_ms = progress.playback.threshold_left_ms if order.counts else None
        progress.begin(order.part, Playback(length, threshold_ms), counts=order.counts)
        if progress.may_play:
            self._play(running)

    def hang_up(self, line: int) -> None:
        if self._scheduled.cancel(line):
            self._release(line, ReleaseCause.LOCAL_HANGUP, "hung up before it was dialled")
        running = self._running.get(line)
        if running is None or running.progress.hanging_up:
            return
        running.progress.hanging_up = True
        try:
            # The library sends CANCEL or BYE, or waits for a provisional response first. It acknowledges and
            # ends a 200 that crosses our CANCEL. The call reports its end at once, before the last messages.
            with self._parting.hanging_up(line, running.call.getId()):
                running.call.hangup(pj.CallOpParam())
        except pj.Error as error:
            self._events.append(pj_events.Failed(line, now_ms(), _why(error)))

    def hang_up_all(self) -> None:
        for line in (*self._scheduled.lines(), *self._running):
            self.hang_up(line)

    def take_media_lag_ms(self) -> int:
        """Return the worst lag of a playback behind the clock since the last call of this method."""
        lag, self._media_lag_ms = self._media_lag_ms, 0.0
        return round(lag)

    def _note(self, event: pj_events.PjEvent) -> None:
        if isinstance(event, pj_events.Signalled):  # before what follows from it: this process may die
            if event.text != self.wire.announced(event.line):
                self._emit(protocol.Signalled(event.line, event.text, event.peer))
        else:
            self._events.append(event)

    def _take(self, event: pj_events.PjEvent) -> None:
        running = self._running.get(event.line)
        if running is None:
            return
        progress = running.progress
        if isinstance(event, pj_events.BadAnswer):
            progress.bad_answer = event
            if event.discarded:
                abandon(running.call)
            return
        if isinstance(event, pj_events.Over | pj_events.StreamGone):
            self._take_tones(running)
        self._send(event.line, progress.take(event))
        if progress.ended:
            del self._running[event.line]
            self.wire.over(event.line)
            self._offered.pop(running.call.dialog, None)
            self._responses.forget(running.call.dialog)
            running.player.close()
            self._tones.end(event.line)
            if isinstance(event, pj_events.Failed | pj_events.Unsent):
                with self._parting.hanging_up(event.line, running.call.getId()):
                    abandon(running.call)
            self._parting.released(event.line)
            return
        if progress.may_listen:
            self._listen(running)
        if progress.may_play:
            self._play(running)

    def _bad_answer(self, answer: BadAnswer) -> None:
        for line, running in self._running.items():
            if running.call.dialog == answer.dialog:
                event = pj_events.BadAnswer(line, now_ms(), answer.cause, answer.why, answer.discarded)
                self._events.append(event)

    def _listen(self, running: _Running) -> None:
        line = running.progress.line
        try:
            self._tones.listen(line, running.call.getAudioMedia(-1))
        except (pj.Error, AudioTapError, OSError) as error:
            self._events.append(pj_events.Failed(line, now_ms(), _why(error)))
            return
        running.progress.listening()

    def _take_tones(self, running: _Running) -> None:
        line = running.progress.line
        for key in self._tones.keys(line):
            self._send(
                running.progress.line, running.progress.take(pj_events.Keyed(line, now_ms(), key, TONES))
            )
        if not running.progress.digits.listens:
            self._tones.end(line)

    def _play(self, running: _Running) -> None:
        now = time.monotonic() * 1_000
        try:
            running.player.play_to(running.call.getAudioMedia(-1))
            before = running.call.audio_sent()
        except (pj.Error, PlayerError) as error:
            self._events.append(pj_events.Failed(running.progress.line, now_ms(), _why(error)))
            return
        running.progress.playback.stream_connected(before, now)
        running.observe_at_ms = running.progress.playback.next_observation_ms(now)
        self._send(running.progress.line, running.progress.playing(now_ms()))

    def _observe(self, running: _Running, now: float) -> None:
        try:
            sent = running.call.audio_sent()
            position = running.player.position
        except pj.Error as error:
            self._events.append(pj_events.Failed(running.progress.line, now_ms(), _why(error)))
            return
        self._send(running.progress.line, running.progress.observed(now_ms(), sent, position))
        self._media_lag_ms = max(self._media_lag_ms, running.progress.playback.lag_ms(now))
        running.observe_at_ms = running.progress.playback.next_observation_ms(now)

    def _send(self, line: int, events: list[LineEvent]) -> None:
        for event in events:
            self._emit(protocol.LineReport(line, event))

    def _release(self, line: int, cause: ReleaseCause, phrase: str) -> None:
        """Release a line that has no call in the library."""
        self._send(line, [LineReleased(now_ms(), cause, None, phrase, 0)])
        self._parting.released(line)

    def _count_freed(self) -> None:
        self._over = self._placed - len(self._scheduled) - int(self._library.pjsua_call_get_count())
        freed = self._sockets.freed(self._placed, self._over, time.monotonic() * 1_000)
        if freed > self._freed:
            self._freed = freed
            self._emit(protocol.Freed(freed))


def _why(error: Exception) -> str:
    return f"{error.title}: {error.reason}" if isinstance(error, pj.Error) else str(error)
