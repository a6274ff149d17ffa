"""Turn the library's events of a call into the events of its line. Without the library itself."""

from dataclasses import dataclass

from cato_dialer.dial.adapters.pjsua2.worker import pj_events
from cato_dialer.dial.adapters.pjsua2.worker.audio.playback import Mark, Playback
from cato_dialer.dial.adapters.pjsua2.worker.digit_filter import DigitFilter
from cato_dialer.dial.domain.call.line_events import (
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


@dataclass(slots=True)
class Progress:
    """The progress of one call."""

    line: int
    playback: Playback
    digits: DigitFilter
    hanging_up: bool = False
    """We have asked for the end."""
    ended: bool = False
    _tried: bool = False
    _last_code: int = 0
    bad_answer: pj_events.BadAnswer | None = None
    """The far end has answered, and no call can be made of it."""
    _answered: bool = False
    _media: bool = False
    _started: bool = False
    _listening: bool = False
    _part: int = 0
    _counts: bool = True
    _most_heard_ms: int = 0
    _rtp_sent: int = 0
    _rtp_lost: int | None = None

    @property
    def answered(self) -> bool:
        return self._answered

    @property
    def heard_ms(self) -> int:
        """How much of the prompt has been sent, the most of it in one go."""
        return max(self._most_heard_ms, self.playback.heard_ms if self._counts else 0)

    def begin(self, part: int, playback: Playback, *, counts: bool) -> None:
        """Go on with another part: the prompt again if it `counts`, else another file."""
        self._most_heard_ms = self.heard_ms
        self._part, self.playback, self._counts = part, playback, counts

    @property
    def may_play(self) -> bool:
        """Tell whether the prompt must be connected now; early media is not an answer."""
        return (
            self._answered
            and self._media
            and not (self.ended or self.hanging_up or self.playback.running or self.playback.finished)
        )

    @property
    def may_listen(self) -> bool:
        """Tell whether listening for tones must begin now."""
        return self._answered and self._media and self.digits.listens and not (self.ended or self._listening)

    def listening(self) -> None:
        """Note that the stream is listened to."""
        self._listening = True

    def take(self, event: pj_events.PjEvent) -> list[LineEvent]:
        """Return the events of the line that follow from an event of the library."""
        found: list[LineEvent] = []
        match event:
            case _ if self.ended:
                pass
            case pj_events.Provisional():
                found = self._provisional(event)
            case pj_events.Accepted() if not self._answered and self.bad_answer is None:
                self._answered = True
                found = [LineAnswered(event.at)]
            case pj_events.MediaChanged(active=active):
                self._media = active
            case pj_events.StreamGone(sent_bytes=sent):
                self._media = self._listening = False
                self._count_packets(event)
                self.playback.stream_ended(sent)
            case pj_events.Keyed():
                key = self.digits.take(event.digit, event.source)
                found = [LineDigit(event.at, key, event.source)] if key else []
            case pj_events.Over():
                found = [self._over(event)]
            case pj_events.Unsent(cause=cause, why=why):
                found = [self._release(event.at, cause, None, why)]
            case pj_events.Failed(why=why):
                found = [self._release(event.at, ReleaseCause.FAULT, None, why)]
        return found

    def playing(self, at: int) -> list[LineEvent]:
        """Return the events of the prompt being connected, for the first time or again."""
        if self._started:
            return []
        self._started = True
        return [LinePlaybackStarted(at)]

    def observed(self, at: int, sent_bytes: int, position: int) -> list[LineEvent]:
        """Return the events that follow from the counts of the playback."""
        found: list[LineEvent] = []
        for mark in self.playback.observe(sent_bytes, position):
            if mark is Mark.HEARD:
                found.append(LineHeard(at, self.heard_ms))
            else:
                found.append(LinePlaybackFinished(at, self.heard_ms, self._part))
        return found

    def _release(
        self,
        at: int,
        cause: ReleaseCause,
        code: int | None,
        phrase: str,
        *,
        reason_header: str | None = None,
        retry_after_s: int | None = None,
    ) -> LineReleased:
        self.ended = True
        return LineReleased(
            at,
            cause,
            code,
            phrase,
            self.heard_ms,
            reason_header,
            retry_after_s,
            self._rtp_sent,
            self._rtp_lost,
        )

    def _count_packets(self, stream: pj_events.StreamGone) -> None:
        self._rtp_sent += stream.packets
        if stream.lost is not None:
            self._rtp_lost = (self._rtp_lost or 0) + stream.lost

    def _provisional(self, event: pj_events.Provisional) -> list[LineEvent]:
        if self._answered or event.code == self._last_code:
            return []
        self._last_code = event.code
        if event.code == 100:  # noqa: PLR2004 - SIP's codes are their own names
            if self._tried:
                return []
            self._tried = True
            return [LineTrying(event.at)]
        if event.code == 183:  # noqa: PLR2004
            return [LineProgress(event.at)]
        return [LineRinging(event.at, event.code, event.phrase)]

    def _over(self, event: pj_events.Over) -> LineReleased:
        if (bad := self.bad_answer) is not None and not self.hanging_up:
            return self._release(event.at, bad.cause, None if bad.discarded else 200, bad.why)
        code = 200 if self._answered else None
        match event.origin:
            case pj_events.Origin.OURSELVES:
                # Without our request the library gave up by itself, for example without a common codec.
                cause = ReleaseCause.LOCAL_HANGUP if self.hanging_up else ReleaseCause.FAULT
            case pj_events.Origin.PEER if event.request is not None:
                cause = ReleaseCause.LOCAL_HANGUP if self.hanging_up else ReleaseCause.REMOTE_HANGUP
            case pj_events.Origin.PEER if self._answered:
                # The answer to a BYE, ours or the library's own. The library ends a call that is not
                # refreshed, or that the refreshing side does not know.
                cause = ReleaseCause.LOCAL_HANGUP if self.hanging_up else ReleaseCause.NO_RESPONSE
            case pj_events.Origin.PEER:
                # After our CANCEL, 487 and any other final response only confirm it.
                cause = ReleaseCause.LOCAL_HANGUP if self.hanging_up else ReleaseCause.REJECTED
                code = event.code
            case _:
                cause = ReleaseCause.LOCAL_HANGUP if self.hanging_up else ReleaseCause.NO_RESPONSE
        by_peer = cause in {ReleaseCause.REJECTED, ReleaseCause.REMOTE_HANGUP}
        return self._release(
            event.at,
            cause,
            code,
            event.phrase,
            reason_header=event.reason_header if by_peer else None,
            retry_after_s=event.retry_after_s if by_peer else None,
        )
