from dataclasses import replace

import pytest

from cato_contracts.api.resources import SettingsSpec, SuccessCondition
from cato_contracts.messages.calls import CallEventKind as Kind
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
from cato_dialer.dial.domain.call.machine import TRANSITIONS, advance, begin
from cato_dialer.dial.domain.call.rules import CallRules
from cato_dialer.dial.domain.call.state import (
    TRIGGERS,
    Call,
    CallInput,
    Effect,
    HangUp,
    HangUpOrdered,
    Phase,
    Publish,
    StartTimer,
    StopTimer,
    Succeed,
    Timer,
    TimerExpired,
    Trigger,
    trigger_of,
)
from services.dialer.tests.unit.dial import played_call
from services.dialer.tests.unit.dial.played_call import published

PHONE = SuccessCondition.PICKUP_PHONE
SOME = SuccessCondition.PICKUP_AND_LISTEN_SOME
FULL = SuccessCondition.PICKUP_AND_LISTEN_FULL
CONFIRM = SuccessCondition.PICKUP_AND_CONFIRM


def rules(condition: SuccessCondition, listen_s: int = 3, answer_s: int = 30, code: str = "12") -> CallRules:
    settings = SettingsSpec(
        name="s",
        attempt_count=1,
        success_condition=condition,
        success_playback_duration_s=listen_s,
        max_answer_delay_s=answer_s,
        max_call_duration_s=60,
        confirm_code=code,
    )
    return CallRules.of(settings, 5000, station_setup_s=20, station_answer_s=45)


def released(
    cause: ReleaseCause, sip_code: int | None = None, heard_ms: int = 0, phrase: str = ""
) -> LineReleased:
    return LineReleased(1000, cause, sip_code, phrase, heard_ms)


def expired(timer: Timer) -> TimerExpired:
    return TimerExpired(timer, 1000)


def digits(keyed: str) -> list[LineDigit]:
    return [LineDigit(1000, digit, DigitSource.RTP_EVENT) for digit in keyed]


def play(condition: SuccessCondition | CallRules, *inputs: CallInput) -> tuple[Call, list[Effect]]:
    return played_call.play(condition if isinstance(condition, CallRules) else rules(condition), *inputs)


def final(effects: list[Effect]) -> Publish:
    (end,) = [e for e in effects if isinstance(e, Publish) and e.kind in (Kind.ENDED, Kind.INTERRUPTED)]
    assert effects[-1] is end
    return end


def successes(effects: list[Effect]) -> list[str]:
    return [effect.reason for effect in effects if isinstance(effect, Succeed)]


RINGING = LineRinging(1000, 180, "Ringing")
TALKING = (LineTrying(1000), RINGING, LineAnswered(1000))
STARTED = LinePlaybackStarted(1000)
FINISHED = LinePlaybackFinished(1000, 5000)
HUNG_UP = released(ReleaseCause.LOCAL_HANGUP, sip_code=200, heard_ms=5000)


def test_a_call_that_listens_to_the_end_is_recorded_as_the_manual_shows_it() -> None:
    _, effects = play(FULL, *TALKING, STARTED, FINISHED, HUNG_UP)
    assert published(effects) == [
        Kind.TRYING,
        Kind.RINGING,
        Kind.ANSWERED,
        Kind.PLAYBACK_STARTED,
        Kind.PLAYBACK_FINISHED,
        Kind.ENDED,
    ]
    codes = [effect.sip_code for effect in effects if isinstance(effect, Publish)]
    assert codes == [100, 180, 200, None, None, 200]
    end = final(effects)
    assert (end.success, end.heard_ms, end.sip_code, end.reason) == (True, 5000, 200, "heard-to-the-end")


def test_success_comes_before_the_event_that_shows_it() -> None:
    for condition, signals, shows in (
        (PHONE, TALKING, Kind.ANSWERED),
        (FULL, (*TALKING, STARTED, FINISHED), Kind.PLAYBACK_FINISHED),
        (CONFIRM, (*TALKING, STARTED, *digits("12")), Kind.CONFIRMED),
    ):
        _, effects = play(condition, *signals)
        at = next(n for n, effect in enumerate(effects) if isinstance(effect, Succeed))
        event = next(n for n, e in enumerate(effects) if isinstance(e, Publish) and e.kind is shows)
        assert at < event


def test_a_picked_up_phone_still_plays_to_the_end() -> None:
    call, effects = play(PHONE, *TALKING, STARTED)
    assert successes(effects) == ["answered"]
    assert call.phase is Phase.TALKING
    assert HangUp() not in effects
    _, more = advance(call, FINISHED)
    assert HangUp() in more


def test_an_answer_followed_by_a_hangup_succeeds_when_picking_up_suffices() -> None:
    _, effects = play(PHONE, *TALKING, released(ReleaseCause.REMOTE_HANGUP, sip_code=200, heard_ms=40))
    end = final(effects)
    assert (end.success, end.reason, end.heard_ms) == (True, "answered", 40)


def test_listening_to_some_of_it_succeeds_at_the_threshold() -> None:
    assert rules(SOME).report_heard_at_ms == 3000
    _, effects = play(SOME, *TALKING, STARTED, LineHeard(1000, 3000))
    assert successes(effects) == ["heard-enough"]
    _, effects = play(SOME, *TALKING, STARTED, released(ReleaseCause.REMOTE_HANGUP, heard_ms=2980))
    assert not final(effects).success
    assert final(effects).reason == "hung-up-early"


def test_a_threshold_of_zero_is_met_by_the_first_packet() -> None:
    by = rules(SOME, listen_s=0)
    assert by.report_heard_at_ms is None
    assert successes(play(by, *TALKING)[1]) == []
    assert successes(play(by, *TALKING, STARTED)[1]) == ["heard-enough"]


def test_a_threshold_beyond_the_prompt_means_to_the_end() -> None:
    by = rules(SOME, listen_s=60)
    assert by.report_heard_at_ms is None
    assert successes(play(by, *TALKING, STARTED, FINISHED)[1]) == ["heard-enough"]


@pytest.mark.parametrize("keyed", ["12", "912", "112", "1212", "*#0312"])
def test_the_code_counts_after_any_other_digits(keyed: str) -> None:
    call, effects = play(CONFIRM, *TALKING, STARTED, *digits(keyed))
    assert successes(effects) == ["confirmed"]
    assert Kind.CONFIRMED in published(effects)
    assert HangUp() in effects
    assert call.phase is Phase.RELEASING


@pytest.mark.parametrize("keyed", ["", "1", "21", "102", "1#2"])
def test_other_digits_are_no_code(keyed: str) -> None:
    _, effects = play(CONFIRM, *TALKING, STARTED, *digits(keyed))
    assert successes(effects) == []
    assert published(effects).count(Kind.DIGIT) == len(keyed)


def test_digits_after_success_are_recorded_and_change_nothing() -> None:
    _, effects = play(CONFIRM, *TALKING, STARTED, *digits("1234"), HUNG_UP)
    assert published(effects).count(Kind.DIGIT) == 4
    assert published(effects).count(Kind.CONFIRMED) == 1
    assert final(effects).success


def test_there_is_time_for_the_code_after_the_prompt_and_then_an_end() -> None:
    listening = (*TALKING, STARTED, FINISHED)
    call, effects = play(CONFIRM, *listening)
    assert call.phase is Phase.LISTENING
    assert StartTimer(Timer.CONFIRMATION, 11_000) in effects
    assert HangUp() not in effects
    assert successes(play(CONFIRM, *listening, *digits("12"))[1]) == ["confirmed"]
    _, effects = play(CONFIRM, *listening, expired(Timer.CONFIRMATION), HUNG_UP)
    assert (final(effects).success, final(effects).reason) == (False, "not-confirmed")


def test_a_code_that_crosses_our_hanging_up_counts() -> None:
    _, effects = play(
        CONFIRM, *TALKING, STARTED, FINISHED, expired(Timer.CONFIRMATION), *digits("12"), HUNG_UP
    )
    assert final(effects).success


def test_a_call_without_ringing_in_time_is_given_up() -> None:
    _, effects = play(FULL, LineTrying(1000))
    assert StartTimer(Timer.SETUP, 20_000) in effects
    _, effects = play(FULL, expired(Timer.SETUP), released(ReleaseCause.LOCAL_HANGUP, sip_code=487))
    assert published(effects) == [Kind.ANSWER_TIMEOUT, Kind.ENDED]
    assert final(effects).reason == "no-ringing"


@pytest.mark.parametrize("first", [LineRinging(2000, 180, "Ringing"), LineProgress(2000)])
def test_the_answer_limit_counts_from_the_first_ringing(first: LineEvent) -> None:
    again = LineRinging(9000, 180, "Ringing")
    _, effects = play(FULL, first, again)
    assert StopTimer(Timer.SETUP) in effects
    limits = [e for e in effects if isinstance(e, StartTimer) and e.timer is Timer.ANSWER]
    assert limits == [StartTimer(Timer.ANSWER, 32_000)]


def test_an_answer_limit_of_zero_is_replaced_by_the_stations() -> None:
    assert rules(FULL, answer_s=0).answer_ms == 45_000


def test_ringing_too_long_is_given_up_and_the_station_may_still_say_486() -> None:
    gone = (RINGING, expired(Timer.ANSWER))
    _, effects = play(FULL, *gone, released(ReleaseCause.REJECTED, sip_code=487, phrase="Request Terminated"))
    assert published(effects) == [Kind.RINGING, Kind.ANSWER_TIMEOUT, Kind.ENDED]
    assert final(effects).reason == "no-answer"
    _, effects = play(FULL, *gone, released(ReleaseCause.REJECTED, sip_code=486, phrase="Busy Here"))
    assert published(effects)[-2:] == [Kind.REJECTED, Kind.ENDED]
    assert final(effects).reason == "no-answer"


def test_an_answer_that_crosses_our_cancel_is_recorded_and_no_success() -> None:
    _, effects = play(
        PHONE,
        RINGING,
        expired(Timer.ANSWER),
        LineAnswered(1000),
        HUNG_UP,
    )
    assert Kind.ANSWERED in published(effects)
    assert not final(effects).success


def test_a_call_that_lasts_too_long_is_ended() -> None:
    _, effects = play(FULL, *TALKING, STARTED, expired(Timer.DURATION), HUNG_UP)
    assert StartTimer(Timer.DURATION, 61_000) in effects
    assert Kind.DURATION_EXCEEDED in published(effects)
    # Audio that was sent before the end counts.
    assert final(effects).success
    short = replace(HUNG_UP, heard_ms=4000)
    assert final(play(FULL, *TALKING, expired(Timer.DURATION), short)[1]).reason == "duration-exceeded"


def test_a_rejection_has_the_stations_words() -> None:
    _, effects = play(FULL, released(ReleaseCause.REJECTED, sip_code=486, phrase="Busy Here"))
    rejected = next(e for e in effects if isinstance(e, Publish))
    assert (rejected.kind, rejected.sip_code, rejected.reason_phrase) == (Kind.REJECTED, 486, "Busy Here")
    assert (final(effects).sip_code, final(effects).reason) == (486, "busy")


def test_a_fault_in_the_middle_is_an_interruption() -> None:
    _, effects = play(FULL, *TALKING, released(ReleaseCause.FAULT, phrase="worker died"))
    assert published(effects)[-1] is Kind.INTERRUPTED
    assert final(effects).reason == "interrupted"


def test_a_line_without_a_release_is_given_up() -> None:
    _, effects = play(FULL, *TALKING, STARTED, FINISHED, expired(Timer.RELEASE))
    assert final(effects).success


def test_every_release_ends_the_call_in_every_live_phase() -> None:
    # Lines that were missed or not sent are no calls: the driver keeps them from the machine.
    releases = set(ReleaseCause) - {ReleaseCause.MISSED, ReleaseCause.NOT_SENT}
    for phase in set(Phase) - {Phase.ENDED}:
        for release in releases:
            start, _ = begin(rules(FULL), 0)
            call, effects = advance(replace(start, phase=phase), released(release, 500))
            assert call.phase is Phase.ENDED
            final(list(effects))


def test_nothing_follows_the_end() -> None:
    start, _ = begin(rules(FULL), 0)
    ended = replace(start, phase=Phase.ENDED)
    happenings: list[CallInput] = [
        *TALKING,
        STARTED,
        LineHeard(1000, 1000),
        FINISHED,
        *digits("1"),
        *map(released, ReleaseCause),
        *map(expired, Timer),
        HangUpOrdered(1000),
    ]
    assert {trigger_of(happened) for happened in happenings} | {LineProgress} == set(TRIGGERS)
    assert all(advance(ended, happened) == (ended, ()) for happened in happenings)


def test_the_table_has_no_row_that_can_never_be_taken() -> None:
    seen: set[tuple[Phase, Trigger]] = set()
    for row in TRANSITIONS:
        assert (row.phase, row.trigger) not in seen, f"{row.described()} stands below a row without a guard"
        if row.guard is None:
            seen.add((row.phase, row.trigger))


def test_every_row_has_a_description_of_its_own() -> None:
    described = [row.described() for row in TRANSITIONS]
    assert all(row["actions"] for row in described)
    assert len({str(row) for row in described}) == len(described)


def test_what_the_station_says_about_the_reason_is_on_the_end_of_the_call() -> None:
    refused = replace(released(ReleaseCause.REJECTED, sip_code=486), reason_header="Q.850;cause=17")
    _, effects = play(PHONE, refused)
    end = final(effects)
    assert (end.reason, end.reason_header) == ("busy", "Q.850;cause=17")
