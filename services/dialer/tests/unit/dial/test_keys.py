"""The keys of a called person: to opt out, and to hear the message again."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cato_contracts.api.resources import SettingsSpec, SuccessCondition
from cato_contracts.messages.calls import CallEventKind as Kind
from cato_dialer.dial.domain.call.line_events import (
    DigitSource,
    LineAnswered,
    LineDigit,
    LineHeard,
    LinePlaybackFinished,
    LinePlaybackStarted,
    LineReleased,
    LineRinging,
    ReleaseCause,
)
from cato_dialer.dial.domain.call.machine import advance, begin
from cato_dialer.dial.domain.call.rules import CallRules
from cato_dialer.dial.domain.call.state import (
    CallInput,
    Effect,
    HangUp,
    HangUpOrdered,
    Phase,
    Play,
    Publish,
    Succeed,
    Timer,
    TimerExpired,
)
from services.dialer.tests.unit.dial.played_call import play, published

FULL = SuccessCondition.PICKUP_AND_LISTEN_FULL
CONFIRM = SuccessCondition.PICKUP_AND_CONFIRM
KEYS = (Kind.DIGIT, Kind.OPTED_OUT)
ANSWERED = LineAnswered(1000)
FINISHED = LinePlaybackFinished(1000, 5000)
GONE = LineReleased(1000, ReleaseCause.LOCAL_HANGUP, 200, "", 2000)


def rules(condition: SuccessCondition = FULL, *, announces: bool = False, listen_s: int = 3) -> CallRules:
    spec = SettingsSpec(
        name="s",
        attempt_count=1,
        success_condition=condition,
        success_playback_duration_s=listen_s,
        confirm_code="12",
        opt_out_key="9",
        repeat_key="0",
    )
    return CallRules.of(spec, 5000, station_setup_s=20, station_answer_s=45, announces=announces)


def key(digit: str) -> LineDigit:
    return LineDigit(1000, digit, DigitSource.RTP_EVENT)


def end_of(effects: list[Effect]) -> Publish:
    last = effects[-1]
    assert isinstance(last, Publish)
    return last


@pytest.mark.parametrize("announces", [False, True])
@pytest.mark.parametrize("phase", list(Phase))
def test_the_key_opts_out_in_every_phase_of_an_answered_call(phase: Phase, announces: bool) -> None:
    start, _ = begin(rules(announces=announces), 0)
    call, effects = advance(replace(start, phase=phase, answered=True), key("9"))
    if phase in {Phase.TALKING, Phase.LISTENING}:
        assert call.phase is (Phase.ANNOUNCING if announces else Phase.RELEASING)
        assert Play(1, announcement=True) in effects if announces else HangUp() in effects
    if phase in {Phase.TALKING, Phase.LISTENING, Phase.RELEASING}:
        assert published(list(effects)) == [*KEYS]
        assert (call.opted_out, call.failure) == (True, "opted-out")
    else:
        assert not call.opted_out


@pytest.mark.parametrize("phase", list(Phase))
def test_the_key_to_repeat_plays_again_while_the_person_listens(phase: Phase) -> None:
    start, _ = begin(rules(), 0)
    call, effects = advance(replace(start, phase=phase, answered=True), key("0"))
    if phase in {Phase.TALKING, Phase.LISTENING}:
        assert (call.phase, published(list(effects))) == (Phase.TALKING, [Kind.DIGIT, Kind.REPEATED])
        assert effects[-1] == Play(1)
    else:
        assert not any(isinstance(effect, Play) for effect in effects)


def test_a_key_before_the_answer_says_nothing() -> None:
    call, effects = play(rules(), LineRinging(1000, 180, "Ringing"), key("9"))
    assert not call.opted_out
    assert published(effects) == [Kind.RINGING]


def test_the_end_of_the_announcement_ends_the_call() -> None:
    call, effects = play(rules(announces=True), ANSWERED, key("9"), LinePlaybackFinished(1000, 2000, 1))
    assert call.phase is Phase.RELEASING
    assert isinstance(effects[-2], HangUp)
    _, effects = play(rules(announces=True), ANSWERED, key("9"), LinePlaybackFinished(1000, 2000, 1), GONE)
    end = end_of(effects)
    assert (end.reason, end.success, end.heard_ms) == ("opted-out", False, 2000)


def test_the_end_of_the_prompt_that_crosses_the_key_does_not_end_the_announcement() -> None:
    call, effects = play(rules(announces=True), ANSWERED, key("9"), FINISHED)
    assert call.phase is Phase.ANNOUNCING
    assert not any(isinstance(effect, HangUp | Succeed) for effect in effects)


@pytest.mark.parametrize(
    "then",
    [
        HangUpOrdered(1000),
        TimerExpired(Timer.DURATION, 1000),
        LineReleased(1000, ReleaseCause.REMOTE_HANGUP, 200, "", 5000),
        LineReleased(1000, ReleaseCause.FAULT, None, "", 5000),
        LineHeard(1000, 5000),
    ],
)
def test_whatever_follows_the_key_the_reason_stays(then: CallInput) -> None:
    _, effects = play(rules(announces=True), ANSWERED, key("9"), then, GONE)
    end = end_of(effects)
    assert (end.reason, end.success) == ("opted-out", False)


def test_a_success_before_the_key_stays_one() -> None:
    _, effects = play(rules(SuccessCondition.PICKUP_PHONE), ANSWERED, key("9"), GONE)
    end = end_of(effects)
    assert (end.reason, end.success) == ("answered", True)
    assert Kind.OPTED_OUT in published(effects)


def test_a_code_after_the_key_confirms_nothing() -> None:
    _, effects = play(rules(CONFIRM, announces=True), ANSWERED, key("9"), key("1"), key("2"), GONE)
    assert published(effects).count(Kind.DIGIT) == 3
    assert Kind.CONFIRMED not in published(effects)
    assert end_of(effects).reason == "opted-out"


def test_the_message_is_repeated_five_times_at_most() -> None:
    _, effects = play(rules(), ANSWERED, *[key("0")] * 7)
    assert [effect.part for effect in effects if isinstance(effect, Play)] == [1, 2, 3, 4, 5]
    assert published(effects).count(Kind.DIGIT) == 7


def test_the_end_of_the_prompt_that_crosses_the_key_to_repeat_counts_and_does_not_end_the_call() -> None:
    call, _ = play(rules(), ANSWERED, key("0"), FINISHED)
    assert (call.phase, call.success) == (Phase.TALKING, "heard-to-the-end")
    call, _ = play(rules(), ANSWERED, key("0"), FINISHED, replace(FINISHED, part=1))
    assert call.phase is Phase.RELEASING


def test_who_awaits_the_code_may_hear_the_message_again() -> None:
    call, effects = play(rules(CONFIRM), ANSWERED, LinePlaybackStarted(1000), FINISHED, key("0"))
    assert call.phase is Phase.TALKING
    call, effects = play(
        rules(CONFIRM), ANSWERED, FINISHED, key("0"), replace(FINISHED, part=1), key("1"), key("2")
    )
    assert Kind.CONFIRMED in published(effects)


_INPUTS = st.one_of(
    st.sampled_from("0129#").map(key),
    st.builds(LinePlaybackFinished, st.just(1000), st.sampled_from([0, 2000, 5000]), st.integers(0, 6)),
    st.builds(LineHeard, st.just(1000), st.sampled_from([1000, 3000, 5000])),
    st.sampled_from([TimerExpired(timer, 1000) for timer in Timer if timer is not Timer.RELEASE]),
    st.just(HangUpOrdered(1000)),
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(list(SuccessCondition)),
    st.booleans(),
    st.lists(_INPUTS, max_size=12),
    st.sampled_from(
        [ReleaseCause.REMOTE_HANGUP, ReleaseCause.LOCAL_HANGUP, ReleaseCause.FAULT, ReleaseCause.NO_RESPONSE]
    ),
    st.sampled_from([0, 3000, 5000]),
)
def test_an_opt_out_is_never_lost_and_never_becomes_a_success(
    condition: SuccessCondition, announces: bool, inputs: list[CallInput], cause: ReleaseCause, heard: int
) -> None:
    release = LineReleased(1000, cause, 200, "", heard)
    call, effects = play(rules(condition, announces=announces), ANSWERED, *inputs, release)
    assert call.phase is Phase.ENDED
    end, told = end_of(effects), published(effects)
    assert told.count(Kind.OPTED_OUT) <= 1
    assert (Kind.OPTED_OUT in told) == (key("9") in inputs)
    if Kind.OPTED_OUT in told:
        at = next(n for n, e in enumerate(effects) if isinstance(e, Publish) and e.kind is Kind.OPTED_OUT)
        assert not any(isinstance(effect, Succeed) for effect in effects[at:])
        assert end.success or end.reason == "opted-out"
    assert end.success == any(isinstance(effect, Succeed) for effect in effects)
    parts = [effect.part for effect in effects if isinstance(effect, Play)]
    assert parts == list(range(1, len(parts) + 1))
    assert len(parts) <= 6
