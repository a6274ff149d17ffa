"""One call, from the library's facts to the line's events. Knows nothing of the library."""

from dataclasses import dataclass

from cato_dialer.dial.adapters.pjsua2.worker import pj_events
from cato_dialer.dial.adapters.pjsua2.worker.audio.playback import Mark, Playback
from cato_dialer.dial.adapters.pjsua2.worker.digit_filter import Keypad
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
    line: int
    playback: Playback
    keypad: Keypad
    hanging_up: bool = False
    """We asked for the end."""
    ended: bool = False
    _tried: bool = False
    _last_code: int = 0
    _answered: bool = False
    _media: bool = False
    _started: bool = False
    _listening: bool = False

    @property
    def answered(self) -> bool:
        return self._answered

    @property
    def may_play(self) -> bool:
        """Whether the prompt is to be connected now; early media is not an answer."""
        return (
            self._answered
            and self._media
            and not (self.ended or self.hanging_up or self.playback.running or self.playback.finished)
        )

    @property
    def may_listen(self) -> bool:
        """Whether tones are to be listened for from now on."""
        return self._answered and self._media and self.keypad.listens and not (self.ended or self._listening)

    def listening(self) -> None:
        """The stream is listened to."""
        self._listening = True

    def take(self, fact: pj_events.Fact) -> list[LineEvent]:
        found: list[LineEvent] = []
        match fact:
            case _ if self.ended:
                pass
            case pj_events.Provisional():
                found = self._provisional(fact)
            case pj_events.Accepted() if not self._answered:
                self._answered = True
                found = [LineAnswered(fact.at)]
            case pj_events.MediaChanged(active=active):
                self._media = active
            case pj_events.StreamGone(sent_bytes=sent):
                self._media = self._listening = False
                self.playback.stream_ended(sent)
            case pj_events.Keyed():
                key = self.keypad.take(fact.digit, fact.source)
                found = [LineDigit(fact.at, key, fact.source)] if key else []
            case pj_events.Over():
                found = [self._over(fact)]
            case pj_events.Missed():
                return [self._release(fact.at, ReleaseCause.MISSED, None, "its time had passed")]
            case pj_events.Failed(why=why):
                found = [self._release(fact.at, ReleaseCause.FAULT, None, why)]
        return found

    def playing(self, at: int) -> list[LineEvent]:
        """The prompt has been connected, for the first time or again."""
        if self._started:
            return []
        self._started = True
        return [LinePlaybackStarted(at)]

    def observed(self, at: int, sent_bytes: int, position: int) -> list[LineEvent]:
        found: list[LineEvent] = []
        for mark in self.playback.observe(sent_bytes, position):
            kind = LineHeard if mark is Mark.HEARD else LinePlaybackFinished
            found.append(kind(at, self.playback.heard_ms))
        return found

    def _release(self, at: int, cause: ReleaseCause, code: int | None, phrase: str) -> LineReleased:
        self.ended = True
        return LineReleased(at, cause, code, phrase, self.playback.heard_ms)

    def _provisional(self, fact: pj_events.Provisional) -> list[LineEvent]:
        if self._answered or fact.code == self._last_code:
            return []
        self._last_code = fact.code
        if fact.code == 100:  # noqa: PLR2004 - SIP's codes are their own names
            if self._tried:
                return []
            self._tried = True
            return [LineTrying(fact.at)]
        if fact.code == 183:  # noqa: PLR2004
            return [LineProgress(fact.at)]
        return [LineRinging(fact.at, fact.code, fact.phrase)]

    def _over(self, fact: pj_events.Over) -> LineReleased:
        code = 200 if self._answered else None
        match fact.origin:
            case pj_events.Origin.OURSELVES:
                # Without a request of ours the library gave up by itself: no common codec, for example.
                cause = ReleaseCause.LOCAL_HANGUP if self.hanging_up else ReleaseCause.FAULT
            case pj_events.Origin.PEER if fact.request is not None:
                cause = ReleaseCause.LOCAL_HANGUP if self.hanging_up else ReleaseCause.REMOTE_HANGUP
            case pj_events.Origin.PEER if self._answered:
                # Only an answer to a BYE, ours or the library's own: it gives a call up that nobody
                # refreshes any more, or of which whoever is to refresh it knows nothing.
                cause = ReleaseCause.LOCAL_HANGUP if self.hanging_up else ReleaseCause.NO_RESPONSE
            case pj_events.Origin.PEER:
                # Once we have cancelled, 487 and whatever else comes is only the echo of it.
                cause = ReleaseCause.LOCAL_HANGUP if self.hanging_up else ReleaseCause.REJECTED
                code = fact.code
            case _:
                cause = ReleaseCause.LOCAL_HANGUP if self.hanging_up else ReleaseCause.NO_RESPONSE
        return self._release(fact.at, cause, code, fact.phrase)
