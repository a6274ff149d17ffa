"""PJSIP: the only module that imports it. One thread, and only inside a worker process.

Callbacks make a fact and hand it over; what follows from it is done after the library has returned.
"""

import ctypes
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pjsua2 as pj

from cato_dialer.adapters.pjsua2 import facts, wire
from cato_dialer.adapters.pjsua2.agenda import Agenda
from cato_dialer.adapters.pjsua2.alaw_wav import AudioError, alaw_length
from cato_dialer.adapters.pjsua2.info_digits import digit_of_info
from cato_dialer.adapters.pjsua2.playback import Playback
from cato_dialer.adapters.pjsua2.progress import Progress
from cato_dialer.adapters.pjsua2.prompt_player import PlayerError, PromptPlayer

_CLOCK_HZ = 8_000
_ANY_ADDRESS = "0.0.0.0"
_ACCOUNTS_AT_MOST = 6
"PJSUA_MAX_ACC is 8 unless the library was built otherwise."
_PLAYERS_SURE = 32
"PJSUA_MAX_PLAYERS unless the library was built otherwise."
_ORIGINS = {
    pj.PJSIP_EVENT_RX_MSG: facts.Origin.PEER,
    pj.PJSIP_EVENT_TIMER: facts.Origin.TIMER,
    pj.PJSIP_EVENT_TRANSPORT_ERROR: facts.Origin.TRANSPORT,
}
_DIGIT_SOURCES = {pj.PJSUA_DTMF_METHOD_RFC2833: "rfc4733", pj.PJSUA_DTMF_METHOD_SIP_INFO: "info"}


class EngineError(Exception):
    """The library cannot be started, or not as it was asked."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class _Call(pj.Call):  # type: ignore[misc]
    def __init__(self, account: Any, line: int, note: Callable[[facts.Fact], None]) -> None:
        super().__init__(account)
        self._line = line
        self._note = note

    def onCallState(self, prm: Any) -> None:  # noqa: N802 - the library's name
        self._guarded(self._state_changed, prm)

    def onCallTsxState(self, prm: Any) -> None:  # noqa: N802
        self._guarded(self._transaction_changed, prm)

    def onCallMediaState(self, prm: Any) -> None:  # noqa: ARG002, N802
        self._guarded(self._media_changed, None)

    def onStreamDestroyed(self, prm: Any) -> None:  # noqa: N802
        self._guarded(self._stream_destroyed, prm)

    def onDtmfDigit(self, prm: Any) -> None:  # noqa: N802
        self._guarded(self._digit, prm)

    def audio_sent(self) -> int:
        """Bytes of audio that the call's RTP stream has sent. Raises: pj.Error."""
        statistics = self.getStreamStat(0)  # its parts live no longer than it does
        return int(statistics.rtcp.txStat.bytes)

    def _guarded(self, work: Callable[[Any], None], prm: Any) -> None:
        # An exception that crosses into the library would end the process and three other calls with it.
        try:
            work(prm)
        except Exception as error:  # noqa: BLE001
            self._note(facts.Failed(self._line, now_ms(), f"{type(error).__name__}: {error}"))

    def _state_changed(self, prm: Any) -> None:
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_CONNECTING:
            self._note(facts.Accepted(self._line, now_ms()))
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            origin, message = _origin(prm.e)
            code, phrase = _status(message) or (info.lastStatusCode, info.lastReason)
            request = None if message is None or _status(message) else message.split(" ", 1)[0]
            self._note(facts.Over(self._line, now_ms(), origin, code, phrase, request))

    def _transaction_changed(self, prm: Any) -> None:
        event = prm.e.body.tsxState
        if event.type != pj.PJSIP_EVENT_RX_MSG:
            return
        if event.tsx.method == "INVITE":
            status = _status(event.src.rdata.wholeMsg)
            if status is not None and 100 <= status[0] < 200:  # noqa: PLR2004
                self._note(facts.Provisional(self._line, now_ms(), *status))
        elif event.tsx.method == "INFO" and event.tsx.state == pj.PJSIP_TSX_STATE_TRYING:
            # The library answers such a request 500; the digit is meant all the same.
            digit = digit_of_info(event.src.rdata.wholeMsg)
            if digit is not None:
                self._note(facts.Keyed(self._line, now_ms(), digit, "info"))

    def _media_changed(self, _: None) -> None:
        info = self.getInfo()  # its parts live no longer than it does
        active = len(info.media) > 0 and info.media[0].status == pj.PJSUA_CALL_MEDIA_ACTIVE
        self._note(facts.MediaChanged(self._line, now_ms(), active))

    def _stream_destroyed(self, prm: Any) -> None:
        if prm.streamIdx != 0:
            return
        try:
            sent: int | None = self.audio_sent()
        except pj.Error:
            sent = None
        self._note(facts.StreamGone(self._line, now_ms(), sent))

    def _digit(self, prm: Any) -> None:
        source = _DIGIT_SOURCES.get(prm.method)
        if source is not None:
            self._note(facts.Keyed(self._line, now_ms(), prm.digit, source))


def _origin(event: Any) -> tuple[facts.Origin, str | None]:
    """Return what an event comes from and, if it is a message, that."""
    if event.type == pj.PJSIP_EVENT_TSX_STATE:
        change = event.body.tsxState
        origin = _ORIGINS.get(change.type, facts.Origin.OURSELVES)
        return origin, change.src.rdata.wholeMsg if origin is facts.Origin.PEER else None
    if event.type == pj.PJSIP_EVENT_RX_MSG:
        return facts.Origin.PEER, event.body.rxMsg.rdata.wholeMsg
    return _ORIGINS.get(event.type, facts.Origin.OURSELVES), None


def _status(message: str | None) -> tuple[int, str] | None:
    if message is None or not message.startswith("SIP/2.0 "):
        return None
    code, _, phrase = message.split("\r\n", 1)[0][8:].partition(" ")
    return (int(code), phrase) if code.isdecimal() else None


@dataclass(slots=True)
class _Running:
    call: _Call
    player: PromptPlayer
    progress: Progress
    look_at_ms: float = 0.0


class Engine:
    """The library with its calls. `emit` gets every message for the supervisor."""

    def __init__(self, settings: wire.Configure, emit: Callable[[wire.FromWorker], None]) -> None:
        self._settings = settings
        self._emit = emit
        self._facts: deque[facts.Fact] = deque()
        self._agenda = Agenda()
        self._running: dict[int, _Running] = {}
        self._accounts: dict[tuple[object, ...], Any] = {}
        self._codecs: tuple[str, ...] = ()
        self._tcp = False
        self._placed = 0
        self._freed = 0
        self._media_lag_ms = 0.0
        self._library = ctypes.CDLL(pj._pjsua2.__file__)  # noqa: SLF001 - counts that its Python side lacks
        self._endpoint = pj.Endpoint()

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
        media.maxMediaPorts = 4 * settings.calls + 8
        try:
            self._endpoint.libCreate()
            self._endpoint.libInit(config)
            self._endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, self._transport())
            self._endpoint.libStart()
            self._endpoint.audDevManager().setNullDev()
        except pj.Error as error:
            raise EngineError(f"{error.title}: {error.reason}") from error
        return self._usable()

    @property
    def idle(self) -> bool:
        """Whether the library has no call, not even one that is over but for a last message."""
        return self._placed == self._freed

    def poll(self, timeout_ms: int) -> None:
        """Let the library work, at most so long if there is nothing to do, and do what follows."""
        self._endpoint.libHandleEvents(self._agenda.wait_ms(now_ms(), timeout_ms))
        for order in self._agenda.take_due(now_ms()):
            self._dial(order)
        while self._facts:
            self._take(self._facts.popleft())
        now = time.monotonic() * 1_000
        for running in list(self._running.values()):
            if running.progress.playback.running and now >= running.look_at_ms:
                self._look(running, now)
        self._count_freed()

    def place(self, order: wire.Place) -> None:
        """Dial at the order's time, or now."""
        self._placed += 1
        if order.not_before is not None and order.not_before > now_ms():
            self._agenda.add(order)
        else:
            self._dial(order)

    def _dial(self, order: wire.Place) -> None:
        # What has no call yet is released here: the slot was never taken.
        try:
            length = alaw_length(Path(order.audio))
            account = self._account(order)
            self._prefer(order.codecs)
            player = PromptPlayer(self._library, Path(order.audio))
        except (AudioError, PlayerError) as error:
            self._emit(wire.Released(order.line, now_ms(), "fault", None, str(error), 0))
            return
        except pj.Error as error:
            self._emit(
                wire.Released(order.line, now_ms(), "fault", None, f"{error.title}: {error.reason}", 0)
            )
            return
        call = _Call(account, order.line, self._facts.append)
        progress = Progress(order.line, Playback(length, order.heard_threshold_ms))
        self._running[order.line] = _Running(call, player, progress)
        option = pj.CallOpParam(True)
        option.opt.audioCount, option.opt.videoCount, option.opt.textCount = 1, 0, 0
        identity = pj.SipHeader()
        identity.hName, identity.hValue = "P-Asserted-Identity", f"<{order.identity}>"
        option.txOption.headers.append(identity)
        if order.not_after is not None and now_ms() > order.not_after:
            self._facts.append(facts.Missed(order.line, now_ms()))
            return
        try:
            call.makeCall(order.target, option)
        except pj.Error as error:
            # If the library got as far as to tell the call itself, that comes first and says more.
            self._facts.append(facts.Failed(order.line, now_ms(), f"{error.title}: {error.reason}"))

    def hang_up(self, line: int) -> None:
        if self._agenda.strike(line):
            self._emit(
                wire.Released(line, now_ms(), "local-hangup", None, "hung up before it was dialled", 0)
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
            self._facts.append(facts.Failed(line, now_ms(), f"{error.title}: {error.reason}"))

    def hang_up_all(self) -> None:
        for line in (*self._agenda.lines(), *self._running):
            self.hang_up(line)

    def take_media_lag_ms(self) -> int:
        """Return how far a playback was behind the clock at worst since this was last asked."""
        lag, self._media_lag_ms = self._media_lag_ms, 0.0
        return round(lag)

    def _take(self, fact: facts.Fact) -> None:
        running = self._running.get(fact.line)
        if running is None:
            return
        progress = running.progress
        self._send(progress.take(fact))
        if progress.ended:
            del self._running[fact.line]
            running.player.close()
            if isinstance(fact, facts.Failed):
                _abandon(running.call)
        elif progress.may_play:
            self._play(running)

    def _play(self, running: _Running) -> None:
        now = time.monotonic() * 1_000
        try:
            running.player.play_to(running.call.getAudioMedia(-1))
            before = running.call.audio_sent()
        except (pj.Error, PlayerError) as error:
            why = f"{error.title}: {error.reason}" if isinstance(error, pj.Error) else str(error)
            self._facts.append(facts.Failed(running.progress.line, now_ms(), why))
            return
        running.progress.playback.stream_connected(before, now)
        running.look_at_ms = running.progress.playback.next_look_ms(now)
        self._send(running.progress.playing(now_ms()))

    def _look(self, running: _Running, now: float) -> None:
        try:
            sent = running.call.audio_sent()
            position = running.player.position
        except pj.Error as error:
            self._facts.append(
                facts.Failed(running.progress.line, now_ms(), f"{error.title}: {error.reason}")
            )
            return
        self._send(running.progress.observed(now_ms(), sent, position))
        self._media_lag_ms = max(self._media_lag_ms, running.progress.playback.lag_ms(now))
        running.look_at_ms = running.progress.playback.next_look_ms(now)

    def _send(self, messages: list[wire.FromWorker]) -> None:
        for message in messages:
            self._emit(message)

    def _count_freed(self) -> None:
        freed = self._placed - len(self._agenda) - int(self._library.pjsua_call_get_count())
        if freed != self._freed:
            self._freed = freed
            self._emit(wire.Freed(freed))

    def _usable(self) -> int:
        calls = min(self._settings.calls, int(self._library.pjsua_call_get_max_count()))
        # A call takes two ports of the bridge, for its stream and its player; the null device has one.
        calls = min(calls, (int(self._library.pjsua_conf_get_max_ports()) - 1) // 2)
        return min(calls, _PLAYERS_SURE)

    def _transport(self) -> Any:
        config = pj.TransportConfig()
        if self._settings.bind_address != _ANY_ADDRESS:
            config.boundAddress = self._settings.bind_address
        if self._settings.public_address is not None:
            config.publicAddress = self._settings.public_address
        return config

    def _account(self, order: wire.Place) -> Any:
        key = (order.identity, order.transport, order.route, order.username, order.password, order.realm)
        account = self._accounts.pop(key, None)
        if account is None:
            if order.transport == "tcp" and not self._tcp:
                self._endpoint.transportCreate(pj.PJSIP_TRANSPORT_TCP, self._transport())
                self._tcp = True
            self._forget_accounts()
            account = pj.Account()
            account.create(self._account_config(order))
        self._accounts[key] = account
        return account

    def _forget_accounts(self) -> None:
        """Shut the accounts down that were not used for longest; but none while it may have calls."""
        if self._running or not self.idle:
            return
        while len(self._accounts) >= _ACCOUNTS_AT_MOST:
            self._accounts.pop(next(iter(self._accounts))).shutdown()

    def _account_config(self, order: wire.Place) -> Any:
        config = pj.AccountConfig()
        config.idUri = order.identity
        if order.username is not None and order.password is not None:
            config.sipConfig.authCreds.append(
                pj.AuthCredInfo("digest", order.realm, order.username, 0, order.password)
            )
        if order.route is not None:
            config.sipConfig.proxies.append(order.route)
        rtp = self._transport()
        rtp.port = self._settings.rtp_port_from
        rtp.portRange = self._settings.rtp_port_till - self._settings.rtp_port_from
        config.mediaConfig.transportConfig = rtp
        return config

    def _prefer(self, codecs: tuple[str, ...]) -> None:
        """Offer these, in this order, and no others."""
        if codecs == self._codecs:
            return
        for codec in self._endpoint.codecEnum2():
            name = codec.codecId.split("/", 1)[0]
            priority = 255 - codecs.index(name) if name in codecs else 0
            self._endpoint.codecSetPriority(codec.codecId, priority)
        self._codecs = codecs


def _abandon(call: _Call) -> None:
    """End a call that has been given up; the library may have done so already."""
    if call.isActive():
        call.hangup(pj.CallOpParam())
