"""PJSIP at work. One thread, and only inside a worker process.

What follows from a fact that a callback has handed over is done after the library has returned.
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
from cato_dialer.dial.adapters.pjsua2 import protocol
from cato_dialer.dial.adapters.pjsua2.worker import pj_events
from cato_dialer.dial.adapters.pjsua2.worker.accounts import Accounts
from cato_dialer.dial.adapters.pjsua2.worker.audio.audio_tap import EarError
from cato_dialer.dial.adapters.pjsua2.worker.audio.playback import Playback
from cato_dialer.dial.adapters.pjsua2.worker.audio.prompt_player import PlayerError, PromptPlayer
from cato_dialer.dial.adapters.pjsua2.worker.audio.tone_listener import Hearing
from cato_dialer.dial.adapters.pjsua2.worker.digit_filter import RTP_EVENTS, TONES, Keypad
from cato_dialer.dial.adapters.pjsua2.worker.early_media import EarlyMediaFilter
from cato_dialer.dial.adapters.pjsua2.worker.library_call import LibraryCall, abandon, now_ms
from cato_dialer.dial.adapters.pjsua2.worker.progress import Progress
from cato_dialer.dial.adapters.pjsua2.worker.registrations import Registrations
from cato_dialer.dial.adapters.pjsua2.worker.scheduled_calls import Agenda
from cato_dialer.dial.adapters.pjsua2.worker.socket_quota import Handles, most_calls
from cato_dialer.dial.domain.call.line_events import LineEvent, LineReleased, ReleaseCause

_CLOCK_HZ = 8_000
_KEYS_MS = 100
"How long a key may wait: the library hears keys in RTP on its media thread, and tells at the next `poll`."
_PLAYERS_SURE = 32
"PJSUA_MAX_PLAYERS unless the library was built otherwise."

_PORTS_OF_CALL = 3
"Of the library's bridge: the call's stream, its player and its ear."
_PORTS_SPARE = 8
"The null device has one of them."

_HAS_TELEPHONE_EVENT = 0
"PJMEDIA_ENDPT_HAS_TELEPHONE_EVENT_FLAG: for the descriptions of calls that are made from then on."


class EngineError(Exception):
    """The library cannot be started, or not as it was asked."""


@dataclass(slots=True)
class _Running:
    call: LibraryCall
    player: PromptPlayer
    progress: Progress
    look_at_ms: float = 0.0


class Engine:
    """The library with its calls. `emit` gets every message for the supervisor."""

    def __init__(self, settings: protocol.Configure, emit: Callable[[protocol.FromWorker], None]) -> None:
        self._settings = settings
        self._emit = emit
        self._facts: deque[pj_events.Fact] = deque()
        self._agenda = Agenda()
        self._running: dict[int, _Running] = {}
        self._codecs: tuple[str, ...] = ()
        self._placed = 0
        self._over = 0
        self._freed = 0
        self._media_lag_ms = 0.0
        self._library = ctypes.CDLL(pj._pjsua2.__file__)  # noqa: SLF001 - counts that its Python side lacks
        self._library.pjsua_get_pjmedia_endpt.restype = ctypes.c_void_p
        self._endpoint = pj.Endpoint()
        self._accounts = Accounts(self._endpoint, settings)
        self._offered: dict[int, tuple[str, ...]] = {}
        self._early_media = EarlyMediaFilter(self._library, self._offered)
        self._hearing = Hearing(self._library)
        self._handles = Handles(settings.calls)
        self.registrations = Registrations(self._accounts, emit)

    def start(self) -> int:
        """Return the calls that the library can carry at once, at most those asked for.

        Raises:
            EngineError: above all if the addresses cannot be bound.

        """
        settings = self._settings
        config = pj.EpConfig()
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.maxCalls = settings.calls
        config.uaConfig.userAgent = "CATO"
        config.logConfig.level = config.logConfig.consoleLevel = settings.sip_log_level
        media = config.medConfig
        media.clockRate = media.sndClockRate = _CLOCK_HZ
        media.channelCount = 1
        media.audioFramePtime = 20
        media.noVad = True
        media.ecTailLen = 0
        # The bridge lets go of a port at its next tick: calls just refused still have their player there.
        media.maxMediaPorts = _PORTS_OF_CALL * settings.calls + most_calls(settings.calls) + _PORTS_SPARE
        try:
            self._endpoint.libCreate()
            self._endpoint.libInit(config)
            if status := self._early_media.register():
                raise EngineError(f"the filter of early media cannot be registered: status {status}")
            self._accounts.open()
            self._endpoint.libStart()
            self._endpoint.audDevManager().setNullDev()
        except pj.Error as error:
            raise EngineError(f"{error.title}: {error.reason}") from error
        calls = self._usable()
        self._handles = Handles(calls)
        return calls

    @property
    def idle(self) -> bool:
        """Whether the library has no call, not even one that is over but for a last message."""
        return self._placed == self._over

    @property
    def address(self) -> tuple[str, int]:
        """Where a datagram ends the waiting of `poll`. Raises: pj.Error."""
        return self._accounts.address

    def wait_ms(self, at_most: int) -> int:
        """Return how long there is nothing to do but what the library's sockets and timers ask for."""
        if self._facts:
            return 0
        wait = self._agenda.wait_ms(now_ms(), at_most)
        if any(running.progress.answered for running in self._running.values()):
            wait = min(wait, _KEYS_MS)
        now = time.monotonic() * 1_000
        if self._freed < self._over:
            wait = min(wait, self._handles.wait_ms(now))
        looks = (
            running.look_at_ms - now
            for running in self._running.values()
            if running.progress.playback.running
        )
        return max(min(wait, math.ceil(min(looks, default=wait))), 0)

    def poll(self, timeout_ms: int) -> None:
        """Let the library work, at most so long if there is nothing to do, and do what follows."""
        self._endpoint.libHandleEvents(timeout_ms)
        for order in self._agenda.take_due(now_ms()):
            self._dial(order)
        while self._facts:
            self._take(self._facts.popleft())
        now = time.monotonic() * 1_000
        for running in list(self._running.values()):
            self._hear(running)
            if running.progress.playback.running and now >= running.look_at_ms:
                self._look(running, now)
        self._count_freed()

    def place(self, order: protocol.Place) -> None:
        """Dial at the order's time, or now."""
        self._placed += 1
        if order.not_before is not None and order.not_before > now_ms():
            self._agenda.add(order)
        else:
            self._dial(order)

    def _dial(self, order: protocol.Place) -> None:
        # What has no call yet is released here: the slot was never taken.
        try:
            length = audio_length(Path(order.audio))
            account = self._accounts.of(order.identity, may_forget=not self._running and self.idle)
            self._prefer(order.codecs)
            self._offer_events(offered=RTP_EVENTS in order.dtmf)
            player = PromptPlayer(self._library, Path(order.audio))
        except (AlawWavError, PlayerError) as error:
            self._emit(
                protocol.LineReport(
                    order.line, LineReleased(now_ms(), ReleaseCause.FAULT, None, str(error), 0)
                )
            )
            return
        except pj.Error as error:
            self._emit(
                protocol.LineReport(
                    order.line,
                    LineReleased(now_ms(), ReleaseCause.FAULT, None, f"{error.title}: {error.reason}", 0),
                )
            )
            return
        call = LibraryCall(account, order.line, self._facts.append, self._library)
        progress = Progress(order.line, Playback(length, order.heard_threshold_ms), Keypad(order.dtmf))
        self._running[order.line] = _Running(call, player, progress)
        option = pj.CallOpParam(True)
        option.opt.audioCount, option.opt.videoCount, option.opt.textCount = 1, 0, 0
        identity = pj.SipHeader()
        identity.hName, identity.hValue = "P-Asserted-Identity", f"<{order.identity.uri}>"
        option.txOption.headers.append(identity)
        if order.not_after is not None and now_ms() > order.not_after:
            self._facts.append(pj_events.Missed(order.line, now_ms()))
            return
        try:
            call.makeCall(order.target, option)
            self._offered[call.dialog] = order.codecs
            self._emit(protocol.InviteSent(order.line))
        except pj.Error as error:
            # If the library got as far as to tell the call itself, that comes first and says more.
            self._facts.append(pj_events.Failed(order.line, now_ms(), _why(error)))

    def hang_up(self, line: int) -> None:
        if self._agenda.strike(line):
            self._emit(
                protocol.LineReport(
                    line,
                    LineReleased(
                        now_ms(), ReleaseCause.LOCAL_HANGUP, None, "hung up before it was dialled", 0
                    ),
                )
            )
        running = self._running.get(line)
        if running is None or running.progress.hanging_up:
            return
        running.progress.hanging_up = True
        try:
            # CANCEL, BYE, or nothing until there is a provisional response; a 200 that crosses our CANCEL is
            # acknowledged and ended by the library. The call reports its end at once, whatever is still to
            # be sent or answered.
            running.call.hangup(pj.CallOpParam())
        except pj.Error as error:
            self._facts.append(pj_events.Failed(line, now_ms(), _why(error)))

    def hang_up_all(self) -> None:
        for line in (*self._agenda.lines(), *self._running):
            self.hang_up(line)

    def take_media_lag_ms(self) -> int:
        """Return how far a playback was behind the clock at worst since this was last asked."""
        lag, self._media_lag_ms = self._media_lag_ms, 0.0
        return round(lag)

    def _take(self, fact: pj_events.Fact) -> None:
        running = self._running.get(fact.line)
        if running is None:
            return
        progress = running.progress
        if isinstance(fact, pj_events.Over | pj_events.StreamGone):
            self._hear(running)
        self._send(fact.line, progress.take(fact))
        if progress.ended:
            del self._running[fact.line]
            self._offered.pop(running.call.dialog, None)
            running.player.close()
            self._hearing.end(fact.line)
            if isinstance(fact, pj_events.Failed):
                abandon(running.call)
            return
        if progress.may_listen:
            self._listen(running)
        if progress.may_play:
            self._play(running)

    def _listen(self, running: _Running) -> None:
        line = running.progress.line
        try:
            self._hearing.listen(line, running.call.getAudioMedia(-1))
        except (pj.Error, EarError, OSError) as error:
            self._facts.append(pj_events.Failed(line, now_ms(), _why(error)))
            return
        running.progress.listening()

    def _hear(self, running: _Running) -> None:
        line = running.progress.line
        for key in self._hearing.keys(line):
            self._send(
                running.progress.line, running.progress.take(pj_events.Keyed(line, now_ms(), key, TONES))
            )
        if not running.progress.keypad.listens:
            self._hearing.end(line)

    def _play(self, running: _Running) -> None:
        now = time.monotonic() * 1_000
        try:
            running.player.play_to(running.call.getAudioMedia(-1))
            before = running.call.audio_sent()
        except (pj.Error, PlayerError) as error:
            self._facts.append(pj_events.Failed(running.progress.line, now_ms(), _why(error)))
            return
        running.progress.playback.stream_connected(before, now)
        running.look_at_ms = running.progress.playback.next_look_ms(now)
        self._send(running.progress.line, running.progress.playing(now_ms()))

    def _look(self, running: _Running, now: float) -> None:
        try:
            sent = running.call.audio_sent()
            position = running.player.position
        except pj.Error as error:
            self._facts.append(pj_events.Failed(running.progress.line, now_ms(), _why(error)))
            return
        self._send(running.progress.line, running.progress.observed(now_ms(), sent, position))
        self._media_lag_ms = max(self._media_lag_ms, running.progress.playback.lag_ms(now))
        running.look_at_ms = running.progress.playback.next_look_ms(now)

    def _send(self, line: int, events: list[LineEvent]) -> None:
        for event in events:
            self._emit(protocol.LineReport(line, event))

    def _release(self, line: int, cause: ReleaseCause, phrase: str) -> None:
        """Release a line whose call never came to be."""
        self._send(line, [LineReleased(now_ms(), cause, None, phrase, 0)])

    def _count_freed(self) -> None:
        self._over = self._placed - len(self._agenda) - int(self._library.pjsua_call_get_count())
        freed = self._handles.freed(self._placed, self._over, time.monotonic() * 1_000)
        if freed > self._freed:
            self._freed = freed
            self._emit(protocol.Freed(freed))

    def _usable(self) -> int:
        calls = min(self._settings.calls, int(self._library.pjsua_call_get_max_count()))
        for_calls = int(self._library.pjsua_conf_get_max_ports()) - most_calls(calls) - _PORTS_SPARE
        calls = min(calls, for_calls // _PORTS_OF_CALL)
        return min(calls, _PLAYERS_SURE)

    def _prefer(self, codecs: tuple[str, ...]) -> None:
        """Offer these, in this order, and no others."""
        if codecs == self._codecs:
            return
        for codec in self._endpoint.codecEnum2():
            name = codec.codecId.split("/", 1)[0]
            priority = 255 - codecs.index(name) if name in codecs else 0
            self._endpoint.codecSetPriority(codec.codecId, priority)
        self._codecs = codecs

    def _offer_events(self, *, offered: bool) -> None:
        flag = ctypes.byref(ctypes.c_int(offered))
        endpoint = ctypes.c_void_p(self._library.pjsua_get_pjmedia_endpt())
        self._library.pjmedia_endpt_set_flag(endpoint, _HAS_TELEPHONE_EVENT, flag)


def _why(error: Exception) -> str:
    return f"{error.title}: {error.reason}" if isinstance(error, pj.Error) else str(error)
