"""The events of the line that follow from events of the library."""

import pytest

from cato_dialer.dial.adapters.pjsua2.worker.audio.playback import Playback
from cato_dialer.dial.adapters.pjsua2.worker.digit_filter import DigitFilter
from cato_dialer.dial.adapters.pjsua2.worker.pj_events import (
    Accepted,
    Failed,
    Keyed,
    MediaChanged,
    Origin,
    Over,
    PjEvent,
    Provisional,
    StreamGone,
)
from cato_dialer.dial.adapters.pjsua2.worker.progress import Progress
from cato_dialer.dial.domain.call.line_events import (
    DigitSource,
    LineDigit,
    LinePlaybackStarted,
    LineProgress,
    LineReleased,
    ReleaseCause,
)


def after(*facts: PjEvent, hanging_up: bool = False) -> Progress:
    progress = Progress(1, Playback(16_000, None), DigitFilter(("rfc4733", "info")), hanging_up)
    for fact in facts:
        progress.take(fact)
    return progress


def over(origin: Origin, code: int | None = None, request: str | None = None, phrase: str = "So") -> Over:
    return Over(1, 9, origin, code, phrase, request)


RINGING = Provisional(1, 2, 180, "Ringing")
ANSWERED = Accepted(1, 5)


@pytest.mark.parametrize(
    ("before", "hanging_up", "end", "cause", "code"),
    [
        ((), False, over(Origin.PEER, 486), "rejected", 486),
        ((), False, over(Origin.PEER, 302), "rejected", 302),
        ((), False, over(Origin.PEER, 408), "rejected", 408),
        ((), False, over(Origin.TIMER, 408), "no-response", None),
        ((), False, over(Origin.TRANSPORT, 503), "no-response", None),
        ((), False, over(Origin.OURSELVES, 488), "fault", None),
        ((RINGING,), True, over(Origin.OURSELVES, 487), "local-hangup", None),
        ((RINGING,), True, over(Origin.PEER, 486), "local-hangup", 486),
        ((RINGING,), True, over(Origin.TIMER, 408), "local-hangup", None),
        ((ANSWERED,), False, over(Origin.PEER, 200, "BYE"), "remote-hangup", 200),
        ((ANSWERED,), True, over(Origin.OURSELVES, 200), "local-hangup", 200),
        ((ANSWERED,), False, over(Origin.TIMER, 408), "no-response", 200),
        ((ANSWERED,), False, over(Origin.PEER, 481), "no-response", 200),
    ],
)
def test_the_cause_of_a_release_names_the_side_that_ended_the_call(
    before: tuple[PjEvent, ...], hanging_up: bool, end: Over, cause: str, code: int | None
):
    (released,) = after(*before, hanging_up=hanging_up).take(end)
    assert isinstance(released, LineReleased)
    assert (released.cause, released.sip_code) == (cause, code)


def test_repeated_provisional_responses_are_reported_once():
    progress = after(Provisional(1, 1, 100, "Trying"), RINGING)
    assert progress.take(RINGING) == []
    assert progress.take(Provisional(1, 3, 100, "Trying")) == []
    assert progress.take(Provisional(1, 4, 183, "Session Progress")) == [LineProgress(4)]


def test_early_media_does_not_start_the_prompt():
    progress = after(RINGING, MediaChanged(1, 3, active=True))
    assert not progress.may_play
    progress.take(ANSWERED)
    assert progress.may_play


def test_nothing_is_played_while_the_call_is_held():
    progress = after(ANSWERED, MediaChanged(1, 5, active=True))
    progress.playback.stream_connected(0, now_ms=0)
    progress.take(StreamGone(1, 6, 8_000))
    progress.take(MediaChanged(1, 6, active=False))
    assert not progress.may_play
    progress.take(MediaChanged(1, 7, active=True))
    assert progress.may_play


def test_the_prompt_starts_once_however_often_it_is_connected():
    progress = after(ANSWERED)
    assert progress.playing(6) == [LinePlaybackStarted(6)]
    assert progress.playing(8) == []


def test_no_event_follows_the_release():
    progress = after(over(Origin.PEER, 404))
    assert progress.take(Keyed(1, 10, "1", DigitSource.SIP_INFO)) == []
    assert progress.take(over(Origin.PEER, 404)) == []


def test_a_failed_callback_releases_the_line_with_its_reason():
    (released,) = after(ANSWERED).take(Failed(1, 9, "KeyError: 'x'"))
    assert released == LineReleased(9, ReleaseCause.FAULT, None, "KeyError: 'x'", 0)


def test_only_keys_are_digits():
    progress = after(ANSWERED)
    assert progress.take(Keyed(1, 6, "d", DigitSource.RTP_EVENT)) == [
        LineDigit(6, "D", DigitSource.RTP_EVENT)
    ]
    assert progress.take(Keyed(1, 7, "R", DigitSource.RTP_EVENT)) == []
