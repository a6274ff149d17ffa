"""One call of the dense trunk: combines its SIP call and its media stream into a `Line`."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from cato_contracts.instants import now_ms
from cato_dialer.dial.adapters.dense.media import protocol
from cato_dialer.dial.adapters.dense.media_process import MediaProcess
from cato_dialer.dial.adapters.dense.sip.call import UacCall
from cato_dialer.dial.adapters.dense.sip.messages.sdp import EVENTS_TYPE, Session
from cato_dialer.dial.adapters.dense.sip.transactions.transport import Remote
from cato_dialer.dial.domain.call.line_events import (
    DigitSource,
    LineAnswered,
    LineDigit,
    LineEvent,
    LineHeard,
    LinePlaybackFinished,
    LinePlaybackStarted,
    LineProgress,
    LineReleased,
    LineRinging,
    LineTrying,
    ReleaseCause,
)
from cato_dialer.dial.ports.trunk import CallOrder

_ANSWERED, _UNAVAILABLE = 200, 503
_STOP_S = 1.0
"How long to wait for the media process to report how much of the prompt was heard."


class DenseLine:
    """A `Line`. `call` is set when the INVITE is sent; `freed` is called when the RTP port is free again."""

    def __init__(self, number: int, order: CallOrder, freed: Callable[["DenseLine"], None]) -> None:
        self.number = number
        self.order = order
        self.call: UacCall | None = None
        self.call_elsewhere: Callable[[DenseLine], bool] = _nowhere
        """Make this call at another address of the station; false if there is none. The line is its argument:
        bound to it, the line would refer to itself, and stay in memory until the garbage collector runs."""
        self.media: MediaProcess | None = None
        self.incarnation = 0
        self.port = 0
        self.source = ""
        self.start: asyncio.Handle | None = None
        self._freed = freed
        self._events: deque[LineEvent] = deque()
        self._reader: asyncio.Future[None] | None = None
        self._released = self._told = self._tried = False
        self._hanging_up = False
        self._playing = False
        self._session: Session | None = None
        self._part = 0
        self._other_audio: Path | None = None
        self._kept_farewell = False
        self._heard_ms = 0
        self._rtp: tuple[int, int | None] = 0, None
        self._retry_after_s: int | None = None
        self._last_word: tuple[ReleaseCause, int | None, str] | None = None
        self._reason_header: str | None = None
        self._stop_timer: asyncio.TimerHandle | None = None

    @property
    def unheard(self) -> bool:
        """Whether the INVITE was sent and has no response yet."""
        return self.call is not None and not self._told

    @property
    def sip_call_id(self) -> str | None:
        return self.call.identity.call_id if self.call is not None else None

    @property
    def released(self) -> bool:
        return self._released

    async def events(self) -> AsyncIterator[LineEvent]:
        while True:
            while not self._events:
                self._reader = asyncio.get_running_loop().create_future()
                await self._reader
            event = self._events.popleft()
            yield event
            if isinstance(event, LineReleased):
                return

    async def play(self, part: int, audio: Path | None = None) -> None:
        if not self._playing or self._last_word is not None:
            return
        self._part, self._other_audio = part, audio
        # Without a session that sends, it is played as soon as there is one.
        if self._session is not None and self._session.sending:
            self._play(self._session)

    async def hang_up(self) -> None:
        if self._released or self._hanging_up:
            return
        self._hanging_up = True
        if self.start is not None:
            self.start.cancel()
        if self.call is None:
            self.release(ReleaseCause.LOCAL_HANGUP, None, "hung up before it was dialled")
        else:
            self.call.hang_up()

    async def gone(self) -> None:
        if self.call is not None:
            await self.call.endpoint.byes.none_open(self.call.identity.call_id)

    def release(self, cause: ReleaseCause, code: int | None, phrase: str) -> None:
        """Emit the final event once the media process has reported how much was heard."""
        if self._released or self._last_word is not None:
            return
        self._last_word = cause, code, phrase
        if (self._playing or self._kept_farewell) and self.media is not None and self.media.running:
            self.media.send(protocol.Stop(self.number))
            self._stop_timer = asyncio.get_running_loop().call_later(_STOP_S, self._finish)
        else:
            self._finish()

    def report(self, message: protocol.FromMedia) -> None:
        """Handle a report of the media process about this call."""
        match message:
            case protocol.Started(at=at):
                self._tell(LinePlaybackStarted(at))
            case protocol.Heard(at=at, heard_ms=heard):
                self._heard_ms = heard
                self._tell(LineHeard(at, heard))
            case protocol.Finished(at=at, heard_ms=heard, part=part):
                self._heard_ms = heard
                self._tell(LinePlaybackFinished(at, heard, part))
            case protocol.Key(at=at, key=key) if DigitSource.RTP_EVENT in self.order.station.digit_sources:
                self._tell(LineDigit(at, key, DigitSource.RTP_EVENT))
            case protocol.Stopped(heard_ms=heard, packets=packets, lost=lost):
                self._heard_ms = max(self._heard_ms, heard)
                self._rtp = packets, lost
                self._finish()
            case protocol.Failed(why=why):
                self.fail(why)
            case _:
                raise protocol.ProtocolError(f"not about a call: {message!r}")

    def fail(self, why: str) -> None:
        """End the call through a fault of ours. Without an INVITE there was no call."""
        if self.start is not None:
            self.start.cancel()
        if self.call is None:
            self.release(ReleaseCause.NOT_SENT, None, why)
            return
        self._playing = False
        self.release(ReleaseCause.FAULT, None, why)
        self.call.hang_up()

    def trying(self) -> None:
        if not self._tried:
            self._tried = True
            self._tell(LineTrying(now_ms()))

    def ringing(self, code: int, phrase: str) -> None:
        self._tell(LineRinging(now_ms(), code, phrase))

    def progress(self) -> None:
        self._tell(LineProgress(now_ms()))

    def answered(self, session: Session) -> None:
        self._tell(LineAnswered(now_ms()))
        self._playing = True
        self._session = session
        if session.sending:
            self._play(session)

    def session_changed(self, session: Session) -> None:
        if self.media is None or self._last_word is not None:
            return
        self._session = session
        if session.sending:
            self._play(session)
        else:
            self.media.send(protocol.Hold(self.number))

    def key(self, key: str) -> None:
        if DigitSource.SIP_INFO in self.order.station.digit_sources:
            self._tell(LineDigit(now_ms(), key, DigitSource.SIP_INFO))

    def reason_given(self, text: str) -> None:
        self._reason_header = text

    def pause_asked(self, seconds: int) -> None:
        self._retry_after_s = seconds

    def rejected(self, code: int, phrase: str) -> None:
        self._told = True
        if code == _UNAVAILABLE and self.call_elsewhere(self):
            self._retry_after_s = None  # of one address, not of the station
            return  # RFC 3263, 4.3
        self.release(ReleaseCause.REJECTED, code, phrase)

    def no_response(self, why: str) -> None:
        if not self._told and self.call_elsewhere(self):
            return
        self.release(ReleaseCause.NO_RESPONSE, None, why)

    def stale(self) -> None:
        self.release(ReleaseCause.FAULT, None, "the process stood still while it was calling")

    def no_media(self, why: str) -> None:
        codec = why == ReleaseCause.NO_COMMON_CODEC
        self.release(ReleaseCause.NO_COMMON_CODEC if codec else ReleaseCause.NO_MEDIA, _ANSWERED, why)

    def remote_hangup(self) -> None:
        self.release(ReleaseCause.REMOTE_HANGUP, _ANSWERED, "")

    def session_expired(self) -> None:
        self.release(ReleaseCause.NO_RESPONSE, _ANSWERED, "the far end does not refresh the call")

    def hung_up(self) -> None:
        self.release(ReleaseCause.LOCAL_HANGUP, _ANSWERED if self._playing else None, "")

    def farewell(self, data: bytes, remote: Remote, then: bytes = b"") -> None:
        if self.media is not None:
            self._kept_farewell = True
            requests = data.decode("utf-8"), then.decode("utf-8")
            self.media.send(protocol.Farewell(self.number, requests[0], *remote, requests[1]))

    def _play(self, session: Session) -> None:
        if self.media is None:
            return
        # Some far ends use the payload type of our offer even if their answer has another one.
        events = () if session.events_type is None else tuple({EVENTS_TYPE, session.events_type})
        self.media.send(
            protocol.Play(
                call=self.number,
                port=self.port,
                source=self.source,
                address=session.address,
                to_port=session.port,
                codec=session.codec,
                payload_type=session.payload_type,
                events_types=events,
                packet_ms=session.packet_ms,
                audio=str(self._other_audio or self.order.audio),
                heard_ms=self.order.heard_threshold_ms,
                part=self._part,
                counts=self._other_audio is None,
            )
        )

    def _finish(self) -> None:
        if self._released or self._last_word is None:
            return
        if self._stop_timer is not None:
            self._stop_timer.cancel()
        cause, code, phrase = self._last_word
        self._put(
            LineReleased(
                now_ms(),
                cause,
                code,
                phrase,
                self._heard_ms,
                self._reason_header,
                self._retry_after_s,
                *self._rtp,
            )
        )
        self._released = True
        self._freed(self)

    def _tell(self, event: LineEvent) -> None:
        self._told = True
        if self._last_word is None:
            self._put(event)

    def _put(self, event: LineEvent) -> None:
        if not self._released:
            self._events.append(event)
            if self._reader is not None and not self._reader.done():
                self._reader.set_result(None)


def _nowhere(_line: DenseLine) -> bool:
    return False
