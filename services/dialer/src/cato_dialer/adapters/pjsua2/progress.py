"""One call, from the library's facts to the line's events. Knows nothing of the library."""

from dataclasses import dataclass

from cato_dialer.adapters.pjsua2 import facts, wire
from cato_dialer.adapters.pjsua2.keypad import Keypad
from cato_dialer.adapters.pjsua2.playback import Mark, Playback


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

    def take(self, fact: facts.Fact) -> list[wire.FromWorker]:
        found: list[wire.FromWorker] = []
        match fact:
            case _ if self.ended:
                pass
            case facts.Provisional():
                found = self._provisional(fact)
            case facts.Accepted() if not self._answered:
                self._answered = True
                found = [wire.Answered(self.line, fact.at)]
            case facts.MediaChanged(active=active):
                self._media = active
            case facts.StreamGone(sent_bytes=sent):
                self._media = self._listening = False
                self.playback.stream_ended(sent)
            case facts.Keyed():
                key = self.keypad.take(fact.digit, fact.source)
                found = [wire.Digit(self.line, fact.at, key, fact.source)] if key else []
            case facts.Over():
                found = [self._over(fact)]
            case facts.Missed():
                return [self._release(fact.at, "missed", None, "its time had passed")]
            case facts.Failed(why=why):
                found = [self._release(fact.at, "fault", None, why)]
        return found

    def playing(self, at: int) -> list[wire.FromWorker]:
        """The prompt has been connected, for the first time or again."""
        if self._started:
            return []
        self._started = True
        return [wire.PlaybackStarted(self.line, at)]

    def observed(self, at: int, sent_bytes: int, position: int) -> list[wire.FromWorker]:
        found: list[wire.FromWorker] = []
        for mark in self.playback.observe(sent_bytes, position):
            kind = wire.Heard if mark is Mark.HEARD else wire.PlaybackFinished
            found.append(kind(self.line, at, self.playback.heard_ms))
        return found

    def _release(self, at: int, cause: str, code: int | None, phrase: str) -> wire.Released:
        self.ended = True
        return wire.Released(self.line, at, cause, code, phrase, self.playback.heard_ms)

    def _provisional(self, fact: facts.Provisional) -> list[wire.FromWorker]:
        if self._answered or fact.code == self._last_code:
            return []
        self._last_code = fact.code
        if fact.code == 100:  # noqa: PLR2004 - SIP's codes are their own names
            if self._tried:
                return []
            self._tried = True
            return [wire.Trying(self.line, fact.at)]
        if fact.code == 183:  # noqa: PLR2004
            return [wire.Progress(self.line, fact.at)]
        return [wire.Ringing(self.line, fact.at, fact.code, fact.phrase)]

    def _over(self, fact: facts.Over) -> wire.Released:
        code = 200 if self._answered else None
        match fact.origin:
            case facts.Origin.OURSELVES:
                # Without a request of ours the library gave up by itself: no common codec, for example.
                cause = "local-hangup" if self.hanging_up else "fault"
            case facts.Origin.PEER if fact.request is not None:
                cause = "local-hangup" if self.hanging_up else "remote-hangup"
            case facts.Origin.PEER if self._answered:
                # Only an answer to a BYE, ours or the library's own: it gives a call up that nobody
                # refreshes any more, or of which whoever is to refresh it knows nothing.
                cause = "local-hangup" if self.hanging_up else "no-response"
            case facts.Origin.PEER:
                # Once we have cancelled, 487 and whatever else comes is only the echo of it.
                cause = "local-hangup" if self.hanging_up else "rejected"
                code = fact.code
            case _:
                cause = "local-hangup" if self.hanging_up else "no-response"
        return self._release(fact.at, cause, code, fact.phrase)
